/*
 * Bounds the rows kept from one page. A page is full at a number of bytes; rows older than its last row are then
 * dropped, and the next page starts there. So a page of ordinary events is whole, a page of huge events takes no more
 * memory, and nobody can block the rows below by writing many of them.
 */
import { parseStamp, type Stamp } from '../../nostr/event.ts'
import type { PageShare } from './page-memory.ts'

/**
 * The bounds of a page. `isByIds`: its rows have no order, and missing ids are asked for again. `share`: of the memory
 * of all pages; absent: this is the only one.
 */
export type RowBounds = {
  readonly maxPageBytes: number
  readonly maxPageRows: number
  readonly isByIds: boolean
  readonly share?: PageShare
}

const FULL_PAGE_BYTES = 4 * 1024 * 1024
/** How many times the byte limit may be read and dropped. */
const TIMES_READ_OVER = 8

/** Takes the rows of a page as they arrive. */
export class PageRows {
  readonly kept: unknown[] = []
  readonly #bounds: RowBounds
  #oldest = Infinity
  readonly #readOver = new Set<string>()
  #isCut = false

  constructor(bounds: RowBounds) {
    this.#bounds = bounds
  }

  /** How many rows were dropped. All are older than the kept rows, whose oldest second is whole. */
  get readOver(): number {
    return this.#readOver.size
  }

  /** Takes a row; `bytes` is the page size including it. Returns why the page must end, or null. */
  add(row: unknown, bytes: number): string | null {
    const stamp = parseStamp(row)
    const isFull = this.#bounds.share?.grow(bytes) === true || bytes > FULL_PAGE_BYTES
    this.#isCut ||= isFull && this.#isForNextPage(stamp)
    return this.#isCut ? this.#passOver(stamp, bytes) : this.#keep(row, stamp, bytes)
  }

  #isForNextPage(stamp: Stamp | undefined): boolean {
    return stamp !== undefined && this.kept.length > 0 && (this.#bounds.isByIds || stamp.second < this.#oldest)
  }

  #passOver(stamp: Stamp | undefined, bytes: number): string | null {
    const { maxPageBytes, maxPageRows } = this.#bounds
    if (bytes > TIMES_READ_OVER * maxPageBytes) return `page over ${TIMES_READ_OVER * maxPageBytes} bytes`
    if (this.readOver >= maxPageRows) return `page over ${maxPageRows} rows`
    if (stamp === undefined) return null
    this.#readOver.add(stamp.id)
    const isInOrder = this.#bounds.isByIds || stamp.second < this.#oldest
    return isInOrder ? null : `page over ${FULL_PAGE_BYTES} bytes is not in descending order`
  }

  #keep(row: unknown, stamp: Stamp | undefined, bytes: number): string | null {
    const { maxPageBytes, maxPageRows } = this.#bounds
    if (bytes > maxPageBytes) return `page over ${maxPageBytes} bytes`
    if (this.kept.length >= maxPageRows) return `page over ${maxPageRows} rows`
    this.kept.push(row)
    this.#oldest = Math.min(this.#oldest, stamp?.second ?? Infinity)
    return null
  }
}
