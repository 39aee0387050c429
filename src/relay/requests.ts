import type { Filter } from '../nostr/filter.ts'
import { explainDemand, type Authentication } from './authentication.ts'
import type { Connection } from './connection.ts'
import type { End, Page } from './endpoint.ts'
import { LateRows } from './late-rows.ts'
import type { Link } from './link.ts'
import { readPage, type PageLimits } from './page.ts'
import { readRefusal } from './refusal.ts'
import { Slots } from './slots.ts'
import type { Turn } from './throttle.ts'
import type { Traffic } from './traffic.ts'

/** What repeats and bounds the REQs of one relay. */
export type RequestOptions = PageLimits & {
  readonly maxOpenRequests: number
  /** How often one REQ is repeated after losing its connection. */
  readonly retries: number
  readonly traffic: Traffic
  readonly nowMs: () => number
  /** Absent without a key. */
  readonly authentication: Authentication | undefined
}

/** What one REQ has tried so far. */
type Tries = {
  lost: number
  unanswered: number
  putOffSinceMs: number | undefined
  authenticatedOn: Connection | undefined
}

/** One try: where and when the REQ went out, and how many were allowed at once. */
type Try = { readonly connection: Connection; readonly turn: Turn; readonly allowed: number }

/** How often a REQ is repeated that the relay dropped by its own fault, or that it may not have been able to read. */
const MAX_UNANSWERED = { again: 3, unreadable: 1 }

/** The REQs of one relay: a few at once, each repeated from scratch while an end is worth repeating. */
export class Requests {
  readonly #link: Link
  readonly #options: RequestOptions
  readonly #slots: Slots
  /** What came after the end of a REQ. */
  readonly late = new LateRows()
  #count = 0

  constructor(link: Link, options: RequestOptions) {
    this.#link = link
    this.#options = options
    this.#slots = new Slots(options.maxOpenRequests)
  }

  /** Allows at most this many REQs at once, within `maxOpenRequests`. */
  limitOpenRequests(limit: number): void {
    this.#slots.resize(Math.min(limit, this.#options.maxOpenRequests))
  }

  /** The page of one REQ: the rows of its last try only, the bytes of all. */
  async request(filter: Filter): Promise<Page> {
    await this.#slots.acquire()
    try {
      return await this.#requestUntilEnd(filter)
    } finally {
      this.#slots.release()
    }
  }

  async #requestUntilEnd(filter: Filter): Promise<Page> {
    const tries: Tries = { lost: 0, unanswered: 0, putOffSinceMs: undefined, authenticatedOn: undefined }
    for (let bytes = 0; ;) {
      const turn = await this.#options.traffic.queryTurn()
      const reach = await this.#link.connected()
      if (reach.type !== 'connected') {
        this.#options.traffic.queries.settle(turn, 'lost')
        return { rows: [], end: reach, bytes }
      }
      const allowed = this.#slots.limit
      const id = this.#nextId()
      this.late.expect(id, filter)
      const page = await readPage(reach.connection, id, filter, this.#options)
      bytes += page.bytes
      if (await this.#isWorthRepeating(page.end, { connection: reach.connection, turn, allowed }, tries)) continue
      return { ...page, end: this.#explain(page.end), bytes }
    }
  }

  #explain(end: End): End {
    if (end.type !== 'closed' || readRefusal(end.reason) !== 'authenticate') return end
    return { ...end, reason: explainDemand(end.reason, this.#options.authentication) }
  }

  async #isWorthRepeating(end: End, tried: Try, tries: Tries): Promise<boolean> {
    const { queries } = this.#options.traffic
    switch (end.type) {
      case 'eose':
        this.#link.answered()
        queries.settle(tried.turn, 'taken')
        return false
      case 'closed':
        this.#link.answered()
        return this.#afterClosed(end.reason, tried, tries)
      case 'disconnected':
        queries.settle(tried.turn, 'lost')
        return (tries.lost += 1) <= this.#options.retries
      case 'idle':
      case 'aborted':
        queries.settle(tried.turn, 'lost')
        return false
    }
  }

  async #afterClosed(reason: string, tried: Try, tries: Tries): Promise<boolean> {
    const { traffic } = this.#options
    const { queries } = traffic
    const refusal = readRefusal(reason)
    if (refusal === 'pause' || refusal === 'fewer-requests') {
      const isPatient = refusal === 'pause' ? queries.settle(tried.turn, 'refused') : await this.#openFewer(tried)
      tries.putOffSinceMs ??= this.#options.nowMs()
      return isPatient && traffic.isWorthAnother(tries.putOffSinceMs)
    }
    queries.settle(tried.turn, 'taken')
    if (refusal === 'again' || refusal === 'unreadable') return (tries.unanswered += 1) <= MAX_UNANSWERED[refusal]
    return refusal === 'authenticate' && this.#authenticate(tried, tries)
  }

  /** Half as many at once, for the rest of the run; when there is only one, it is a matter of time. */
  async #openFewer({ turn, allowed }: Try): Promise<boolean> {
    const { queries } = this.#options.traffic
    if (allowed <= 1) return queries.settle(turn, 'refused')
    queries.settle(turn, 'taken')
    // What was open together is refused together.
    if (this.#slots.limit === allowed) this.#slots.resize(Math.floor(allowed / 2))
    this.#slots.release()
    await this.#slots.acquire()
    return true
  }

  async #authenticate({ connection }: Try, tries: Tries): Promise<boolean> {
    if (tries.authenticatedOn === connection) return false
    tries.authenticatedOn = connection
    return (await this.#options.authentication?.authenticate(connection)) ?? false
  }

  // Never used twice, so that what comes late for one try is not taken for the next.
  #nextId(): string {
    this.#count += 1
    return `r${this.#count}`
  }
}
