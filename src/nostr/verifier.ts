import { SyncError } from '../errors.ts'
import type { NostrEvent } from './event.ts'
import type { Verdict } from './signature.ts'
import { SignatureThread } from './signature-thread.ts'
import { hasRightId, hasSignatureShape, packSigned, SIGNED_BYTES } from './signed.ts'

/** Checks ids and signatures. The caller limits how many events are in flight: batches of 500 or fewer. */
export type Verifier = {
  /** Returns one verdict per event, in order. Rejects with SyncError when a thread died or the verifier is closed. */
  verify(events: readonly NostrEvent[]): Promise<readonly Verdict[]>
  /** Ends the threads and rejects checks in progress. Idempotent. */
  close(): Promise<void>
}

export type VerifierOptions = {
  /** Number of threads, once there is enough for them; 0 verifies on the calling thread. */
  readonly workers: number
  /** The compiled worker. @default verify-worker.js beside this module, which exists only in `dist` */
  readonly workerUrl?: URL
}

type SignatureCheck = (packed: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>

const MIN_EVENTS_PER_SHARE = 16
/** Two threads cost as much as some hundred signatures before their first answer; most runs meet fewer. */
const SIGNATURES_WITHOUT_THREADS = 100

/**
 * Returns a verifier that checks the first hundred signatures on the calling thread. Its threads start with the batch
 * that goes beyond them, and live until it is closed.
 *
 * Ids are hashed on the calling thread, so threads receive only 128 bytes per event. Hashing costs no more than copying
 * an event to a thread would, and no thread ever holds an event, however large.
 */
export function createVerifier({ workers, workerUrl }: VerifierOptions): Verifier {
  const url = workerUrl ?? new URL('./verify-worker.js', import.meta.url)
  const pool = new SignaturePool(workers, url)
  const check: SignatureCheck = workers === 0 ? checkHere : (packed) => pool.check(packed)
  return { verify: (events) => verifyWith(check, events), close: () => pool.close() }
}

/** Returns the events, at most 500, whose id and signature are right. */
export async function keepValid(events: readonly NostrEvent[], verifier: Verifier): Promise<NostrEvent[]> {
  const verdicts = await verifier.verify(events)
  return events.filter((_, index) => verdicts[index] === 'valid')
}

async function verifyWith(check: SignatureCheck, events: readonly NostrEvent[]): Promise<readonly Verdict[]> {
  const withRightId = new Set(events.filter(hasRightId))
  const signed = [...withRightId].filter(hasSignatureShape)
  const answers = signed.length === 0 ? [] : await check(packSigned(signed))
  const valid = new Set(signed.filter((_, i) => answers[i] === 1))
  return events.map((event) => {
    if (valid.has(event)) return 'valid'
    return withRightId.has(event) ? 'wrong signature' : 'wrong id'
  })
}

async function checkHere(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { verifySigned } = await import('./signature.ts')
  return verifySigned(packed)
}

/** The threads, and what comes before them. Batches are split evenly, because every signature costs the same. */
class SignaturePool {
  readonly #size: number
  readonly #url: URL
  #checked = 0
  #threads: readonly SignatureThread[] | undefined
  #isClosed = false

  constructor(size: number, url: URL) {
    this.#size = size
    this.#url = url
  }

  async check(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#isClosed) throw new SyncError('verify signatures: the verifier was closed')
    this.#checked += packed.length / SIGNED_BYTES
    if (this.#checked <= SIGNATURES_WITHOUT_THREADS) return checkHere(packed)
    const shares = await Promise.all(this.#split(packed).map((share) => this.#leastLoaded().check(share)))
    return Buffer.concat(shares)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all((this.#threads ?? []).map((thread) => thread.close()))
  }

  #split(packed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const events = packed.length / SIGNED_BYTES
    const size = Math.max(Math.ceil(events / this.#size), MIN_EVENTS_PER_SHARE) * SIGNED_BYTES
    return Array.from({ length: Math.ceil(packed.length / size) }, (_, i) => packed.slice(i * size, (i + 1) * size))
  }

  #leastLoaded(): SignatureThread {
    this.#threads ??= Array.from({ length: this.#size }, () => new SignatureThread(this.#url))
    const failed = this.#threads.find((thread) => thread.failure !== undefined)
    if (failed?.failure !== undefined) throw failed.failure
    return this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best))
  }
}
