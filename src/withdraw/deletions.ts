import { addressOf } from '../nostr/address.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Verifier } from '../nostr/verifier.ts'
import { findDeletions, type OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { RunTables } from '../store/run-tables.ts'
import type { TargetState } from '../store/target-state.ts'

/**
 * Records what a relay's verified deletions delete of these events. Throws LostRelayError, for a gap as well where
 * no `onGap` is given.
 */
export async function learnDeletions(
  peer: Peer,
  events: readonly NostrEvent[],
  { verifier, state }: { readonly verifier: Verifier; readonly state: TargetState },
  onGap?: OnGap,
): Promise<void> {
  const ids = new Map(events.map(({ id, pubkey }) => [id, pubkey]))
  const addresses = events.flatMap((event) => addressOf(event) ?? [])
  const learn = async (deletions: readonly NostrEvent[]): Promise<void> => {
    const verdicts = await verifier.verify(deletions)
    state.transaction(() => {
      for (const [index, event] of deletions.entries())
        if (verdicts[index] === 'valid') recordDeletion(event, state.run)
    })
  }
  await findDeletions(peer, { ids, addresses }, learn, onGap)
}

/** Notes what a verified deletion deletes (NIP-09), wherever it was read. Other kinds are passed over. */
export function recordDeletion(event: NostrEvent, run: RunTables): void {
  if (event.kind !== KIND.deletion) return
  const { ids, addresses } = readDeletion(event)
  for (const id of ids) run.addDeletion(event.pubkey, id, event.created_at)
  for (const address of addresses) run.addDeletion(event.pubkey, address, event.created_at)
}

/** Whether its author deleted the event, by the deletions met in this run. A deletion is never deleted. */
export function isDeleted(event: NostrEvent, run: RunTables): boolean {
  if (event.kind === KIND.deletion) return false
  if (isDeletedById(event, run)) return true
  const address = addressOf(event)
  return address !== undefined && (run.deletedUntil(event.pubkey, address) ?? -1) >= event.created_at
}

/** Whether its author deleted just this event, whatever else there is at its address. */
export function isDeletedById({ id, pubkey }: Pick<NostrEvent, 'id' | 'pubkey'>, run: RunTables): boolean {
  return run.deletedUntil(pubkey, id) !== undefined
}
