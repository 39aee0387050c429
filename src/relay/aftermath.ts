/** What a relay said about one reading after its ends: an EOSE that is followed by a CLOSED, or by rows, drains nothing (rule 1). */
export type Contradiction = {
  /** How the report names it. */
  readonly reason: string
  /** The relay's own words in a CLOSED. */
  readonly closed: string | undefined
  /** The ids of the rows that came too late. */
  readonly late: readonly string[]
  /** More of them than are kept, so nobody can tell whether they came in another way. */
  readonly isOverfull: boolean
}

const KEPT = 500

/**
 * What follows the ends of one reading, of all its pages and sessions. Of late rows only the ids are kept, and of these
 * 500: whoever reads again gets the rows (rules 8 and 9).
 */
export class Aftermath {
  readonly #late = new Set<string>()
  #lateRows = 0
  #closed: string | undefined
  #lost: string | undefined
  #open = 0

  /** Whether an end may still be taken back. */
  get isOpen(): boolean {
    return this.#open > 0
  }

  /** What took an end back; `undefined` while nothing did. */
  get contradiction(): Contradiction | undefined {
    if (this.#closed === undefined && this.#lost === undefined && this.#lateRows === 0) return undefined
    const isOverfull = this.#lateRows > KEPT || this.#closed !== undefined || this.#lost !== undefined
    return { reason: this.#describe(), closed: this.#closed, late: [...this.#late], isOverfull }
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
  noteRow(id: string): void {
    this.#lateRows += 1
    if (this.#late.size < KEPT) this.#late.add(id)
  }

  #describe(): string {
    if (this.#closed !== undefined)
      return `CLOSED after EOSE: ${this.#closed === '' ? 'without a reason' : this.#closed}`
    if (this.#lateRows > 0) return `${this.#lateRows} row${this.#lateRows === 1 ? '' : 's'} came after its EOSE`
    return `${this.#lost ?? ''} right after its EOSE`
  }
}
