import { addressOf, parseAddress } from '../nostr/address.ts'
import { parentsOf } from '../nostr/references.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { PublishingRun } from './publishing-run.ts'

const PIECE = 250
const NO_ANNOUNCEMENT = /^(?:\w+: )?no announcement exists\b/

/**
 * Sends announcements again that the target has lost: it held them back in an earlier run and now says that none
 * exists, so it was restarted. They and their states become ready, and after them the events that were refused without
 * them. Returns how many became ready, each once a run.
 */
export function reviveLost(run: PublishingRun): number {
  const { fate, released, startedAt: now, stageOf } = run
  const { state } = run.world
  let count = 0
  for (const piece of state.spool.inState('parked', PIECE)) {
    const refused = piece.filter(({ event, isOrphan, reason = '' }) => {
      return isOrphan && NO_ANNOUNCEMENT.test(reason) && !released.has(event.id)
    })
    const held = state.waits.heldBack(identifiersOf(refused))
    const lost = held.filter(({ event, lastOkAt = 0 }) => lastOkAt < now && !released.has(event.id))
    const identifiers = new Set(identifiersOf(lost))
    const revived = [...lost, ...refused.filter((spooled) => identifiersOf([spooled]).some((d) => identifiers.has(d)))]
    state.transaction(() => {
      for (const spooled of revived) fate.makeReady(spooled, stageOf(spooled.event))
    })
    for (const { event } of revived) released.add(event.id)
    count += revived.length
  }
  return count
}

/** The identifiers of the repositories that events are about. */
function identifiersOf(piece: readonly SpooledEvent[]): string[] {
  const addresses = piece.flatMap(({ event }) => [addressOf(event) ?? '', ...parentsOf(event)])
  return [...new Set(addresses.flatMap((address) => parseAddress(address)?.d ?? []))]
}
