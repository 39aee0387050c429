import type { BrokenLines } from '../relay/endpoint.ts'

const MAX_EXAMPLES = 20

/** Counts broken lines and keeps the first few as examples. */
export class BrokenLineTally {
  #count = 0
  readonly #examples: { readonly line: number; readonly reason: string }[] = []
  #advice: string | undefined

  /** Calls `advise` only for the first lines, until it returns something. */
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
