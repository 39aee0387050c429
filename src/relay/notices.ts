/** A NOTICE and how often it came. */
export type Notice = { readonly text: string; readonly count: number }

const KEPT = 20

/**
 * What a relay said beside its answers: the first 20 texts, counted; of further ones only how many there were (rule 9).
 */
export class Notices {
  readonly #counts = new Map<string, number>()

  /** Notes a text. */
  add(text: string): void {
    const isKept = this.#counts.has(text) || this.#counts.size < KEPT
    const key = isKept ? text : 'further notices'
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The texts in the order in which they came first. */
  list(): Notice[] {
    return [...this.#counts].map(([text, count]) => ({ text, count }))
  }
}
