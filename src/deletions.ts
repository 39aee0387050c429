import { addressOf } from './nostr/address.ts'
import { readDeletion } from './nostr/deletion.ts'
import type { NostrEvent } from './nostr/event.ts'
import { KIND } from './nostr/kinds.ts'
import type { RunTables } from './store/run-tables.ts'

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
  if (run.deletedUntil(event.pubkey, event.id) !== undefined) return true
  const address = addressOf(event)
  return address !== undefined && (run.deletedUntil(event.pubkey, address) ?? -1) >= event.created_at
}
