import type { NostrEvent } from './event.ts'

/**
 * Of all others, in bytes: what is longer (no repository that a person named) is refused by some (@nostr-relay: 1,024
 * characters).
 */
export const USUAL_LENGTH = 512

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
  return buildMatcher(filter, (tag, name) => tag === name)
}

/**
 * The same for a relay that does not look at the names of tags (khatru above badger, for addresses): the values may
 * stand under any name. What it answers holds all that matches, and is read to its bottom like that.
 */
export function createValueMatcher(filter: Filter): Matcher {
  return buildMatcher(filter, () => true)
}

/** Whether an event has a tag whose value begins with one that the filter asks for, and goes on. */
export function createPrefixMatcher(filter: Filter): Matcher {
  const asked = tagConditions(filter).flatMap(([, values]) => values)
  const goesOn = (value: string): boolean =>
    asked.some((start) => value.length > start.length && value.startsWith(start))
  return ({ tags }) => tags.some(([, value]) => value !== undefined && goesOn(value))
}

function buildMatcher(filter: Filter, isNamed: (tag: string | undefined, name: string) => boolean): Matcher {
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
    tags.every(({ name, values }) => event.tags.some(([n, v]) => isNamed(n, name) && v !== undefined && values.has(v)))
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
