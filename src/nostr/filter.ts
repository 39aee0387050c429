import type { NostrEvent } from './event.ts'

/**
 * Tag values up to this many bytes can be used in filters at most relays. Some refuse longer ones (@nostr-relay: over
 * 1,024 characters).
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

/** Returns a function that tests whether an event matches the filter (NIP-01), with set look-ups. Ignores `limit`. */
export function createMatcher(filter: Filter): Matcher {
  return buildMatcher(filter, (tag, name) => tag === name)
}

/**
 * Like `createMatcher`, for a relay that ignores tag names (khatru on badger, for addresses): a value matches under any
 * name. Such an answer includes every real match, so paging to its bottom reads the filter to its bottom.
 */
export function createValueMatcher(filter: Filter): Matcher {
  return buildMatcher(filter, () => true)
}

/** Matches events with a tag value that starts with, and is longer than, a value in the filter. */
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

/** The tag conditions of a filter; names come without `#`. */
export function tagConditions(filter: Filter): (readonly [name: string, values: readonly string[]])[] {
  return Object.entries(filter).flatMap(([key, values]) =>
    key.startsWith('#') && Array.isArray(values) ? [[key.slice(1), values as readonly string[]] as const] : [],
  )
}

function toSet<T>(values: readonly T[] | undefined): Set<T> | undefined {
  return values === undefined ? undefined : new Set(values)
}
