import type { Slots } from '../pace/slots.ts'

/**
 * A place among the sessions of one relay. A comparison keeps it from its first session to its end, so it never waits
 * for another.
 */
export class SessionPlace {
  #slots: Slots | undefined

  /** Whether it is held. */
  get isHeld(): boolean {
    return this.#slots !== undefined
  }

  /** Waits for a free place, unless this one is already held. */
  async take(slots: Slots): Promise<void> {
    if (this.#slots !== undefined) return
    await slots.acquire()
    this.#slots = slots
  }

  /** Releases the place; idempotent. */
  release(): void {
    this.#slots?.release()
    this.#slots = undefined
  }
}
