import { setImmediate } from 'node:timers/promises'
import type { LineSink } from './line-sink.ts'

const MAX_BATCH_BYTES = 1024 * 1024

type WaitingLine = {
  readonly bytes: Buffer
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Writes lines in order, one write at a time; lines of the same turn share a write. */
export class LineWriter {
  readonly #sink: LineSink
  #waiting: WaitingLine[] = []
  #running: Promise<void> | undefined

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  /** Resolves when the line is written; rejects with the sink's reason when it is not. `line` has no line end. */
  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: Buffer.from(`${line}\n`), resolve, reject })
      this.#running ??= this.#writeWaiting()
    })
  }

  /** Writes all waiting lines and flushes the sink. */
  async flush(): Promise<void> {
    await this.#running
    await this.#sink.flush()
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#sink.close()
    }
  }

  async #writeWaiting(): Promise<void> {
    // Lines published in the same turn should share a write, and a gzip member.
    await setImmediate()
    while (this.#waiting.length > 0) await this.#writeBatch(this.#takeBatch())
    this.#running = undefined
  }

  async #writeBatch(batch: readonly WaitingLine[]): Promise<void> {
    try {
      await this.#sink.write(Buffer.concat(batch.map((line) => line.bytes)))
      for (const line of batch) line.resolve()
    } catch (error) {
      for (const line of batch) line.reject(error)
    }
  }

  /** At most 1 MiB, but at least one line. */
  #takeBatch(): WaitingLine[] {
    let bytes = 0
    const end = this.#waiting.findIndex((line, index) => {
      bytes += line.bytes.length
      return index > 0 && bytes > MAX_BATCH_BYTES
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }
}
