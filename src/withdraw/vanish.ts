import type { NostrEvent } from '../nostr/event.ts'
import { vanishesUntil, type RelayNames } from '../nostr/vanish.ts'
import { keepValid, type Verifier } from '../nostr/verifier.ts'
import { findVanishRequests, type OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { TargetState } from '../store/target-state.ts'

/** Where requests to vanish are noted, and by what they name the target. */
export type VanishContext = { readonly state: TargetState; readonly targetNames: RelayNames }

/**
 * Records the verified requests to vanish (NIP-62) that a relay has of the authors of these events, each author asked
 * for once a run. Throws LostRelayError, for a gap as well where no `onGap` is given.
 */
export async function learnVanishRequests(
  peer: Peer,
  events: readonly NostrEvent[],
  context: VanishContext & { readonly verifier: Verifier },
  onGap?: OnGap,
): Promise<void> {
  const { state, verifier } = context
  const { url } = peer.endpoint
  const authors = [...new Set(events.map(({ pubkey }) => pubkey))].filter((author) => !state.run.isAsked(url, author))
  const learn = async (requests: readonly NostrEvent[]): Promise<void> => {
    const valid = await keepValid(requests, verifier)
    state.transaction(() => {
      for (const event of valid) recordVanishRequest(event, context)
    })
  }
  await findVanishRequests(peer, authors, learn, onGap)
  state.transaction(() => state.run.markAsked(url, authors))
}

/** Notes a verified request to vanish that names the target, wherever it was read. All else is passed over. */
export function recordVanishRequest(event: NostrEvent, { state, targetNames }: VanishContext): void {
  const until = vanishesUntil(event, targetNames)
  if (until !== undefined) state.run.addVanishRequest(event.pubkey, until)
}

/**
 * Whether its author asked the target to forget the event, by the requests met in this run. That a deletion is an event
 * like any other here, NIP-62 says itself.
 */
export function hasVanished(event: NostrEvent, run: TargetState['run']): boolean {
  return (run.vanishedUntil(event.pubkey) ?? -1) >= event.created_at
}
