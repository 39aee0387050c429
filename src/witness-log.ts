import { expirationOf, type NostrEvent } from './nostr/event.ts'
import type { WitnessStore } from './store/witnesses.ts'
import type { UnixSeconds } from './time.ts'

const KEPT = 500

/** The newest regular events that each endpoint has shown to hold in this run; at most 500 each are kept. */
export class WitnessLog {
  readonly #byUrl = new Map<string, NostrEvent[]>()

  /** Notes that the endpoint behind `url` served these. */
  add(url: string, events: readonly NostrEvent[]): void {
    const kept = (this.#byUrl.get(url) ?? []).concat(events)
    this.#byUrl.set(url, kept.length > 2 * KEPT ? newest(kept) : kept)
  }

  /** Writes them down; what was shown last is what the next run asks for first. */
  save(store: WitnessStore, provedAt: UnixSeconds): void {
    for (const [url, events] of this.#byUrl) store.add(url, newest(events), provedAt, expirationOf)
  }
}

function newest(events: readonly NostrEvent[]): NostrEvent[] {
  return [...events].sort((a, b) => b.created_at - a.created_at).slice(0, KEPT)
}
