/*
 * What becomes of parked events that depend on others. Each parent is served, may still come, has ended, or is nowhere.
 * An orphan ends with its parents. Its reason names the present obstacle, not an earlier one.
 */
import { isLastTry } from '../checkpoint/next-try.ts'
import { parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { parentsOf } from '../nostr/references.ts'
import type { Fate } from '../run/fate.ts'
import { NOWHERE } from '../select/reopening.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { PublishingRun } from './publishing-run.ts'

/** The part of a run that judging orphans needs. */
type JudgingRun = Pick<PublishingRun, 'world' | 'fate' | 'startedAt'> & { readonly released: ReadonlySet<string> }

/** Why a parent cannot come: no relay has it, or it was deleted, has vanished or has expired. */
export type Absence = 'nowhere' | 'deleted' | 'vanished' | 'expired'

/** Parents that cannot come, by anchor; `undefined` when this run cannot tell. */
export type Nowhere = ReadonlyMap<string, Absence> | undefined

type Prospect = { readonly anchor: string } & (
  | { readonly type: 'served' }
  | { readonly type: 'coming'; readonly parent?: SpooledEvent }
  | { readonly type: 'ended'; readonly how: string; readonly obstacle: string }
  | { readonly type: 'nowhere' }
)

type Ending = { readonly reason: string; readonly obstacle?: string }

const PIECE = 250
const ADMITTED_KINDS: readonly number[] = [KIND.announcement, KIND.state]

/** Refuses every orphan whose parents have ended, and its children in turn. */
export function refuseWithParents(run: JudgingRun, nowhere?: Nowhere): void {
  // A child may stand before its parent in the spool.
  while (refuseOnce(run, nowhere) > 0);
}

/**
 * Judges, at the end of a run, the events that still wait for parents. Refuses those whose parents cannot come, counts
 * an error for those whose parent the target serves, and explains what the others wait for.
 */
export function settleOrphans(run: JudgingRun, nowhere: Nowhere): void {
  const { state } = run.world
  refuseWithParents(run, nowhere)
  for (const piece of state.spool.inState('parked', PIECE)) {
    state.transaction(() => {
      for (const orphan of piece.filter(({ isOrphan }) => isOrphan)) settleOrphan(orphan, run, nowhere)
    })
  }
}

/** The spooled event that an anchor names, in any state. */
export function findSpooled(anchor: string, { spool }: TargetState): SpooledEvent | undefined {
  return parseAddress(anchor) === undefined ? spool.find(anchor) : spool.findVersion(anchor)
}

/** Whether any parent of an event waits to be sent or to be served. */
export function hasComingParent(event: NostrEvent, state: TargetState): boolean {
  return parentsOf(event).some((anchor) => {
    const parent = findSpooled(anchor, state)
    return parent !== undefined && parent.state !== 'refused'
  })
}

/** Returns how many were refused. */
function refuseOnce(run: JudgingRun, nowhere: Nowhere): number {
  const { state } = run.world
  let count = 0
  for (const piece of state.spool.inState('parked', PIECE)) {
    state.transaction(() => {
      for (const orphan of piece.filter(({ isOrphan }) => isOrphan)) {
        const ending = endingOf(orphan, prospectsOf(orphan.event, run, nowhere))
        if (ending === undefined) continue
        run.fate.refuse(orphan, 'refused', { ...ending, isOrphan: true })
        count += 1
      }
    })
  }
  return count
}

/**
 * Returns how the parents ended, with the target's words if it refused the orphan itself; `undefined` while one is
 * served or may come.
 */
function endingOf(
  { event, attempts, reason = '', obstacle }: SpooledEvent,
  prospects: readonly Prospect[],
): Ending | undefined {
  // No parent helps an event without parents (a grasp list). Announcements and states need an announcement instead.
  const dependsOnNothing = !ADMITTED_KINDS.includes(event.kind) && parentsOf(event).length === 0
  if (dependsOnNothing && attempts > 0) return { reason }
  if (prospects.some(({ type }) => type === 'served' || type === 'coming')) return undefined
  const ended = prospects.find((prospect) => prospect.type === 'ended')
  if (ended !== undefined) return { reason: `parent ${ended.how}`, obstacle: ended.obstacle }
  const [nowhere] = prospects
  if (nowhere === undefined) return undefined
  const isItsOwn = attempts > 0 && obstacle === undefined && reason !== ''
  return { reason: isItsOwn ? `${NOWHERE}: ${reason}` : NOWHERE, obstacle: nowhere.anchor }
}

function settleOrphan(orphan: SpooledEvent, run: JudgingRun, nowhere: Nowhere): void {
  const { fate, startedAt: now } = run
  const prospects = prospectsOf(orphan.event, run, nowhere)
  const coming = prospects.filter((prospect) => prospect.type === 'coming')
  if (coming.length > 0) return explainWait(orphan, coming.flatMap(({ parent }) => parent ?? [])[0], coming, fate)
  if (!prospects.some(({ type }) => type === 'served')) return
  // No parent is missing, so none can reopen it. The author's next version, other software, or 30 days can.
  if (orphan.attempts > 0 && isLastTry(orphan, now)) return fate.refuse(orphan, 'refused')
  fate.park(orphan, { isOrphan: true, isError: true })
}

/** Names the parent that stands in the way and why it waits; in a chain, the obstacle of the first. */
function explainWait(
  orphan: SpooledEvent,
  parent: SpooledEvent | undefined,
  [first]: readonly Prospect[],
  fate: Fate,
): void {
  if (parent === undefined || first === undefined) return
  const cause =
    parent.obstacle === undefined
      ? { reason: `its parent is ${parent.outcome}: ${parent.reason ?? ''}`, obstacle: first.anchor }
      : { reason: parent.reason ?? '', obstacle: parent.obstacle }
  if (cause.reason !== orphan.reason || cause.obstacle !== orphan.obstacle)
    fate.explain(orphan, cause.reason, cause.obstacle)
}

/** Returns the prospect of each parent, without parents that are neither ours nor served. */
function prospectsOf(event: NostrEvent, run: JudgingRun, nowhere: Nowhere): Prospect[] {
  return parentsOf(event).flatMap((anchor) => prospectOf(anchor, run, nowhere) ?? [])
}

function prospectOf(
  anchor: string,
  { world: { state }, released }: JudgingRun,
  nowhere: Nowhere,
): Prospect | undefined {
  if (released.has(anchor)) return { anchor, type: 'served' }
  const parent = findSpooled(anchor, state)
  if (parent?.state === 'refused') return { anchor, type: 'ended', ...describeRefusal(anchor, parent) }
  if (parent !== undefined) return { anchor, type: 'coming', parent }
  const author = parseAddress(anchor)?.pubkey ?? state.run.authorOf(anchor)
  if (author !== undefined && state.run.deletedUntil(author, anchor) !== undefined) {
    return { anchor, type: 'ended', how: 'deleted', obstacle: anchor }
  }
  if (author !== undefined && state.run.vanishedUntil(author) !== undefined) {
    return { anchor, type: 'ended', how: 'vanished', obstacle: anchor }
  }
  const absence = nowhere?.get(anchor)
  if (absence === 'nowhere') return { anchor, type: 'nowhere' }
  if (absence !== undefined) return { anchor, type: 'ended', how: absence, obstacle: anchor }
  return state.anchors.has(anchor) ? { anchor, type: 'coming' } : undefined
}

/** Returns how a refused parent ended; if it was refused with its own parent, how that one ended. */
function describeRefusal(anchor: string, { outcome, reason = '', obstacle = anchor }: SpooledEvent) {
  const prefix = 'parent '
  return reason.startsWith(prefix)
    ? { how: reason.slice(prefix.length), obstacle }
    : { how: `${outcome}: ${reason}`, obstacle: anchor }
}
