import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { matchesNaively } from './naive-filter.ts'

/** Events by id; tests may change it at any time. */
export type MemoryStore = Map<string, NostrEvent>

/** What a relay says to an EVENT, and whether it kept it. */
export type Verdict = { readonly ok: boolean; readonly text: string; readonly stored: boolean }

/** Puts an event into the store as NIP-01 (and NIP-09 with `deletions`) say; the texts are those of strfry. */
export function storeEvent(store: MemoryStore, event: NostrEvent, deletions: boolean): Verdict {
  if (store.has(event.id)) return refuse(true, 'duplicate: have this event')
  if (event.kind >= 20_000 && event.kind < 30_000) return refuse(true, '')
  if (deletions && isDeleted(store, event)) return refuse(false, 'deleted: user requested deletion')
  const rivals = versionsOf(store, addressText(event))
  if (rivals.some((other) => beats(other, event))) return refuse(false, 'replaced: have newer event')
  for (const { id } of rivals) store.delete(id)
  if (deletions && event.kind === 5) applyDeletion(store, event)
  store.set(event.id, event)
  return { ok: true, text: '', stored: true }
}

/** What matches any of the filters, each cut to its `limit` and to `cap` rows: newest first, the lower id on a tie. */
export function findEvents(store: MemoryStore, filters: readonly Filter[], cap = Infinity): NostrEvent[] {
  const found = new Set<NostrEvent>()
  for (const filter of filters) {
    const matching = [...store.values()].filter((event) => matchesNaively(event, filter)).sort(newestFirst)
    for (const event of matching.slice(0, Math.min(filter.limit ?? Infinity, cap))) found.add(event)
  }
  return [...found].sort(newestFirst)
}

function refuse(ok: boolean, text: string): Verdict {
  return { ok, text, stored: false }
}

function newestFirst(a: NostrEvent, b: NostrEvent): number {
  return b.created_at - a.created_at || (a.id < b.id ? -1 : 1)
}

function beats(a: NostrEvent, b: NostrEvent): boolean {
  return newestFirst(a, b) < 0
}

function versionsOf(store: MemoryStore, address: string): NostrEvent[] {
  return address === '' ? [] : [...store.values()].filter((event) => addressText(event) === address)
}

function addressText({ kind, pubkey, tags }: NostrEvent): string {
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) return `${kind}:${pubkey}:`
  if (kind < 30_000 || kind >= 40_000) return ''
  return `${kind}:${pubkey}:${tags.find((tag) => tag[0] === 'd')?.[1] ?? ''}`
}

function isDeleted(store: MemoryStore, event: NostrEvent): boolean {
  return [...store.values()].some((deletion) => deletion.kind === 5 && deletes(deletion, event))
}

function applyDeletion(store: MemoryStore, deletion: NostrEvent): void {
  for (const event of [...store.values()]) if (deletes(deletion, event)) store.delete(event.id)
}

function deletes(deletion: NostrEvent, event: NostrEvent): boolean {
  if (event.pubkey !== deletion.pubkey || event.kind === 5) return false
  const address = addressText(event)
  return deletion.tags.some(
    ([name, value]) =>
      (name === 'e' && value === event.id) ||
      (name === 'a' && address !== '' && value === address && event.created_at <= deletion.created_at),
  )
}
