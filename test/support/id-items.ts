import { createHash } from 'node:crypto'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { IdCollector, type IdSet } from '../../src/relay/negentropy/id-set.ts'

/** An event as negentropy knows it. */
export type IdItem = { readonly createdAt: number; readonly id: string }

/** The id that stands for a label: the same every time. */
export function idOf(label: string | number): string {
  return createHash('sha256').update(String(label)).digest('hex')
}

/** `count` items, `perSecond` of them in each second. */
export function makeItems(count: number, { first = 0, startAt = 1_700_000_000, perSecond = 1 } = {}): IdItem[] {
  return Array.from({ length: count }, (_, index) => ({
    createdAt: startAt + Math.floor(index / perSecond),
    id: idOf(first + index),
  }))
}

/** The items as a set that can be compared. */
export function toIdSet(items: Iterable<IdItem>): IdSet {
  const collector = new IdCollector()
  for (const { createdAt, id } of items) collector.add(createdAt, id)
  return collector.seal()
}

/** An event of kind 1621 with this id and time; the id and the signature are wrong. */
export function toEvent({ createdAt, id }: IdItem): NostrEvent {
  return { id, pubkey: 'a'.repeat(64), created_at: createdAt, kind: 1621, tags: [], content: '', sig: 'b'.repeat(128) }
}

/** The ids of `a` that are not in `b`, sorted. */
export function idsWithout(a: readonly IdItem[], b: readonly IdItem[]): string[] {
  const known = new Set(b.map(({ id }) => id))
  return a.flatMap(({ id }) => (known.has(id) ? [] : [id])).sort()
}
