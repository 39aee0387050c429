import { addId, createIdSum, sealFingerprint, subtractSum, type IdSum } from './fingerprint.ts'
import { compareBounds, type Bound } from './negentropy-message.ts'

const ID_BYTES = 32
const WORD_BYTES = 4
const CHUNK_SIZE = 16_384
// Each fingerprint adds at most two blocks of ids, because the sum before each block is stored.
const BLOCK_SIZE = 256

type Chunk = { readonly times: Float64Array; readonly ids: Buffer; readonly view: DataView }
type Place = { readonly chunk: Chunk; readonly slot: number }

/** Collects the (created_at, id) of verified events in any order. */
export class IdCollector {
  readonly #chunks: Chunk[] = []
  #size = 0

  /** `createdAt` must be a safe integer and `id` 32 bytes in hex, as in a parsed event. */
  add(createdAt: number, id: string): void {
    if (this.#size % CHUNK_SIZE === 0) this.#chunks.push(createChunk())
    const { chunk, slot } = placeOf(this.#chunks, this.#size)
    chunk.times[slot] = createdAt
    chunk.ids.write(id, slot * ID_BYTES, 'hex')
    this.#size += 1
  }

  /** Returns the set without duplicates. The collector must not be used afterwards. */
  seal(): IdSet {
    const order = new Uint32Array(this.#size).map((_, index) => index)
    order.sort((a, b) => comparePlaces(placeOf(this.#chunks, a), placeOf(this.#chunks, b)))
    let size = 0
    for (const index of order) {
      const isRepeated = size > 0 && this.#isSame(index, order[size - 1] ?? 0)
      if (!isRepeated) order[size++] = index
    }
    return new IdSet(this.#chunks, order.subarray(0, size))
  }

  #isSame(a: number, b: number): boolean {
    return comparePlaces(placeOf(this.#chunks, a), placeOf(this.#chunks, b)) === 0
  }
}

/** The (created_at, id) of events in the order of negentropy, 44 bytes each. Positions count from 0. */
export class IdSet {
  readonly size: number
  readonly #chunks: readonly Chunk[]
  readonly #order: Uint32Array
  /** For each block, the sum of all ids before it. */
  readonly #sums: IdSum[] = []

  constructor(chunks: readonly Chunk[], order: Uint32Array) {
    this.size = order.length
    this.#chunks = chunks
    this.#order = order
    const sum = createIdSum()
    for (let position = 0; position <= this.size; position += 1) {
      if (position % BLOCK_SIZE === 0) this.#sums.push(sum.slice())
      if (position < this.size) this.#add(sum, position)
    }
  }

  /** The id at a position, in hex. */
  id(position: number): string {
    const { chunk, slot } = this.#place(position)
    return chunk.ids.toString('hex', slot * ID_BYTES, (slot + 1) * ID_BYTES)
  }

  /** `created_at` at a position. */
  time(position: number): number {
    const { chunk, slot } = this.#place(position)
    return chunk.times[slot] ?? Infinity
  }

  /** The first position at or above the bound. */
  lowerBound(bound: Bound): number {
    let low = 0
    for (let high = this.size; low < high;) {
      const middle = (low + high) >>> 1
      if (this.#isBelow(middle, bound)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The fingerprint of the positions from `from` to `to`, exclusive. */
  fingerprint(from: number, to: number): string {
    const sum = this.#sumBefore(to)
    subtractSum(sum, this.#sumBefore(from))
    return sealFingerprint(sum, to - from)
  }

  #isBelow(position: number, bound: Bound): boolean {
    const timestamp = this.time(position)
    if (timestamp !== bound.timestamp || bound.id === '') return timestamp < bound.timestamp
    return compareBounds({ timestamp, id: this.id(position) }, bound) < 0
  }

  #sumBefore(position: number): IdSum {
    const block = Math.floor(position / BLOCK_SIZE)
    const sum = this.#sums[block]?.slice() ?? createIdSum()
    for (let each = block * BLOCK_SIZE; each < position; each += 1) this.#add(sum, each)
    return sum
  }

  #add(sum: IdSum, position: number): void {
    const { chunk, slot } = this.#place(position)
    addId(sum, chunk.view, slot * ID_BYTES)
  }

  #place(position: number): Place {
    return placeOf(this.#chunks, this.#order[position] ?? this.size)
  }
}

function createChunk(): Chunk {
  const ids = Buffer.alloc(CHUNK_SIZE * ID_BYTES)
  const view = new DataView(ids.buffer, ids.byteOffset, ids.length)
  return { times: new Float64Array(CHUNK_SIZE), ids, view }
}

function placeOf(chunks: readonly Chunk[], index: number): Place {
  const chunk = chunks[Math.floor(index / CHUNK_SIZE)]
  if (chunk === undefined) throw new RangeError(`there is no id ${index}`)
  return { chunk, slot: index % CHUNK_SIZE }
}

function comparePlaces(a: Place, b: Place): number {
  const earlier = (a.chunk.times[a.slot] ?? 0) - (b.chunk.times[b.slot] ?? 0)
  if (earlier !== 0) return earlier
  for (let byte = 0; byte < ID_BYTES; byte += WORD_BYTES) {
    const word = a.chunk.view.getUint32(a.slot * ID_BYTES + byte)
    const lower = word - b.chunk.view.getUint32(b.slot * ID_BYTES + byte)
    if (lower !== 0) return lower
  }
  return 0
}
