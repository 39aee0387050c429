import type { NostrEvent } from '../../nostr/event.ts'

type Sink = (events: readonly NostrEvent[]) => Promise<void>

/** Hands pages to a sink in order while the next page is on its way: one is taken in, and at most one waits. */
export class Intake {
  readonly #sink: Sink
  #last: Promise<void> = Promise.resolve()

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Resolves when the page before was taken in. Rejects with its error. */
  readonly take: Sink = async (events) => {
    await this.#last
    this.#last = this.#sink(events)
    // Whoever comes next gets the error.
    this.#last.catch(() => undefined)
  }

  /** Resolves when every page was taken in. Rejects with the error of the last. */
  end(): Promise<void> {
    return this.#last
  }
}
