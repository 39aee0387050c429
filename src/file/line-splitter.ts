const NEWLINE = 0x0a

/** Receives one line without its line end, or `undefined` for a line that is too long. Numbers start at 1. */
type OnLine = (bytes: Buffer | undefined, lineNumber: number) => void

/** Splits a stream of bytes into lines and never holds more than `maxBytes` of one. */
export class LineSplitter {
  readonly #maxBytes: number
  readonly #onLine: OnLine
  #parts: Buffer[] = []
  #length = 0
  #count = 0
  #endsInNewline = true

  constructor(maxBytes: number, onLine: OnLine) {
    this.#maxBytes = maxBytes
    this.#onLine = onLine
  }

  /** The number of lines so far. */
  get count(): number {
    return this.#count
  }

  /** Whether the bytes so far end with a line end; true before the first byte. */
  get endsInNewline(): boolean {
    return this.#endsInNewline
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#emit()
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    if (chunk.length > 0) this.#endsInNewline = chunk.at(-1) === NEWLINE
  }

  /** Emits a last line without a line end. */
  end(): void {
    if (this.#length > 0) this.#emit()
  }

  #keep(part: Buffer): void {
    this.#length += part.length
    if (this.#length > this.#maxBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #emit(): void {
    const line = this.#length > this.#maxBytes ? undefined : joined(this.#parts)
    this.#parts = []
    this.#length = 0
    this.#count += 1
    this.#onLine(line, this.#count)
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
}
