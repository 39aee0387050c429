/*
 * The rows of one page that are kept. A page of so many bytes is full: what is older than its last row is read over, and is
 * for the next page, which is asked for from there. So a page of usual events is whole, one of huge events takes no more
 * memory, and nobody bars the way to what is below by writing many of them.
 */
import { parseStamp } from '../nostr/event.ts'

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
  #isCut = false

  constructor(bounds: RowBounds) {
    this.#bounds = bounds
  }

  /** Whether rows were read over: all of them are older than what was kept, of which no second is torn. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Takes a row; `bytes` is the size of the page with it. Returns why the page has to end, or null. */
  add(row: unknown, bytes: number): string | null {
    const second = parseStamp(row)?.second
    this.#isCut ||= bytes > FULL_PAGE_BYTES && this.#isForNextPage(second)
    return this.#isCut ? this.#readOver(second, bytes) : this.#keep(row, second, bytes)
  }

  #isForNextPage(second = Infinity): boolean {
    return this.kept.length > 0 && (this.#bounds.isByIds || second < this.#oldest)
  }

  #readOver(second = -Infinity, bytes: number): string | null {
    const bound = TIMES_READ_OVER * this.#bounds.maxPageBytes
    if (bytes > bound) return `page over ${bound} bytes`
    const isInOrder = this.#bounds.isByIds || second < this.#oldest
    return isInOrder ? null : `page over ${FULL_PAGE_BYTES} bytes is not in descending order`
  }

  #keep(row: unknown, second = Infinity, bytes: number): string | null {
    const { maxPageBytes, maxPageRows } = this.#bounds
    if (bytes > maxPageBytes) return `page over ${maxPageBytes} bytes`
    if (this.kept.length >= maxPageRows) return `page over ${maxPageRows} rows`
    this.kept.push(row)
    this.#oldest = Math.min(this.#oldest, second)
    return null
  }
}
