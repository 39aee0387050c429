import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'

/** NIP-01 word by word, slowly, and independent of `src`: whether the event matches. `limit` plays no part. */
export function matchesNaively(event: NostrEvent, filter: Filter): boolean {
  return Object.entries(filter).every(([name, wanted]) => meets(event, name, wanted))
}

function meets(event: NostrEvent, name: string, wanted: unknown): boolean {
  if (name === 'limit' || wanted === undefined) return true
  if (name === 'since') return event.created_at >= Number(wanted)
  if (name === 'until') return event.created_at <= Number(wanted)
  const values: readonly unknown[] = Array.isArray(wanted) ? wanted : []
  if (name === 'ids') return values.includes(event.id)
  if (name === 'authors') return values.includes(event.pubkey)
  if (name === 'kinds') return values.includes(event.kind)
  if (name.startsWith('#')) return event.tags.some((tag) => tag[0] === name.slice(1) && values.includes(tag[1]))
  throw new Error(`a filter has no ${name}`)
}
