/** `burst` messages at once, then `gain` more for each whole interval without any message. */
export type SilenceRate = { readonly burst: number; readonly gain: number; readonly intervalMs: number }

/**
 * The bucket of a relay that counts whole seconds since the last message and forgets the fraction (ngit-grasp): sending
 * twice a second never earns anything. Times are milliseconds of one clock.
 */
export class SilenceBucket {
  #tokens = Infinity
  #lastMs: number

  constructor(nowMs: number) {
    this.#lastMs = nowMs
  }

  /** When something was last taken. */
  get lastMs(): number {
    return this.#lastMs
  }

  /** The remaining tokens, without those earned by the current silence. */
  get left(): number {
    return this.#tokens
  }

  /** How long to stay silent until `wanted` messages may be sent; 0 if they may go now. */
  waitMs(rate: SilenceRate, nowMs: number, wanted = 1): number {
    const lacking = wanted - this.#available(rate, nowMs)
    if (lacking <= 0) return 0
    const { intervalMs, gain } = rate
    const elapsed = Math.floor((nowMs - this.#lastMs) / intervalMs)
    return this.#lastMs + (elapsed + Math.ceil(lacking / gain)) * intervalMs - nowMs
  }

  /** Counts a message as sent, allowed or not. */
  take(rate: SilenceRate, nowMs: number): void {
    this.#tokens = Math.max(0, this.#available(rate, nowMs) - 1)
    this.#lastMs = nowMs
  }

  /** The relay may have processed the last message as late as this time, so the silence starts now. */
  touch(nowMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, nowMs)
  }

  /** Sets the number of tokens left. */
  fill(tokens: number, nowMs: number): void {
    this.#tokens = Math.max(0, tokens)
    this.#lastMs = nowMs
  }

  /** Empties the bucket; the silence begins now. */
  empty(nowMs: number): void {
    this.fill(0, nowMs)
  }

  #available({ burst, gain, intervalMs }: SilenceRate, nowMs: number): number {
    const gained = Math.floor((nowMs - this.#lastMs) / intervalMs) * gain
    return Math.min(burst, this.#tokens + gained)
  }
}
