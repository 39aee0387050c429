import { addressOf, parseAddress } from './nostr/address.ts'
import { KIND } from './nostr/kinds.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import type { TargetState } from './store/target-state.ts'
import type { UnixSeconds } from './time.ts'

/**
 * What the target took opens what it refused for want of it: of the same identifier, the announcements and states of
 * members, in this run; of the same author, profile and relay list, in the next run, for ngit-grasp counts its
 * participants some seconds later. Each arrival does so once.
 */
export function noteArrivals(
  arrived: readonly Pick<SpooledEvent, 'event'>[],
  { state, now }: { readonly state: TargetState; readonly now: UnixSeconds },
): void {
  const events = arrived.map(({ event }) => event)
  const announced = events.filter(({ kind }) => kind === KIND.announcement)
  const identifiers = announced.flatMap((event) => parseAddress(addressOf(event) ?? '')?.d ?? [])
  state.waits.reopenMembers([...new Set(identifiers)], now)
  state.waits.reopenProfiles([...new Set(events.map(({ pubkey }) => pubkey))], now)
}
