/*
 * How many requests suit one relay at once.
 *
 * Starts small. While half of the places are used and answers begin as soon as when few were open, the time is that of
 * the way, so the places double. Once answers begin later in proportion, the relay does one after the other, and more
 * requests would only wait there. A complaint, a lost connection or silence lowers what is tried for the rest of the
 * run. Large pages leave fewer places: what is in flight, and then taken in, must fit into memory.
 */
import { Slots } from './slots.ts'

/** The place of one request: its number in the order of sending, and how many were open with it. */
export type WindowPlace = { readonly number: number; readonly open: number }

/** An answer: how long it took to begin, and the size of its page. */
export type WindowAnswer = { readonly firstMs: number; readonly bytes: number }

/** What any relay is asked at once, unless it says or shows that this is too much. */
const FIRST = 8
/** The pages in flight together, in bytes, if each is as large as the largest of the latest. */
const PAGES_BYTES = 8 * 1024 * 1024
const FORGETTING = 0.9
/** An answer begins in time up to this many times the quickest; the rest is what our own work delays it. */
const IN_TIME = { times: 2, plusMs: 20 }
const LATE = { times: 4, plusMs: 100 }

/** The places for requests at one relay. */
export class RequestWindow {
  readonly #slots: Slots
  /** Never more than this: announced, asked for by options, or learnt. */
  #most: number
  #limit: number
  #learnt: number | undefined
  #count = 0
  /** The number of the last request before the last change, and before the last time that it became smaller. */
  #changedAfter = 0
  #shrunkAfter = 0
  #inTime = 0
  #quickestMs = Infinity
  #pageBytes = 0

  constructor(most: number) {
    this.#most = most
    this.#limit = Math.min(FIRST, most)
    this.#slots = new Slots(this.#limit)
  }

  /** How many requests may be open now. */
  get limit(): number {
    return this.#slots.limit
  }

  /** The most that it will ask at once after complaints; `undefined` without any. */
  get learnt(): number | undefined {
    return this.#learnt
  }

  /** Allows at most this many from now on, at least one. */
  cap(most: number): void {
    this.#most = Math.max(1, Math.min(this.#most, most))
    this.#limit = Math.min(this.#limit, this.#most)
    this.#resize()
  }

  /** Resolves when a request may go out; each needs one `release`. */
  acquire(): Promise<void> {
    return this.#slots.acquire()
  }

  release(): void {
    this.#slots.release()
  }

  /** Notes that the holder of a place sends its request now. */
  send(): WindowPlace {
    this.#count += 1
    return { number: this.#count, open: this.#slots.taken }
  }

  /** The relay answered. Grows after as many answers in time as there are places. */
  answered({ number, open }: WindowPlace, { firstMs, bytes }: WindowAnswer): void {
    this.#quickestMs = Math.min(this.#quickestMs, firstMs)
    this.#pageBytes = Math.max(bytes, FORGETTING * this.#pageBytes)
    if (this.#isWithin(firstMs, IN_TIME)) this.#noteInTime(number, open)
    else if (!this.#isWithin(firstMs, LATE)) this.#narrow(number, this.#limit / 2)
    this.#resize()
  }

  /**
   * The relay says that these are too many at once: allows fewer for the rest of the run. Requests open together are
   * refused together, so only the first complaint counts. Returns false if this was the only one open.
   */
  tooMany({ number, open }: WindowPlace): boolean {
    if (number > this.#shrunkAfter) {
      this.cap(Math.min(Math.floor(this.#limit / 2), open - 1))
      this.#noteShrunk()
    }
    this.#learnt = Math.min(this.#learnt ?? Infinity, this.#limit)
    return open > 1
  }

  /** The same, without knowing which request it was about. */
  tooManyOnce(): void {
    this.tooMany({ number: this.#count + 1, open: Infinity })
  }

  /** The relay wants to be asked less often: no more than at first, for the rest of the run. */
  tooFast(): void {
    this.cap(FIRST)
  }

  /** The relay passed over a request: the same. Returns whether fewer at once may help. */
  passedOver({ open }: WindowPlace): boolean {
    this.cap(FIRST)
    return open > FIRST
  }

  /**
   * The relay hung up: starts again, and stops growing where it was half as large. Returns whether fewer requests at
   * once may help.
   */
  lost({ number, open }: WindowPlace): boolean {
    if (number > this.#shrunkAfter && this.#limit > FIRST) {
      this.cap(Math.max(FIRST, Math.floor(this.#limit / 2)))
      this.#narrow(number, FIRST)
      this.#resize()
    }
    return open > FIRST
  }

  #noteInTime(number: number, open: number): void {
    // The others may be busy with what their last page brought.
    if (number <= this.#changedAfter || 2 * open < this.#slots.limit) return
    this.#inTime += 1
    if (this.#inTime < this.#limit || this.#limit >= this.#most) return
    this.#limit = Math.min(this.#most, 2 * this.#limit)
    this.#noteChange()
  }

  /** Never below what any relay is asked. */
  #narrow(number: number, limit: number): void {
    if (number <= this.#shrunkAfter || this.#limit <= FIRST) return
    this.#limit = Math.max(FIRST, Math.floor(limit))
    this.#noteShrunk()
  }

  #noteShrunk(): void {
    this.#shrunkAfter = this.#count
    this.#noteChange()
  }

  #noteChange(): void {
    this.#changedAfter = this.#count
    this.#inTime = 0
  }

  #isWithin(firstMs: number, { times, plusMs }: typeof LATE): boolean {
    return firstMs <= times * this.#quickestMs + plusMs
  }

  #resize(): void {
    const affordable = Math.max(FIRST, Math.floor(PAGES_BYTES / this.#pageBytes))
    this.#slots.resize(Math.min(this.#limit, affordable))
  }
}
