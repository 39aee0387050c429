import { addressOf, parseAddress } from '../nostr/address.ts'
import { KIND } from '../nostr/kinds.ts'
import { cureOf } from '../relay/answers.ts'
import type { Run } from '../run/run.ts'
import type { SpooledEvent, SpooledHead } from '../store/spooled-event.ts'

/** Why an orphan is refused whose parent no relay has; the words of the target may follow. */
export const NOWHERE = 'its parent is at no source and not at the target'

/**
 * Tries again events that the target refused because these were missing. An announcement reopens, in this run,
 * announcements and states of members of its identifier. Any event reopens, in the next run, the profile and relay list
 * of its author: ngit-grasp counts its participants some seconds later. Each arrival does so once.
 */
export function noteArrivals(
  arrived: readonly Pick<SpooledHead, 'event'>[],
  { world: { state }, fate, startedAt }: Pick<Run, 'world' | 'fate' | 'startedAt'>,
): void {
  const events = arrived.map(({ event }) => event)
  const announced = events.filter(({ kind }) => kind === KIND.announcement)
  const identifiers = announced.flatMap((event) => parseAddress(addressOf(event) ?? '')?.d ?? [])
  // An event that this run refused or parked itself was sent after the announcement.
  for (const spooled of state.waits.notAdmitted([...new Set(identifiers)], startedAt)) {
    if (spooled.state === 'parked' || isWantOfAnnouncement(spooled)) fate.tryAgain(spooled, 0)
  }
  for (const spooled of state.waits.refusedProfiles([...new Set(events.map(({ pubkey }) => pubkey))])) {
    if (cureOf(spooled.reason ?? '') === 'participation') fate.tryAgain(spooled, startedAt)
  }
}

/** Whether an event was refused because no announcement admits its author, or because no relay has one. */
function isWantOfAnnouncement({ reason = '' }: SpooledEvent): boolean {
  return reason.startsWith(NOWHERE) || cureOf(reason) === 'parent'
}
