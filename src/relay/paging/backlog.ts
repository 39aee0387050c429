/** Of one source: as much as a few pages of ordinary events for each of the requests that are open at first. */
const MOST_BYTES = 4 * 1024 * 1024

/** The pages of a source that have come and are not taken in yet. */
export class Backlog {
  #bytes = 0

  /** Whether no further page should be asked for before its turn. */
  get isFull(): boolean {
    return this.#bytes > MOST_BYTES
  }

  /** Counts a page of so many bytes until the returned function is called. */
  enter(bytes: number): () => void {
    this.#bytes += bytes
    return () => {
      this.#bytes -= bytes
    }
  }
}
