import type { Filter } from '../nostr/filter.ts'
import { IdCollector, type IdSet } from '../relay/negentropy/id-set.ts'
import type { ServedEvents } from './served-events.ts'

/** A set that is kept until it is released. */
export type OpenSet = { readonly ids: IdSet; release(): void }

type Entry = { readonly ids: IdSet; users: number }

/** 44 bytes each. */
const MAX_IDS = 3_000_000

/** The sets of ids that clients compare (NIP-77), one for each filter, bounded in all. */
export class IdSets {
  readonly #events: Pick<ServedEvents, 'count' | 'stamps'>
  readonly #maxIds: number
  /** In the order of their last use; those without a user are kept while there is room. */
  readonly #entries = new Map<string, Entry>()

  constructor(events: Pick<ServedEvents, 'count' | 'stamps'>, maxIds = MAX_IDS) {
    this.#events = events
    this.#maxIds = maxIds
  }

  /** The events that match; `undefined` while there is no room for so many. */
  open(filter: Filter): OpenSet | undefined {
    const key = JSON.stringify(filter)
    const entry = this.#entries.get(key) ?? this.#load(filter)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    return { ids: entry.ids, release: () => (entry.users -= 1) }
  }

  #load(filter: Filter): Entry | undefined {
    const { limit = Infinity } = filter
    if (!this.#makeRoom(Math.min(limit, this.#events.count([filter])))) return undefined
    const collector = new IdCollector()
    for (const { createdAt, id } of this.#events.stamps(filter)) collector.add(createdAt, id)
    return { ids: collector.seal(), users: 0 }
  }

  #makeRoom(ids: number): boolean {
    for (const [key, { users }] of this.#entries) {
      if (this.#held() + ids <= this.#maxIds) break
      if (users === 0) this.#entries.delete(key)
    }
    return this.#held() + ids <= this.#maxIds
  }

  /** An empty set takes room too. */
  #held(): number {
    return [...this.#entries.values()].reduce((sum, { ids }) => sum + ids.size + 1_000, 0)
  }
}
