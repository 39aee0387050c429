/*
 * What authors took back, from the deletions (NIP-09) and requests to vanish (NIP-62) that this run has seen.
 */
import { addressOf } from '../nostr/address.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { vanishesUntil, type RelayNames } from '../nostr/vanish.ts'
import type { RunTables } from '../store/run-tables.ts'

/** Notes what a verified deletion deletes. Ignores other kinds. */
export function recordDeletion(event: NostrEvent, run: RunTables): void {
  if (event.kind !== KIND.deletion) return
  const { ids, addresses } = readDeletion(event)
  for (const id of ids) run.addDeletion(event.pubkey, id, event.created_at)
  for (const address of addresses) run.addDeletion(event.pubkey, address, event.created_at)
}

/** Whether the author of an event deleted it. A deletion is never deleted. */
export function isDeleted(event: NostrEvent, run: RunTables): boolean {
  if (event.kind === KIND.deletion) return false
  if (isDeletedById(event, run)) return true
  const address = addressOf(event)
  return address !== undefined && (run.deletedUntil(event.pubkey, address) ?? -1) >= event.created_at
}

/** Whether the author deleted the event by its id. Deletions of its address do not count. */
export function isDeletedById({ id, pubkey }: Pick<NostrEvent, 'id' | 'pubkey'>, run: RunTables): boolean {
  return run.deletedUntil(pubkey, id) !== undefined
}

/** Notes a verified request to vanish that names the target. Ignores everything else. */
export function recordVanishRequest(event: NostrEvent, targetNames: RelayNames, run: RunTables): void {
  const until = vanishesUntil(event, targetNames)
  if (until !== undefined) run.addVanishRequest(event.pubkey, until)
}

/** Whether the author asked the target to forget the event. NIP-62 covers deletions like any other event. */
export function hasVanished(event: NostrEvent, run: RunTables): boolean {
  return (run.vanishedUntil(event.pubkey) ?? -1) >= event.created_at
}
