/*
 * What becomes of parked events that depend on others. Each parent is served, may still come, has ended, or is nowhere;
 * an orphan ends with its parents, and what it waits for is told by what stands in the way now, not by what once did.
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

/** What it takes to judge orphans. */
type JudgingRun = Pick<PublishingRun, 'world' | 'fate' | 'startedAt'> & { readonly released: ReadonlySet<string> }

/** Why there is no parent: no source and not the target has it, or it was taken back although a source still has it. */
export type Absence = 'nowhere' | 'deleted' | 'vanished' | 'expired'

/** Anchors that can be no parents any more; `undefined` when that cannot be said in this run. */
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

/** Refuses every orphan whose parents have ended, and what depends on it. */
export function refuseWithParents(run: JudgingRun, nowhere?: Nowhere): void {
  // A child may stand before its parent in the spool.
  while (refuseOnce(run, nowhere) > 0);
}

/**
 * The end of a run for what still waits for parents: what can wait for none is refused; an orphan refusal while the
 * target serves the parent counts as an error; the others say what they wait for.
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
 * How the parents ended, with the target's words if it refused the orphan itself; `undefined` while one is served or
 * may come.
 */
function endingOf(
  { event, attempts, reason = '', obstacle }: SpooledEvent,
  prospects: readonly Prospect[],
): Ending | undefined {
  // What depends on nothing (a grasp list) no parent can bring in. What admits announcements and states is no parent.
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
  // Reopened by no parent: they are all there. By the author's next version, other software, or in 30 days.
  if (orphan.attempts > 0 && isLastTry(orphan, now)) return fate.refuse(orphan, 'refused')
  fate.park(orphan, { isOrphan: true, isError: true })
}

/** Says which parent stands in the way, and what keeps that one: of a chain, what keeps the first. */
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

/** What is known of each parent; of one that is neither ours nor served, nothing. */
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

/** Of a parent that was itself refused with its parent, how that one ended. */
function describeRefusal(anchor: string, { outcome, reason = '', obstacle = anchor }: SpooledEvent) {
  const prefix = 'parent '
  return reason.startsWith(prefix)
    ? { how: reason.slice(prefix.length), obstacle }
    : { how: `${outcome}: ${reason}`, obstacle: anchor }
}
