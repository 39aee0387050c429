const KEPT = 500

/**
 * What follows the ends of one reading, of all its pages and sessions: an EOSE that is followed by a CLOSED, or by rows
 * that the reading does not bring in another way, drains nothing (rule 1). Of late rows only the ids are kept, and of
 * these 500: whoever reads again gets the rows (rules 8 and 9).
 */
export class Aftermath {
  readonly #late = new Set<string>()
  #lateBeside = 0
  #closed: string | undefined
  #lost: string | undefined
  #open = 0

  /** Whether an end may still be taken back. */
  get isOpen(): boolean {
    return this.#open > 0
  }

  /** What took an end back, as the report says it; `undefined` while nothing did. */
  get contradiction(): string | undefined {
    if (this.#closed !== undefined)
      return `CLOSED after EOSE: ${this.#closed === '' ? 'without a reason' : this.#closed}`
    const late = this.#late.size + this.#lateBeside
    if (late > 0) return `${late} row${late === 1 ? '' : 's'} came after its EOSE`
    return this.#lost === undefined ? undefined : `${this.#lost} right after its EOSE`
  }

  /** An end came that may be taken back. */
  open(): void {
    this.#open += 1
  }

  /** Nothing took that end back in time, or something did. */
  settle(): void {
    this.#open -= 1
  }

  /** CLOSED, or NEG-ERR, after the end. */
  noteClosed(reason: string): void {
    this.#closed ??= reason
  }

  /** The relay went away, or silent, before the end stood. */
  noteLost(reason: string): void {
    this.#lost ??= reason
  }

  /** An event that matches came after the EOSE. */
  noteLate(id: string): void {
    if (this.#late.size < KEPT) this.#late.add(id)
    else this.#lateBeside += 1
  }

  /** A later page brought this event in its place. */
  noteBrought(id: string): void {
    this.#late.delete(id)
  }
}
