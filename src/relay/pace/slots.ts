/** A bounded number of places; who finds none waits in the order of asking. */
export class Slots {
  #limit: number
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken
  }

  /** How many places there are. */
  get limit(): number {
    return this.#limit
  }

  /** Allows at most `limit` places from now on, never fewer than one; those already taken stay. */
  resize(limit: number): void {
    this.#limit = Math.max(1, limit)
    this.#admit()
  }

  /** Resolves when a place is taken; each needs one `release`. */
  acquire(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#admit()
    })
  }

  /** Gives a place back. */
  release(): void {
    this.#taken -= 1
    this.#admit()
  }

  #admit(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#taken += 1
      next()
    }
  }
}
