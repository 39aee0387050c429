import type { NostrEvent } from '../../nostr/event.ts'
import type { Backlog } from './backlog.ts'

type Sink = (events: readonly NostrEvent[]) => Promise<void>

/**
 * Hands pages to a sink in order while the next page is on its way: one is taken in, and at most one waits. While the
 * backlog is full, none is on its way.
 */
export class Intake {
  readonly #sink: Sink
  readonly #backlog: Backlog
  #last: Promise<void> = Promise.resolve()

  constructor(sink: Sink, backlog: Backlog) {
    this.#sink = sink
    this.#backlog = backlog
  }

  /**
   * Resolves when the page before was taken in, or this one if the backlog is full. Rejects with the error of the page
   * before.
   */
  readonly take = async (events: readonly NostrEvent[], bytes: number): Promise<void> => {
    const leave = this.#backlog.enter(bytes)
    await this.#last.catch((error: unknown) => {
      leave()
      throw error
    })
    this.#last = this.#sink(events).finally(leave)
    // Whoever comes next gets the error.
    this.#last.catch(() => undefined)
    if (this.#backlog.isFull) await this.#last
  }

  /** Resolves when every page was taken in. Rejects with the error of the last. */
  end(): Promise<void> {
    return this.#last
  }
}
