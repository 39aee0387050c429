import type { Database, Statement } from '../database.ts'
import { addId, createIdSum, sealFingerprint, subtractSum, type IdSum } from '../relay/negentropy/fingerprint.ts'
import type { OrderedIds } from '../relay/negentropy/local-responder.ts'
import { compareBounds, type Bound } from '../relay/negentropy/negentropy-message.ts'

/** A query for the columns `created_at` and `id` (bytes) of events, each once. */
export type StampQuery = { readonly sql: string; readonly parameters: readonly (string | number)[] }

type Row = { readonly created_at: number; readonly id: Buffer }

// Each fingerprint reads at most two blocks of ids, because the sum before each block is in memory.
const BLOCK_SIZE = 64
const SUM_WORDS = createIdSum().length

/**
 * The (created_at, id) of events in the order of negentropy, in a table of their own: memory holds 40 bytes for each
 * block of 64 (rule 8). Positions count from 0. The events may change meanwhile, the ids stay.
 */
export class StoredIds implements OrderedIds {
  readonly size: number
  readonly #db: Database
  readonly #table: string
  readonly #row: Statement<[position: number], Row>
  readonly #between: Statement<[from: number, to: number], Row>
  /** For each block, the sum of all ids before it, and when its first event was signed. */
  readonly #sums: Uint32Array
  readonly #times: Float64Array

  /** `table` names a table that does not exist yet. */
  constructor(db: Database, table: string, query: StampQuery) {
    this.#db = db
    this.#table = table
    this.size = db.transaction(() => fill(db, table, query))()
    const columns = `SELECT created_at, id FROM ${table} WHERE position`
    this.#row = db.prepare(`${columns} = ? + 1`)
    this.#between = db.prepare(`${columns} > ? AND position <= ? ORDER BY position`)
    const blocks = Math.floor(this.size / BLOCK_SIZE) + 1
    this.#sums = new Uint32Array(blocks * SUM_WORDS)
    this.#times = new Float64Array(blocks).fill(Infinity)
    this.#sumUp()
  }

  /** The id at a position, in hex. */
  id(position: number): string {
    return this.#at(position).id.toString('hex')
  }

  /** `created_at` at a position. */
  time(position: number): number {
    return this.#at(position).created_at
  }

  /** The first position at or above the bound. */
  lowerBound(bound: Bound): number {
    const { timestamp } = bound
    const begunBefore = countFirst(this.#times.length, (block) => (this.#times[block] ?? 0) < timestamp)
    const begunUntil = countFirst(this.#times.length, (block) => (this.#times[block] ?? 0) <= timestamp)
    const low = Math.max(0, begunBefore - 1) * BLOCK_SIZE
    const high = Math.min(this.size, begunUntil * BLOCK_SIZE)
    return low + countFirst(high - low, (offset) => this.#isBelow(low + offset, bound))
  }

  /** The fingerprint of the positions from `from` to `to`, exclusive. */
  fingerprint(from: number, to: number): string {
    const sum = this.#sumBefore(to)
    subtractSum(sum, this.#sumBefore(from))
    return sealFingerprint(sum, to - from)
  }

  /** Removes the table; the ids must not be used afterwards. */
  drop(): void {
    this.#db.exec(`DROP TABLE ${this.#table}`)
  }

  #sumUp(): void {
    const sum = createIdSum()
    for (let block = 0; block < this.#times.length; block += 1) {
      this.#sums.set(sum, block * SUM_WORDS)
      const rows = this.#between.all(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE)
      this.#times[block] = rows[0]?.created_at ?? Infinity
      for (const row of rows) addRow(sum, row)
    }
  }

  #sumBefore(position: number): IdSum {
    const block = Math.floor(position / BLOCK_SIZE)
    const sum = this.#sums.slice(block * SUM_WORDS, (block + 1) * SUM_WORDS)
    for (const row of this.#between.all(block * BLOCK_SIZE, position)) addRow(sum, row)
    return sum
  }

  #isBelow(position: number, bound: Bound): boolean {
    const { created_at: timestamp, id } = this.#at(position)
    return compareBounds({ timestamp, id: id.toString('hex') }, bound) < 0
  }

  #at(position: number): Row {
    const row = this.#row.get(position)
    if (row === undefined) throw new RangeError(`there is no id ${position}`)
    return row
  }
}

/** Creates the table and returns how many rows it has. */
function fill(db: Database, table: string, { sql, parameters }: StampQuery): number {
  db.exec(`CREATE TABLE ${table} (position INTEGER PRIMARY KEY, created_at INTEGER NOT NULL, id BLOB NOT NULL)`)
  const insert = `INSERT INTO ${table} (created_at, id) SELECT created_at, id FROM (${sql}) ORDER BY created_at, id`
  return db.prepare<(string | number)[]>(insert).run(...parameters).changes
}

function addRow(sum: IdSum, { id }: Row): void {
  addId(sum, new DataView(id.buffer, id.byteOffset, id.length), 0)
}

/** How many of `count` places, the first ones, are below; those after them are not. */
function countFirst(count: number, isBelow: (place: number) => boolean): number {
  let low = 0
  for (let high = count; low < high;) {
    const middle = (low + high) >>> 1
    if (isBelow(middle)) low = middle + 1
    else high = middle
  }
  return low
}
