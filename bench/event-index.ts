import type { NostrEvent } from '../src/nostr/event.ts'
import { createMatcher, tagConditions, type Filter } from '../src/nostr/filter.ts'

/**
 * Events in memory with an index per id, kind, author and one-letter tag. No versions, no deletions: the history has
 * none.
 */
export class EventIndex {
  readonly #byId = new Map<string, NostrEvent>()
  readonly #lists = new Map<string, SortedList>()

  get size(): number {
    return this.#byId.size
  }

  /** Adds an event; false when it was there. */
  add(event: NostrEvent): boolean {
    if (this.#byId.has(event.id)) return false
    this.#byId.set(event.id, event)
    for (const key of keysOf(event)) this.#listOf(key).add(event)
    return true
  }

  /** What matches the filter, newest first, at most `limit`. */
  find(filter: Filter, limit: number): NostrEvent[] {
    const matches = createMatcher(filter)
    if (filter.ids !== undefined) {
      const named = filter.ids.flatMap((id) => this.#byId.get(id) ?? [])
      return named.filter(matches).sort(newestFirst).slice(0, limit)
    }
    const found = new Set<NostrEvent>()
    for (const list of this.#shortest(filter)) {
      for (const event of list.newest(filter.until, limit, matches)) found.add(event)
    }
    return [...found].sort(newestFirst).slice(0, limit)
  }

  /** The lists of one condition of the filter: of the one with the fewest events. */
  #shortest({ authors, kinds, ...filter }: Filter): SortedList[] {
    const conditions = tagConditions(filter).map(([name, values]) => values.map((value) => tagKey(name, value)))
    if (authors !== undefined) conditions.push(authors.map((author) => `author ${author}`))
    if (kinds !== undefined) conditions.push(kinds.map((kind) => `kind ${kind}`))
    if (conditions.length === 0) conditions.push(['all'])
    const candidates = conditions.map((keys) => [...new Set(keys)].flatMap((key) => this.#lists.get(key) ?? []))
    return candidates.reduce((best, lists) => (totalSize(lists) < totalSize(best) ? lists : best))
  }

  #listOf(key: string): SortedList {
    const list = this.#lists.get(key) ?? new SortedList()
    this.#lists.set(key, list)
    return list
  }
}

/** Oldest first; sorted when it is read after a change. */
class SortedList {
  readonly #events: NostrEvent[] = []
  #isSorted = true

  get size(): number {
    return this.#events.length
  }

  add(event: NostrEvent): void {
    const last = this.#events.at(-1)
    if (last !== undefined && newestFirst(last, event) < 0) this.#isSorted = false
    this.#events.push(event)
  }

  /** The newest events up to and including `until` that match, at most `limit`. */
  newest(until: number | undefined, limit: number, matches: (event: NostrEvent) => boolean): NostrEvent[] {
    if (!this.#isSorted) this.#events.sort((a, b) => newestFirst(b, a))
    this.#isSorted = true
    const found: NostrEvent[] = []
    for (let at = this.#countUntil(until) - 1; at >= 0 && found.length < limit; at -= 1) {
      const event = this.#events[at]
      if (event !== undefined && matches(event)) found.push(event)
    }
    return found
  }

  #countUntil(until = Infinity): number {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle]?.created_at ?? Infinity) <= until) low = middle + 1
      else high = middle
    }
    return low
  }
}

function* keysOf({ kind, pubkey, tags }: NostrEvent): Generator<string> {
  yield 'all'
  yield `kind ${kind}`
  yield `author ${pubkey}`
  const named = tags.flatMap(([name, value]) => (name?.length === 1 && value !== undefined ? tagKey(name, value) : []))
  yield* new Set(named)
}

function tagKey(name: string, value: string): string {
  return `#${name} ${value}`
}

function totalSize(lists: readonly SortedList[]): number {
  return lists.reduce((sum, { size }) => sum + size, 0)
}

function newestFirst(a: NostrEvent, b: NostrEvent): number {
  return b.created_at - a.created_at || (a.id < b.id ? -1 : 1)
}
