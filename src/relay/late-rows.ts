import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'

const REMEMBERED = 256
const KEPT = 500

/**
 * Events that match a REQ and came after its end: they are new to the relay, or its EOSE came too early. Remembers the
 * last 256 filters and keeps the first 500 events (rule 9).
 */
export class LateRows {
  readonly #filters = new Map<string, Filter>()
  readonly #events = new Map<string, NostrEvent>()

  /** Notes the filter of a REQ. */
  expect(subscription: string, filter: Filter): void {
    this.#filters.set(subscription, filter)
    const [oldest] = this.#filters.keys()
    if (oldest !== undefined && this.#filters.size > REMEMBERED) this.#filters.delete(oldest)
  }

  /** Takes a row that came for a subscription which nobody listens to any more. */
  add(subscription: string, row: unknown): void {
    const filter = this.#filters.get(subscription)
    const event = parseEvent(row)
    if (filter === undefined || event === undefined || this.#events.size >= KEPT) return
    if (isSpecific(filter) && createMatcher(filter)(event)) this.#events.set(event.id, event)
  }

  /** Each event once, in the order in which they came. */
  list(): NostrEvent[] {
    return [...this.#events.values()]
  }
}

/** A question for anything at all, such as the one for the size of pages, is no reading: every event matches it. */
function isSpecific({ limit: _limit, since: _since, until: _until, ...rest }: Filter): boolean {
  return Object.keys(rest).length > 0
}
