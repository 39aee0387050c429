/** So many at once, then `gain` more for each whole interval in which nothing was sent at all. */
export type SilenceRate = { readonly burst: number; readonly gain: number; readonly intervalMs: number }

/**
 * The bucket of a relay that counts whole seconds since the last message, and forgets the fraction (ngit-grasp): who
 * sends twice in a second gains nothing, for ever. Times are milliseconds of one clock.
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

  /** What is left, whatever the silence since has earned. */
  get left(): number {
    return this.#tokens
  }

  /** How long to be silent from now on until this many may be sent: 0 when they may be at once. */
  waitMs(rate: SilenceRate, nowMs: number, wanted = 1): number {
    const lacking = wanted - this.#available(rate, nowMs)
    if (lacking <= 0) return 0
    const { intervalMs, gain } = rate
    const elapsed = Math.floor((nowMs - this.#lastMs) / intervalMs)
    return this.#lastMs + (elapsed + Math.ceil(lacking / gain)) * intervalMs - nowMs
  }

  /** Something is sent, whether it may be or not. */
  take(rate: SilenceRate, nowMs: number): void {
    this.#tokens = Math.max(0, this.#available(rate, nowMs) - 1)
    this.#lastMs = nowMs
  }

  /** The relay came to what was taken last only now, or not before: the silence begins at this time. */
  touch(nowMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, nowMs)
  }

  /** So many are left. */
  fill(tokens: number, nowMs: number): void {
    this.#tokens = Math.max(0, tokens)
    this.#lastMs = nowMs
  }

  /** Nothing is left, and the silence begins now. */
  empty(nowMs: number): void {
    this.fill(0, nowMs)
  }

  #available({ burst, gain, intervalMs }: SilenceRate, nowMs: number): number {
    const gained = Math.floor((nowMs - this.#lastMs) / intervalMs) * gain
    return Math.min(burst, this.#tokens + gained)
  }
}
