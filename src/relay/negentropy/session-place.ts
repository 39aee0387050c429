import type { Slots } from '../pace/slots.ts'

/**
 * A place among the sessions of one relay, kept from the first of them to the end of a comparison: who has one never
 * waits for another.
 */
export class SessionPlace {
  #slots: Slots | undefined

  /** Whether it is held. */
  get isHeld(): boolean {
    return this.#slots !== undefined
  }

  /** Waits until there is room, unless this place is held already. */
  async take(slots: Slots): Promise<void> {
    if (this.#slots !== undefined) return
    await slots.acquire()
    this.#slots = slots
  }

  /** Gives the place back; idempotent. */
  release(): void {
    this.#slots?.release()
    this.#slots = undefined
  }
}
