import { END, START, type Bound, type Range } from './negentropy-message.ts'
import type { Responder } from './responder.ts'

const BUCKETS = 16
/** The longest answer. */
export const MESSAGE_BYTES = 60_000
const ID_BYTES = 32
const ID_HEX_LENGTH = 64
// A fingerprint with its bound.
const FINGERPRINT_BYTES = 32

/** The (created_at, id) of events in the order of negentropy, in memory or on disk. Positions count from 0. */
export interface OrderedIds {
  readonly size: number
  /** The id at a position, in hex. */
  id(position: number): string
  /** `created_at` at a position. */
  time(position: number): number
  /** The first position at or above the bound. */
  lowerBound(bound: Bound): number
  /** The fingerprint of the positions from `from` to `to`, exclusive. */
  fingerprint(from: number, to: number): string
}

/** A window on `created_at`, both ends included. */
export type Window = { readonly since?: number | undefined; readonly until?: number | undefined }

/** A stretch of positions and the bound above it. */
type Stretch = { readonly from: number; readonly to: number; readonly upper: Bound }

/** A local set as a responder: answers like a NIP-77 relay that holds exactly these events within the window. */
export class LocalResponder implements Responder {
  readonly maxMessageBytes = MESSAGE_BYTES
  readonly traffic = { sent: 0, received: 0 }
  readonly #ids: OrderedIds
  readonly #first: number
  readonly #end: number

  constructor(ids: OrderedIds, { since = 0, until = Infinity }: Window = {}) {
    this.#ids = ids
    this.#first = ids.lowerBound({ timestamp: since, id: '' })
    this.#end = Math.max(this.#first, ids.lowerBound(until === Infinity ? END : { timestamp: until + 1, id: '' }))
  }

  async ask(ranges: readonly Range[]): Promise<{ type: 'ranges'; ranges: readonly Range[] }> {
    return { type: 'ranges', ranges: this.answer(ranges) }
  }

  close(): void {
    // Nothing is open.
  }

  /** Answers one message. Beyond 60 kB, a single fingerprint covers the rest. */
  answer(ranges: readonly Range[]): Range[] {
    const answer: Range[] = []
    let room = MESSAGE_BYTES
    let lower = START
    for (let index = 0, from = this.#first; index < ranges.length && room > 0; index += 1) {
      const range = ranges[index]
      if (range === undefined) break
      const stretch = { from, to: Math.max(from, this.#positionOf(range.upper)), upper: range.upper }
      const answered = this.#answerRange(range, stretch, room)
      if (answered.length > 0 && lower !== (answer.at(-1)?.upper ?? START)) answer.push({ type: 'skip', upper: lower })
      answer.push(...answered)
      room -= sizeOf(answered)
      from = stretch.to
      lower = range.upper
    }
    return room > 0 ? answer : this.#close(answer)
  }

  #answerRange(range: Range, stretch: Stretch, room: number): Range[] {
    switch (range.type) {
      case 'skip':
        return []
      case 'fingerprint':
        return this.#ids.fingerprint(stretch.from, stretch.to) === range.fingerprint ? [] : this.#split(stretch)
      case 'ids':
        return [this.#list(stretch, Math.ceil(room / ID_BYTES))]
    }
  }

  #split(stretch: Stretch): Range[] {
    const { from, to, upper } = stretch
    const count = to - from
    if (count < 2 * BUCKETS) return [this.#list(stretch, count)]
    const startOf = (bucket: number): number =>
      from + bucket * Math.floor(count / BUCKETS) + Math.min(bucket, count % BUCKETS)
    return Array.from({ length: BUCKETS }, (_, bucket) => {
      const end = startOf(bucket + 1)
      const fingerprint = this.#ids.fingerprint(startOf(bucket), end)
      return { type: 'fingerprint', upper: end === to ? upper : this.#boundBefore(end), fingerprint }
    })
  }

  #list({ from, to, upper }: Stretch, most: number): Range {
    const end = Math.min(to, from + most)
    const ids = Array.from({ length: end - from }, (_, index) => this.#ids.id(from + index))
    return { type: 'ids', upper: end === to ? upper : this.#boundBefore(end), ids }
  }

  /** Ends an answer that has run out of room. */
  #close(answer: readonly Range[]): Range[] {
    const reached = answer.at(-1)?.upper ?? START
    if (reached === END) return [...answer]
    const fingerprint = this.#ids.fingerprint(this.#positionOf(reached), this.#end)
    return [...answer, { type: 'fingerprint', upper: END, fingerprint }]
  }

  #positionOf(bound: Bound): number {
    return Math.min(this.#end, Math.max(this.#first, this.#ids.lowerBound(bound)))
  }

  /** The shortest bound between a position and the previous one. */
  #boundBefore(position: number): Bound {
    const timestamp = this.#ids.time(position)
    if (this.#ids.time(position - 1) !== timestamp) return { timestamp, id: '' }
    const before = this.#ids.id(position - 1)
    const id = this.#ids.id(position)
    let length = 2
    while (length < ID_HEX_LENGTH && before.startsWith(id.slice(0, length))) length += 2
    return { timestamp, id: id.slice(0, length) }
  }
}

function sizeOf(ranges: readonly Range[]): number {
  const ids = ranges.flatMap((range) => (range.type === 'ids' ? [range.ids.length] : []))
  return ranges.length * FINGERPRINT_BYTES + ids.reduce((sum, count) => sum + count * ID_BYTES, 0)
}
