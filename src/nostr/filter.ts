import type { NostrEvent } from './event.ts'

/** A filter as NIP-01 sends it. `since` and `until` are inclusive Unix seconds. */
export type Filter = {
  readonly ids?: readonly string[]
  readonly authors?: readonly string[]
  readonly kinds?: readonly number[]
  readonly since?: number
  readonly until?: number
  readonly limit?: number
  readonly [tag: `#${string}`]: readonly string[] | undefined
}

/** Whether an event matches. */
export type Matcher = (event: NostrEvent) => boolean

/** A function that says whether an event matches the filter (NIP-01), with set look-ups; `limit` plays no part. */
export function createMatcher(filter: Filter): Matcher {
  const ids = toSet(filter.ids)
  const authors = toSet(filter.authors)
  const kinds = toSet(filter.kinds)
  const tags = tagConditions(filter).map(([name, values]) => ({ name, values: new Set(values) }))
  const { since = 0, until = Infinity } = filter
  return (event) =>
    event.created_at >= since &&
    event.created_at <= until &&
    (ids === undefined || ids.has(event.id)) &&
    (authors === undefined || authors.has(event.pubkey)) &&
    (kinds === undefined || kinds.has(event.kind)) &&
    tags.every(({ name, values }) => event.tags.some(([n, v]) => n === name && v !== undefined && values.has(v)))
}

/** The tag conditions of a filter, names without `#`. */
export function tagConditions(filter: Filter): (readonly [name: string, values: readonly string[]])[] {
  return Object.entries(filter).flatMap(([key, values]) =>
    key.startsWith('#') && Array.isArray(values) ? [[key.slice(1), values as readonly string[]] as const] : [],
  )
}

function toSet<T>(values: readonly T[] | undefined): Set<T> | undefined {
  return values === undefined ? undefined : new Set(values)
}
