const MAX_EXAMPLES = 20

/** A line that could not be used; numbers start at 1. */
type BrokenLine = { readonly line: number; readonly reason: string }

/** All lines that could not be used: how many, and the first 20. */
export type BrokenLines = { readonly count: number; readonly examples: readonly BrokenLine[] }

/** Counts broken lines, and keeps the first few to show. */
export class BrokenLineTally {
  #count = 0
  readonly #examples: BrokenLine[] = []

  add(line: number, reason: string): void {
    this.#count += 1
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ line, reason })
  }

  summary(): BrokenLines {
    return { count: this.#count, examples: [...this.#examples] }
  }
}
