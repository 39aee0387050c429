const MAX_EXAMPLES = 20

/** A line that could not be used; numbers start at 1. */
type BrokenLine = { readonly line: number; readonly reason: string }

/** All lines that could not be used: how many, and the first 20. */
export type BrokenLines = {
  readonly count: number
  readonly examples: readonly BrokenLine[]
  /** What helps, where the lines show what the file is. */
  readonly advice?: string
}

/** Counts broken lines, and keeps the first few to show. */
export class BrokenLineTally {
  #count = 0
  readonly #examples: BrokenLine[] = []
  #advice: string | undefined

  /** `advise` is asked about the first lines only, until it knows something. */
  add(line: number, reason: string, advise: () => string | undefined = () => undefined): void {
    if (this.#count < MAX_EXAMPLES) this.#advice ??= advise()
    this.#count += 1
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ line, reason })
  }

  summary(): BrokenLines {
    const advice = this.#advice === undefined ? {} : { advice: this.#advice }
    return { count: this.#count, examples: [...this.#examples], ...advice }
  }
}
