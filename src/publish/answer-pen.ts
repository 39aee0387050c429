/** How many answers may wait for the disk, and for how long (milliseconds). */
const MAX_WAITING = 64
const MAX_WAIT_MS = 250

type Transaction = (work: () => void) => void

/**
 * Writes answers to disk in groups: when 64 wait, or 250 ms after the first. After a crash only events answered since
 * then are sent again. `transaction` runs a group as a whole.
 */
export class AnswerPen {
  readonly #transaction: Transaction
  #waiting: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  /** Adds the work that writes one answer. Throws the error of an earlier group. */
  add(work: () => void): void {
    this.#rethrow()
    this.#waiting.push(work)
    if (this.#waiting.length >= MAX_WAITING) this.flush()
    else this.#timer ??= setTimeout(() => this.#flushLater(), MAX_WAIT_MS)
  }

  /** Writes the waiting answers. Throws their error, or that of an earlier group. */
  flush(): void {
    this.#rethrow()
    clearTimeout(this.#timer)
    this.#timer = undefined
    const works = this.#waiting
    this.#waiting = []
    if (works.length === 0) return
    try {
      this.#transaction(() => works.forEach((work) => work()))
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  #flushLater(): void {
    try {
      this.flush()
    } catch {
      // Nobody waits for the timer: the next caller of add or flush gets the error.
    }
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
