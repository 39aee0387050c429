import { Worker } from 'node:worker_threads'
import { reasonOf, SyncError } from '../errors.ts'

type Batch = {
  readonly bytes: number
  readonly resolve: (answers: Uint8Array) => void
  readonly reject: (failure: SyncError) => void
}

// A thread needs only the wasm module and one batch of bytes; by default its heap could grow to gigabytes.
const MEMORY_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 }

/** One worker thread that checks signatures. It answers batches in order; after a failure it rejects every batch. */
export class SignatureThread {
  readonly #worker: Worker
  readonly #batches: Batch[] = []
  #failure: SyncError | undefined

  constructor(url: URL) {
    // Flags of the caller's `node` (`--input-type`, `--inspect-brk`) are not meant for threads and may break them.
    this.#worker = new Worker(url, { resourceLimits: MEMORY_LIMITS, execArgv: [] })
    this.#worker.on('message', (answers: Uint8Array) => this.#batches.shift()?.resolve(answers))
    this.#worker.on('error', (cause) => this.#fail(`a worker thread failed: ${reasonOf(cause)}`, cause))
    this.#worker.on('exit', (code) => this.#fail(`a worker thread ended with code ${code}`))
  }

  /** Bytes not answered yet. */
  get load(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Why the thread can no longer check; `undefined` while it works. */
  get failure(): SyncError | undefined {
    return this.#failure
  }

  /**
   * Returns the answers of `verifySigned` for the output of `packSigned`, whose buffer moves to the thread. Rejects
   * with SyncError when the thread dies.
   */
  check(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#batches.push({ bytes: packed.length, resolve, reject })
      this.#worker.postMessage(packed, [packed.buffer])
    })
  }

  /** Ends the thread and rejects unanswered batches. */
  async close(): Promise<void> {
    this.#fail('the verifier was closed')
    await this.#worker.terminate()
  }

  #fail(why: string, cause?: unknown): void {
    this.#failure ??= new SyncError(`verify signatures: ${why}`, { cause })
    for (const batch of this.#batches.splice(0)) batch.reject(this.#failure)
  }
}
