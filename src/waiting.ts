/*
 * Parked events that hang from others: freed when the target serves a parent, refused when no parent can come any more.
 */
import type { Ledger } from './ledger.ts'
import { addressOf, parseAddress } from './nostr/address.ts'
import type { NostrEvent } from './nostr/event.ts'
import { KIND } from './nostr/kinds.ts'
import { parentsOf } from './nostr/references.ts'
import { findServed, findVersions } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import type { TargetState } from './store/target-state.ts'
import type { UnixSeconds } from './time.ts'

/** What it takes to look after events whose parents are missing. `released` holds what was freed once, and the anchors that freed it. */
export type WaitingContext = {
  readonly target: Peer
  readonly state: TargetState
  readonly ledger: Ledger
  readonly now: UnixSeconds
  readonly software: string | undefined
  readonly blocked: Map<string, string>
  readonly released: Set<string>
  readonly stageOf: (event: NostrEvent) => number
  /** Anchors that gave what was refused a new start once. */
  readonly reopened: Set<string>
  /** Makes ready those of these parked events that are still wanted. */
  readonly select: (parked: readonly SpooledEvent[]) => Promise<void>
}

const PIECE = 250

/**
 * Makes ready what waited for a parent that the target serves now, each parent once a run, so this comes to an end.
 * What waits for parents that are all refused is refused. Returns how many became ready. Throws LostRelayError.
 */
export async function reviveWaiting(context: WaitingContext): Promise<number> {
  const { spool } = context.state
  const served = new Set<string>()
  let count = 0
  for (const piece of spool.inState('parked', PIECE)) {
    const freed = await freeServed(piece, served, context)
    for (const spooled of piece) if (!freed.includes(spooled)) blockChildren(spooled, served, context)
    count += freed.length
  }
  for (const anchor of served) {
    context.released.add(anchor)
    context.blocked.delete(anchor)
  }
  // A child may stand before its parent in the spool.
  while (refuseWithParents(context) > 0);
  if (count > 0) context.state.transaction(() => spool.orderByParents())
  return count
}

/**
 * Gives what was refused or given up for want of a parent a new start when the target serves one, each parent once a run.
 * What was given up is asked for itself as well, not sent. Returns how many were reopened. Throws LostRelayError.
 */
export async function reconsiderRefused(context: WaitingContext): Promise<number> {
  const { target, state, now, reopened } = context
  let count = 0
  for (const piece of state.spool.inState('refused', PIECE)) {
    const givenUp = piece.filter(({ outcome }) => outcome === 'given-up').map(({ event }) => event.id)
    const arrived = await findServed(target, givenUp)
    settleArrived(piece, arrived, context)
    const absent = piece.filter(({ event, isOrphan }) => isOrphan && !arrived.has(event.id))
    const hopeful = absent.filter((orphan) => !hangsFromRefused(orphan, context))
    const served = await findServedAnchors(hopeful, reopened, context)
    const freed = hopeful.filter(({ event }) => parentsOf(event).some((anchor) => served.has(anchor)))
    state.transaction(() => {
      for (const { event } of freed) state.spool.reopen(event.id, now)
    })
    if (freed.length > 0) await context.select(freed.flatMap(({ event }) => state.spool.find(event.id) ?? []))
    for (const anchor of served) reopened.add(anchor)
    count += freed.length
  }
  if (count > 0) state.transaction(() => state.spool.orderByParents())
  return count
}

/** The target serves what was given up. */
function settleArrived(
  piece: readonly SpooledEvent[],
  arrived: ReadonlySet<string>,
  { state, ledger }: WaitingContext,
): void {
  state.transaction(() => {
    for (const { event, layer } of piece.filter((spooled) => arrived.has(spooled.event.id))) {
      state.spool.remove(event.id)
      ledger.settle(layer, 'accepted')
    }
  })
}

/** Gives up what has waited longer than `forgetSeconds`, as reported and remembered. */
export function giveUpOld(forgetSeconds: number, { state, ledger, now, software }: WaitingContext): void {
  const giveUp = ({ event, layer, reason = 'waited too long', isOrphan }: SpooledEvent): void => {
    state.spool.change(event.id, { state: 'refused', outcome: 'given-up', reason, software, isOrphan }, now)
    ledger.settle(layer, 'given-up')
  }
  for (const piece of state.spool.inState('parked', PIECE)) {
    const old = piece.filter(({ parkedAt = now }) => now - parkedAt > forgetSeconds)
    state.transaction(() => old.forEach(giveUp))
  }
}

/** Makes ready those orphans of the piece that have a parent which the target serves, and returns them; adds such parents to `served`. */
async function freeServed(
  piece: readonly SpooledEvent[],
  served: Set<string>,
  context: WaitingContext,
): Promise<readonly SpooledEvent[]> {
  const { spool } = context.state
  const orphans = piece.filter(({ isOrphan }) => isOrphan)
  const found = await findServedAnchors(orphans, context.released, context)
  const paired = orphans.filter((orphan) => isStateOfPending(orphan, context))
  for (const { event } of paired) context.released.add(event.id)
  const freed = orphans.filter(
    (orphan) => paired.includes(orphan) || parentsOf(orphan.event).some((anchor) => found.has(anchor)),
  )
  context.state.transaction(() => {
    for (const { event } of freed) spool.makeReady(event.id, context.stageOf(event))
  })
  for (const anchor of found) served.add(anchor)
  return freed
}

/** Whether this is the state of an announcement that waits for git data, which is pushed by leave of the state. */
function isStateOfPending({ event }: SpooledEvent, { state, released }: WaitingContext): boolean {
  if (event.kind !== KIND.state || released.has(event.id)) return false
  return parentsOf(event).some((anchor) => state.spool.findVersion(anchor)?.outcome === 'pending')
}

/** What hangs from an event that waits for its parent or for git data need not be sent: it would only be refused as well. */
function blockChildren(
  spooled: SpooledEvent,
  served: ReadonlySet<string>,
  { blocked, released }: WaitingContext,
): void {
  const { event, isOrphan, outcome, reason = '' } = spooled
  if (!isOrphan && outcome !== 'pending') return
  blocked.set(addressOf(event) ?? event.id, reason)
  const missing = isOrphan ? parentsOf(event).filter((anchor) => !served.has(anchor) && !released.has(anchor)) : []
  for (const anchor of missing) blocked.set(anchor, reason)
}

/** Of the parents of these events, the ones that the target serves, but for those that had their turn. */
async function findServedAnchors(
  orphans: readonly SpooledEvent[],
  past: ReadonlySet<string>,
  context: WaitingContext,
): Promise<Set<string>> {
  const anchors = new Set(orphans.flatMap(({ event }) => parentsOf(event)))
  const asked = [...anchors].filter((anchor) => !past.has(anchor))
  const isAddress = (anchor: string): boolean => parseAddress(anchor) !== undefined
  const versions = await findVersions(context.target, asked.filter(isAddress))
  const ids = await findServed(
    context.target,
    asked.filter((anchor) => !isAddress(anchor)),
  )
  return new Set([...versions.keys(), ...ids].filter((anchor) => anchors.has(anchor)))
}

/** Refuses every orphan all of whose known parents are refused, deleted, vanished or given up. Returns how many those are. */
function refuseWithParents(context: WaitingContext): number {
  const { state, ledger, now, software } = context
  let count = 0
  for (const piece of state.spool.inState('parked', PIECE)) {
    state.transaction(() => {
      for (const { event, layer, isOrphan } of piece) {
        const fate = isOrphan ? sharedFate(event, context) : undefined
        if (fate === undefined) continue
        const change = { outcome: 'refused', reason: `parent ${fate}`, software, isOrphan: true } as const
        state.spool.change(event.id, { state: 'refused', ...change }, now)
        ledger.settle(layer, 'refused')
        count += 1
      }
    })
  }
  return count
}

/** How the parents of an event ended, when none of those that are ours can come any more. */
function sharedFate(event: NostrEvent, context: WaitingContext): string | undefined {
  const fates = parentsOf(event).map((anchor) => fateOf(anchor, context))
  return fates.includes('alive') ? undefined : fates.find((fate) => fate !== undefined)
}

/** `alive`, or how a parent ended; `undefined` when it is not one of ours. */
function fateOf(anchor: string, { state }: WaitingContext): string | undefined {
  const spooled = findSpooled(anchor, state)
  if (spooled !== undefined) return spooled.state === 'refused' ? describeRefusal(spooled) : 'alive'
  const author = parseAddress(anchor)?.pubkey ?? state.run.authorOf(anchor)
  if (author !== undefined && state.run.deletedUntil(author, anchor) !== undefined) return 'deleted'
  if (author !== undefined && state.run.vanishedUntil(author) !== undefined) return 'vanished'
  return state.anchors.has(anchor) ? 'alive' : undefined
}

/** Whether every parent is still remembered as refused: then it is not worth asking for them. */
function hangsFromRefused({ event }: SpooledEvent, { state }: WaitingContext): boolean {
  return parentsOf(event).every((anchor) => {
    const parent = findSpooled(anchor, state)
    return parent?.state === 'refused' && parent.outcome !== 'given-up'
  })
}

function findSpooled(anchor: string, { spool }: TargetState): SpooledEvent | undefined {
  return parseAddress(anchor) === undefined ? spool.find(anchor) : spool.findVersion(anchor)
}

/** Of a parent that was itself refused with its parent, only how that one ended. */
function describeRefusal({ outcome, reason = '' }: SpooledEvent): string {
  return reason.startsWith('parent ') ? reason.slice('parent '.length) : `${outcome}: ${reason}`
}
