/*
 * The rows of one page that are kept. A page is full at a number of bytes: what is older than its last row is read
 * over, and is for the next page, which is asked for from there. So a page of usual events is whole, one of huge events
 * takes no more memory, and nobody bars the way to what is below by writing many of them.
 */
import { parseStamp, type Stamp } from '../../nostr/event.ts'

/** What bounds the rows of a page. `isByIds`: they have no order, and what did not come is asked for again. */
export type RowBounds = { readonly maxPageBytes: number; readonly maxPageRows: number; readonly isByIds: boolean }

const FULL_PAGE_BYTES = 4 * 1024 * 1024
/** By how much more than may be kept may be read over. */
const TIMES_READ_OVER = 8

/** Takes the rows of a page as they come. */
export class PageRows {
  readonly kept: unknown[] = []
  readonly #bounds: RowBounds
  #oldest = Infinity
  readonly #readOver = new Set<string>()
  #isCut = false

  constructor(bounds: RowBounds) {
    this.#bounds = bounds
  }

  /** How many rows were read over: all of them are older than what was kept, of which no second is torn. */
  get readOver(): number {
    return this.#readOver.size
  }

  /** Takes a row; `bytes` is the size of the page with it. Returns why the page has to end, or null. */
  add(row: unknown, bytes: number): string | null {
    const stamp = parseStamp(row)
    this.#isCut ||= bytes > FULL_PAGE_BYTES && this.#isForNextPage(stamp)
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
