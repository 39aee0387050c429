import { Worker } from 'node:worker_threads'
import { reasonOf, SyncError } from '../errors.ts'

type Batch = {
  readonly bytes: number
  readonly resolve: (answers: Uint8Array) => void
  readonly reject: (failure: SyncError) => void
}

// What a thread needs is the wasm module and one batch of bytes; the default would let its heap grow to gigabytes.
const MEMORY_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 }

/** One worker thread that checks signatures. It answers batches in order; once it failed it stays failed. */
export class SignatureThread {
  readonly #worker: Worker
  readonly #batches: Batch[] = []
  #failure: SyncError | undefined

  constructor(url: URL) {
    // Flags of the caller's `node` (`--input-type`, `--inspect-brk`) are not meant for threads and may stop them.
    this.#worker = new Worker(url, { resourceLimits: MEMORY_LIMITS, execArgv: [] })
    this.#worker.on('message', (answers: Uint8Array) => this.#batches.shift()?.resolve(answers))
    this.#worker.on('error', (cause) => this.#fail(`a worker thread failed: ${reasonOf(cause)}`, cause))
    this.#worker.on('exit', (code) => this.#fail(`a worker thread ended with code ${code}`))
  }

  /** The bytes it has not answered yet. */
  get load(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Why it can check nothing any more; `undefined` while it can. */
  get failure(): SyncError | undefined {
    return this.#failure
  }

  /**
   * The answers of `verifySigned` for a row of `packSigned`, which is taken over. Rejects with SyncError when the
   * thread dies.
   */
  check(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#batches.push({ bytes: packed.length, resolve, reject })
      this.#worker.postMessage(packed, [packed.buffer])
    })
  }

  /** Ends the thread; batches that it had not answered are rejected. */
  async close(): Promise<void> {
    this.#fail('the verifier was closed')
    await this.#worker.terminate()
  }

  #fail(why: string, cause?: unknown): void {
    this.#failure ??= new SyncError(`verify signatures: ${why}`, { cause })
    for (const batch of this.#batches.splice(0)) batch.reject(this.#failure)
  }
}
