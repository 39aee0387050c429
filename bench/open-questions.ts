const BEGINS = new Set(['REQ', 'NEG-OPEN'])
const ENDS = new Set(['EOSE', 'CLOSED', 'NEG-ERR', 'NEG-CLOSE', 'CLOSE'])

/** Counts the REQs and NEG-OPENs of a relay's clients, and how many of them were open at once. */
export class OpenQuestions {
  readonly #open = new Map<object, Set<unknown>>()
  #questions = 0
  #most = 0

  /** Notes a frame that the client sent or received; others than questions and their ends do not matter. */
  hear(client: object, frame: readonly unknown[] | undefined): void {
    const [label, subscription] = frame ?? []
    const open = this.#open.get(client) ?? new Set()
    this.#open.set(client, open)
    if (ENDS.has(label as string)) open.delete(subscription)
    if (!BEGINS.has(label as string)) return
    open.add(subscription)
    this.#questions += 1
    this.#most = Math.max(this.#most, this.#inFlight())
  }

  /** The client is gone. */
  drop(client: object): void {
    this.#open.delete(client)
  }

  /** What was counted since the last call. */
  take(): { readonly questions: number; readonly mostInFlight: number } {
    const counts = { questions: this.#questions, mostInFlight: this.#most }
    this.#questions = 0
    this.#most = this.#inFlight()
    return counts
  }

  #inFlight(): number {
    return [...this.#open.values()].reduce((sum, { size }) => sum + size, 0)
  }
}
