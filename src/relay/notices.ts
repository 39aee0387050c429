/** A NOTICE and how often it came. */
export type Notice = { readonly text: string; readonly count: number }

const KEPT = 20

/** The NOTICEs of a relay: counts the first 20 texts each, and all further ones together (rule 9). */
export class Notices {
  readonly #counts = new Map<string, number>()

  /** Counts a text. Returns whether it is one of the first 20 and new. */
  add(text: string): boolean {
    const isKnown = this.#counts.has(text)
    const isKept = isKnown || this.#counts.size < KEPT
    const key = isKept ? text : 'further notices'
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    return isKept && !isKnown
  }

  /** The texts in order of first appearance. */
  list(): Notice[] {
    return [...this.#counts].map(([text, count]) => ({ text, count }))
  }
}
