/** The bytes of one page while it is read. */
export type PageShare = {
  /** Notes the size of the page so far. Returns whether the pages of the relay take too much together. */
  grow(bytes: number): boolean
  /** When the page began, in milliseconds of the clock; when it ended, if it is empty. */
  end(): number
}

/** All pages of a relay that are being read, together. */
const MAX_BYTES = 32 * 1024 * 1024
/** A page this small is never cut short, so that every one brings something. */
const SMALL_BYTES = 512 * 1024

/** Bounds the memory of all pages of a relay that are being read: when it is full, large pages are cut. */
export class PageMemory {
  readonly #nowMs: () => number
  #bytes = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** A new page. */
  open(): PageShare {
    let own = 0
    let beganMs: number | undefined
    return {
      grow: (bytes) => {
        beganMs ??= this.#nowMs()
        this.#bytes += bytes - own
        own = bytes
        return this.#bytes > MAX_BYTES && own > SMALL_BYTES
      },
      end: () => {
        this.#bytes -= own
        own = 0
        return (beganMs ??= this.#nowMs())
      },
    }
  }
}
