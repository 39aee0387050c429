/** A bounded number of places, granted in the order of asking. */
export class Slots {
  #limit: number
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The number of places taken. */
  get taken(): number {
    return this.#taken
  }

  /** The number of places. */
  get limit(): number {
    return this.#limit
  }

  /** Changes the number of places, at least one. Places already taken stay taken. */
  resize(limit: number): void {
    this.#limit = Math.max(1, limit)
    this.#admit()
  }

  /** Resolves when a place is granted; each needs one `release`. */
  acquire(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#admit()
    })
  }

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
