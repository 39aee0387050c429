/*
 * Compares two sets that can only answer.
 *
 * Both relays are negentropy responders (NIP-77), and a responder's answer is a valid query for another responder. So
 * the fingerprints of each side are passed to the other: equal ranges vanish, and different ranges shrink until both
 * sides have listed their ids. We hold no set and no timestamps, only the open ranges. They are kept in order, and the
 * lowest are asked first, which keeps them few. Both sides are asked at the same time.
 */
import { END, maxEncodedBytes, START } from './negentropy-message.ts'
import { ask, containProtocolError, toRange, type Part } from './negentropy-question.ts'
import type { Responder, ResponderFailure } from './responder.ts'
import { askUnknown, settleAnswer, type Found, type Pending, type SideName } from './settle-answer.ts'

export type ReconcileOptions = {
  readonly source: Responder
  readonly target: Responder
  /**
   * Takes ids that the source has and the target lacks, in pieces; the comparison waits for it. An id that a responder
   * lists twice may come twice.
   */
  readonly onMissing: (ids: readonly string[]) => Promise<void>
  /** Takes ids that only the target has. Leave it out to skip the search for them, which costs less. */
  readonly onExtra?: (ids: readonly string[]) => Promise<void>
  /**
   * Whether the source is never asked for a list: what it has beside a short list of the target may be endless. Costs
   * round trips. Not with `onExtra`. @default false
   */
  readonly isThrifty?: boolean
  /** @default 20_000 */
  readonly maxRoundTrips?: number
  /**
   * Called before each round trip with the bytes received from the source so far, and with the bytes of both sides and
   * directions, the answers that are expected now included. Returning a reason ends the comparison as `stopped`.
   */
  readonly shouldStop?: (receivedBytes: number, allBytes: number) => string | undefined
}

/** The extent of a comparison. `listed` counts ids that either side listed; all others were compared by fingerprint. */
export type Comparison = { readonly roundTrips: number; readonly listed: number; readonly missing: number }

export type Reconciled = Comparison &
  (
    | {
        readonly type: 'done'
        /** The source's first answer: its whole set, in parts. */
        readonly opening: readonly Part[]
      }
    | (ResponderFailure & { readonly side: SideName })
  )

const MAX_ROUND_TRIPS = 20_000
// An honest comparison stays far below this: at most 1,024 questions a round, each split into 16, at six depths.
const MAX_PENDING = 200_000
// Sixteen fingerprints with their bounds, in hex.
const SPLIT_BYTES = 700
const WINDOW = { first: 256, least: 16, most: 1_024 }
const SIDES: readonly SideName[] = ['source', 'target']

type Batch = { readonly side: SideName; readonly asked: readonly Pending[] }
type Failed = ResponderFailure & { readonly side: SideName }

/** Finds what the source has and the target lacks. Ids handed out before a failure are still correct. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciled> {
  return new Bridge(options).run()
}

class Bridge {
  readonly #options: ReconcileOptions
  readonly #found: Found = { missing: [], extra: [], listed: 0 }
  /** How many questions go to each side in one message: as many as it answers. */
  readonly #windows = { source: WINDOW.first, target: WINDOW.first }
  #pending: Pending[] = [askUnknown({ lower: START, upper: END }, 'source', 0)]
  #opening: readonly Part[] | undefined
  #roundTrips = 0
  #missing = 0

  constructor(options: ReconcileOptions) {
    this.#options = options
  }

  async run(): Promise<Reconciled> {
    while (this.#pending.length > 0) {
      const failed = this.#excess() ?? (await this.#askLowest())
      await this.#handOut()
      if (failed !== undefined) return { ...this.#comparison(), ...failed }
    }
    return { ...this.#comparison(), type: 'done', opening: this.#opening ?? [] }
  }

  #comparison(): Comparison {
    return { roundTrips: this.#roundTrips, listed: this.#found.listed, missing: this.#missing }
  }

  #excess(): Failed | undefined {
    const { source, target, shouldStop, maxRoundTrips = MAX_ROUND_TRIPS } = this.#options
    if (this.#roundTrips >= maxRoundTrips) return fail('endless', `no end after ${maxRoundTrips} round trips`)
    if (this.#pending.length > MAX_PENDING) return fail('endless', `more than ${MAX_PENDING} ranges that differ`)
    const sides = [source.traffic, target.traffic]
    const passed = sides.reduce((sum, { sent, received }) => sum + sent + received, 0)
    const reason = shouldStop?.(source.traffic.received, passed + this.#pending.length * SPLIT_BYTES)
    return reason === undefined ? undefined : fail('stopped', reason)
  }

  async #askLowest(): Promise<Failed | undefined> {
    const asked = this.#takeBatch()
    this.#roundTrips += 1
    const batches = SIDES.map((side) => ({ side, asked: asked.filter((pending) => pending.side === side) }))
    const results = await Promise.all(batches.map((batch) => this.#exchange(batch)))
    const next = new Map<Pending, readonly Pending[]>()
    for (const result of results) {
      if ('type' in result) return result
      for (const [pending, following] of result) next.set(pending, following)
    }
    this.#pending = asked.flatMap((pending) => next.get(pending) ?? []).concat(this.#pending)
    return undefined
  }

  /** Takes the lowest ranges that fit into one message to each side. */
  #takeBatch(): Pending[] {
    const room = {
      source: { questions: this.#windows.source, bytes: this.#options.source.maxMessageBytes },
      target: { questions: this.#windows.target, bytes: this.#options.target.maxMessageBytes },
    }
    const end = this.#pending.findIndex((pending, index) => {
      const left = room[pending.side]
      left.questions -= 1
      // Includes the skipped range that may precede it.
      left.bytes -= 2 * maxEncodedBytes(toRange(pending))
      return index > 0 && (left.questions < 0 || left.bytes < 0)
    })
    return this.#pending.splice(0, end === -1 ? this.#pending.length : end)
  }

  /** Asks one side; returns the follow-up for each question. */
  async #exchange({ side, asked }: Batch): Promise<ReadonlyMap<Pending, readonly Pending[]> | Failed> {
    if (asked.length === 0) return new Map()
    const answered = await ask(this.#options[side], asked)
    if (answered.type === 'failed') return { ...answered, side }
    if (side === 'source') this.#opening ??= answered.parts[0]
    const settled = await containProtocolError(async () => this.#settle(asked, answered.parts))
    if ('type' in settled) return { ...settled, side }
    return this.#adjustWindow(side, settled) ?? settled
  }

  #settle(asked: readonly Pending[], parts: readonly (readonly Part[])[]): Map<Pending, readonly Pending[]> {
    const { onExtra, isThrifty = false } = this.#options
    const settling = { found: this.#found, wantsExtra: onExtra !== undefined, isThrifty }
    return new Map(asked.map((pending, index) => [pending, settleAnswer(pending, parts[index] ?? [], settling)]))
  }

  #adjustWindow(side: SideName, settled: ReadonlyMap<Pending, readonly Pending[]>): Failed | undefined {
    const open = [...settled].filter(([pending, [first]]) => first === pending).length
    if (open === settled.size) return { type: 'failed', kind: 'wrong', side, reason: 'it answers nothing' }
    if (open > 0) this.#windows[side] = Math.max(WINDOW.least, settled.size - open)
    else if (settled.size === this.#windows[side]) this.#windows[side] = Math.min(WINDOW.most, 2 * settled.size)
    return undefined
  }

  async #handOut(): Promise<void> {
    const { onMissing, onExtra } = this.#options
    const missing = this.#found.missing.splice(0)
    const extra = this.#found.extra.splice(0)
    this.#missing += missing.length
    if (missing.length > 0) await onMissing(missing)
    if (extra.length > 0) await onExtra?.(extra)
  }
}

function fail(kind: 'endless' | 'stopped', reason: string): Failed {
  return { type: 'failed', kind, side: 'source', reason }
}
