import type { ObjectId } from '../git/git-access.ts'
import type { GitRemedy } from '../report/git-report.ts'
import { isDiffering } from '../report/git-standing.ts'
import type { Comparison } from './compare-refs.ts'
import { operatorCommand, type Holder } from './operator-command.ts'
import { isWithheld } from './plan-push.ts'
import type { Wanted } from './read-wanted.ts'

/** What is known of one repository. */
export type Findings = {
  readonly repository: string
  readonly wanted: Wanted
  /** At the target. */
  readonly comparison: Comparison
  /** A whole clone from the target lacked objects. */
  readonly isBroken: boolean
  /** The servers that were asked and have something, those with the most first. */
  readonly holders: readonly Holder[]
  /** What every server that lists refs was asked for by id, and lacks. */
  readonly absent: ReadonlySet<ObjectId>
  /** Whether every other server was asked and answered. */
  readonly isEveryoneAsked: boolean
  /** Whether the target serves its announcement, as far as is known. */
  readonly isAnnounced: boolean
  /** Whether the target is ngit-relay; else it is ngit-grasp. */
  readonly isNgitRelay: boolean
  /** The start of the run. */
  readonly now: number
}

const IDS_SHOWN = 10

/** Returns what to do about a repository. */
export function chooseRemedy(findings: Findings): GitRemedy {
  const { repository, wanted, comparison, isBroken, holders, isNgitRelay, now } = findings
  if (!isBroken && !isDiffering(comparison.verdict)) return { type: isKnown(comparison) ? 'nothing' : 'unknown' }
  const lacking = lackingIds(wanted, comparison, isBroken)
  const nowhere = [...lacking].filter((id) => !holders.some(({ ids }) => ids.has(id)))
  if (nowhere.length > 0) return describeLoss(nowhere, findings)
  const { state } = wanted
  if (state?.isHeldBack === true && state.keptUntil !== null && state.keptUntil > now && lacking.size > 0)
    return { type: 'target fetches', until: state.keptUntil }
  const isPushTaken = isNgitRelay ? isMendedByPush(findings) : state === null || state.isHeldBack || !state.isServed
  if (isPushTaken || isOfTips(comparison, isBroken)) return { type: 'repair' }
  const command = operatorCommand(repository, { wanted, comparison, holders, isBroken, isNgitRelay })
  return command === undefined ? { type: 'unknown' } : { type: 'operator', command }
}

/** One object that is certainly nowhere is enough: the repository cannot be whole again. */
function describeLoss(nowhere: readonly ObjectId[], { absent, isEveryoneAsked }: Findings): GitRemedy {
  const lost = nowhere.filter((id) => absent.has(id))
  return isEveryoneAsked && lost.length > 0 ? { type: 'lost', ids: lost.slice(0, IDS_SHOWN) } : { type: 'unknown' }
}

/** The objects that the target needs: those of the refs that differ, or of all when its clone is broken. */
export function lackingIds(
  { refs, tips }: Pick<Wanted, 'refs' | 'tips'>,
  { missing, behind, verdict }: Comparison,
  isBroken: boolean,
): ReadonlySet<ObjectId> {
  const all = new Map([...(refs ?? []), ...tips])
  if (isBroken || verdict === 'no repository') return new Set(all.values())
  return new Set([...missing, ...behind].flatMap((ref) => all.get(ref) ?? []))
}

/**
 * Whether a push to ngit-relay does any good: it takes what a stored state names, but no deletion and no HEAD, and makes
 * a repository only when its announcement arrives.
 */
function isMendedByPush({ comparison: { verdict, missing, behind }, isBroken, isAnnounced }: Findings): boolean {
  if (verdict === 'no repository') return !isAnnounced
  return !isBroken && [...missing, ...behind].some((ref) => !isWithheld(ref))
}

/** A pull request authorises a push of its tip, stored or not. */
function isOfTips({ missing, behind, extra, isHeadOther }: Comparison, isBroken: boolean): boolean {
  const differing = [...missing, ...behind]
  const isOnlyTips = differing.length > 0 && differing.every((ref) => ref.startsWith('refs/nostr/'))
  return isOnlyTips && extra.length === 0 && !isHeadOther && !isBroken
}

function isKnown({ verdict }: Comparison): boolean {
  return verdict !== 'unreachable' && verdict !== 'not asked'
}
