import type { Ledger } from './ledger.ts'
import { addressOf, parseAddress } from './nostr/address.ts'
import type { NostrEvent } from './nostr/event.ts'
import { KIND } from './nostr/kinds.ts'
import { parentsOf } from './nostr/references.ts'
import { findServed, findVersions } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import type { SpooledEvent } from './store/spool.ts'
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
}

const PIECE = 250

/**
 * Makes ready what waited for a parent that the target serves now, each parent once a run, so this comes to an end.
 * What waits for parents that are all refused is refused. Returns how many became ready. Throws LostRelayError.
 */
export async function reviveWaiting(context: WaitingContext): Promise<number> {
  const { state } = context
  const released = new Set<string>()
  let count = 0
  for (const piece of state.spool.inState('parked', PIECE)) {
    const orphans = piece.filter((spooled) => spooled.isOrphan)
    const served = await findServedAnchors(orphans, context)
    const paired = orphans.filter(({ event }) => isStateOfPending(event, context))
    for (const { event } of paired) context.released.add(event.id)
    const freed = orphans.filter(
      (orphan) => paired.includes(orphan) || parentsOf(orphan.event).some((anchor) => served.has(anchor)),
    )
    state.transaction(() => {
      for (const { event } of freed) state.spool.makeReady(event.id, context.stageOf(event))
    })
    for (const spooled of piece) if (!freed.includes(spooled)) blockChildren(spooled, served, context)
    for (const anchor of served) released.add(anchor)
    count += freed.length
  }
  // A child may stand before its parent in the spool.
  while (refuseOrphans(context) > 0);
  for (const anchor of released) {
    context.released.add(anchor)
    context.blocked.delete(anchor)
  }
  if (count > 0) state.transaction(() => state.spool.orderByParents())
  return count
}

/** Whether this is the state of an announcement that waits for git data, which is pushed by leave of the state. */
function isStateOfPending(event: NostrEvent, { state, released }: WaitingContext): boolean {
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

/** Returns how many were refused. */
function refuseOrphans(context: WaitingContext): number {
  const { state } = context
  let count = 0
  for (const piece of state.spool.inState('parked', PIECE)) {
    const orphans = piece.filter((spooled) => spooled.isOrphan)
    state.transaction(() => {
      for (const orphan of orphans) count += refuseWithParents(orphan, context) ? 1 : 0
    })
  }
  return count
}

async function findServedAnchors(orphans: readonly SpooledEvent[], context: WaitingContext): Promise<Set<string>> {
  const anchors = new Set(orphans.flatMap(({ event }) => parentsOf(event)))
  const asked = [...anchors].filter((anchor) => !context.released.has(anchor))
  const isAddress = (anchor: string): boolean => parseAddress(anchor) !== undefined
  const versions = await findVersions(context.target, asked.filter(isAddress))
  const ids = await findServed(
    context.target,
    asked.filter((anchor) => !isAddress(anchor)),
  )
  return new Set([...versions.keys(), ...ids].filter((anchor) => anchors.has(anchor)))
}

/** An event all of whose known parents are refused, deleted or given up is refused with them. */
function refuseWithParents({ event, layer }: SpooledEvent, context: WaitingContext): boolean {
  const fates = parentsOf(event).map((anchor) => fateOf(anchor, context))
  const known = fates.filter((fate) => fate !== undefined)
  const dead = known.filter((fate) => fate !== 'alive')
  if (dead.length === 0 || dead.length < known.length) return false
  const change = {
    state: 'refused',
    outcome: 'refused',
    reason: `parent ${dead[0]}`,
    software: context.software,
  } as const
  context.state.spool.change(event.id, change, context.now)
  context.ledger.settle(layer, 'refused')
  return true
}

/** `alive`, or how a parent ended; `undefined` when it is not one of ours. */
function fateOf(anchor: string, { state }: WaitingContext): string | undefined {
  const address = parseAddress(anchor)
  const spooled = address === undefined ? state.spool.find(anchor) : state.spool.findVersion(anchor)
  if (spooled !== undefined) return spooled.state === 'refused' ? `${spooled.outcome}: ${spooled.reason}` : 'alive'
  const author = address?.pubkey ?? state.run.authorOf(anchor)
  if (author !== undefined && state.run.deletedUntil(author, anchor) !== undefined) return 'deleted'
  return state.anchors.has(anchor) ? 'alive' : undefined
}
