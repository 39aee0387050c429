import type { Filter } from '../nostr/filter.ts'
import type { OrderedIds } from '../relay/negentropy/local-responder.ts'
import type { ServedEvents } from './served-events.ts'
import type { StoredIds } from './stored-ids.ts'

/** A set that is kept until it is released. */
export type OpenSet = { readonly ids: OrderedIds; release(): void }

type Entry = { readonly ids: StoredIds; users: number }

/** About 50 bytes each, on disk. */
const MAX_IDS = 3_000_000

/** The sets of ids that clients compare (NIP-77), one for each filter, bounded in all. */
export class IdSets {
  readonly #events: Pick<ServedEvents, 'count' | 'storeIds'>
  readonly #maxIds: number
  /** In the order of their last use; those without a user are kept while there is room. */
  readonly #entries = new Map<string, Entry>()

  constructor(events: Pick<ServedEvents, 'count' | 'storeIds'>, maxIds = MAX_IDS) {
    this.#events = events
    this.#maxIds = maxIds
  }

  /** The events that match; `undefined` while there is no room for so many. */
  open(filter: Filter): OpenSet | undefined {
    const key = JSON.stringify(filter)
    const entry = this.#entries.get(key) ?? this.#store(filter)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    return { ids: entry.ids, release: () => (entry.users -= 1) }
  }

  #store(filter: Filter): Entry | undefined {
    const { limit = Infinity } = filter
    if (!this.#makeRoom(Math.min(limit, this.#events.count([filter])))) return undefined
    return { ids: this.#events.storeIds(filter), users: 0 }
  }

  #makeRoom(ids: number): boolean {
    for (const [key, entry] of this.#entries) {
      if (this.#held() + ids <= this.#maxIds) break
      if (entry.users > 0) continue
      this.#entries.delete(key)
      entry.ids.drop()
    }
    return this.#held() + ids <= this.#maxIds
  }

  /** An empty set takes room too. */
  #held(): number {
    return [...this.#entries.values()].reduce((sum, { ids }) => sum + ids.size + 1_000, 0)
  }
}
