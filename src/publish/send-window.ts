/** Used until the target has shown how fast it answers. */
const FIRST = 64
const MOST = 1_024
/** Answers may come this much later than the fastest before the window stops growing, and before it shrinks. */
const GROW_WITHIN_MS = 125
const SHRINK_AFTER_MS = 1_000

/**
 * How many events may be in flight. Grows while the target answers a whole window about as fast as its first; shrinks
 * when it does not, and for good when it complains. Times are milliseconds.
 */
export class SendWindow {
  #size = FIRST
  #most = MOST
  #fastestMs = Infinity
  #answers = 0
  #sumMs = 0

  /** At least one. */
  get size(): number {
    return this.#size
  }

  /** Notes an answer that came so long after its event was sent. */
  noteAnswer(ms: number): void {
    this.#answers += 1
    this.#sumMs += ms
    if (this.#answers < this.#size) return
    const meanMs = this.#sumMs / this.#answers
    this.#fastestMs = Math.min(this.#fastestMs, meanMs)
    const delayMs = meanMs - this.#fastestMs
    if (delayMs <= GROW_WITHIN_MS) this.#resize(this.#size * 2)
    else if (delayMs > SHRINK_AFTER_MS) this.#resize(this.#size / 2)
    this.#startRound()
  }

  /** The target wants fewer at a time, or went away. */
  noteTrouble(): void {
    this.#most = FIRST
    this.#resize(this.#size)
    this.#startRound()
  }

  #resize(size: number): void {
    this.#size = Math.max(FIRST, Math.min(this.#most, size))
  }

  #startRound(): void {
    this.#answers = 0
    this.#sumMs = 0
  }
}
