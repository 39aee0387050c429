const KEPT = 500

/**
 * Collects what follows the ends of one reading, across all its pages and sessions. An EOSE drains nothing (rule 1) if
 * a CLOSED follows it, or rows that the reading does not get in another way. Keeps only the ids of late rows, at most
 * 500: a repeated reading gets the rows themselves (rules 8 and 9).
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

  /** Describes what took an end back, for the report; `undefined` if nothing did. */
  get contradiction(): string | undefined {
    if (this.#closed !== undefined)
      return `CLOSED after EOSE: ${this.#closed === '' ? 'without a reason' : this.#closed}`
    const late = this.#late.size + this.#lateBeside
    if (late > 0) return `${late} row${late === 1 ? '' : 's'} came after its EOSE`
    return this.#lost === undefined ? undefined : `${this.#lost} right after its EOSE`
  }

  /** Notes an end that may still be taken back. */
  open(): void {
    this.#open += 1
  }

  /** Notes that an end is decided: it stood, or something took it back. */
  settle(): void {
    this.#open -= 1
  }

  /** Notes a CLOSED or NEG-ERR after the end. */
  noteClosed(reason: string): void {
    this.#closed ??= reason
  }

  /** Notes that the connection dropped or went silent before the end stood. */
  noteLost(reason: string): void {
    this.#lost ??= reason
  }

  /** Notes a matching event that came after the EOSE. */
  noteLate(id: string): void {
    if (this.#late.size < KEPT) this.#late.add(id)
    else this.#lateBeside += 1
  }

  /** Notes that a later page brought this event after all. */
  noteBrought(id: string): void {
    this.#late.delete(id)
  }
}
