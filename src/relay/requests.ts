import type { Filter } from '../nostr/filter.ts'
import type { Authentication } from './authentication.ts'
import { backoffMs, pause } from './backoff.ts'
import type { Connection } from './connection.ts'
import type { End, Page } from './endpoint.ts'
import { LateRows } from './late-rows.ts'
import type { Link } from './link.ts'
import { readPage, type PageLimits } from './page.ts'
import { Slots } from './slots.ts'

/** What repeats and bounds the REQs of one relay. */
export type RequestOptions = PageLimits & {
  readonly maxOpenRequests: number
  /** How often one REQ is repeated after losing its connection. */
  readonly retries: number
  readonly backoffBaseMs: number
  readonly random: () => number
  /** Absent without a key. */
  readonly authentication: Authentication | undefined
}

/** What one REQ has tried so far. */
type Tries = { lost: number; rateLimited: number; authenticatedOn: Connection | undefined }

const MAX_RATE_LIMITED = 3
// "slow down" asks for more patience than a lost connection does.
const RATE_LIMIT_FACTOR = 4

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
    const tries: Tries = { lost: 0, rateLimited: 0, authenticatedOn: undefined }
    for (let bytes = 0; ;) {
      const reach = await this.#link.connected()
      if (reach.type !== 'connected') return { rows: [], end: reach, bytes }
      const id = this.#nextId()
      this.late.expect(id, filter)
      const page = await readPage(reach.connection, id, filter, this.#options)
      bytes += page.bytes
      if (!(await this.#isWorthRepeating(page.end, reach.connection, tries))) return { ...page, bytes }
    }
  }

  async #isWorthRepeating(end: End, connection: Connection, tries: Tries): Promise<boolean> {
    switch (end.type) {
      case 'eose':
        this.#link.answered()
        return false
      case 'closed':
        this.#link.answered()
        return this.#afterClosed(end.reason, connection, tries)
      case 'disconnected':
        return (tries.lost += 1) <= this.#options.retries
      case 'idle':
      case 'aborted':
        return false
    }
  }

  async #afterClosed(reason: string, connection: Connection, tries: Tries): Promise<boolean> {
    if (reason.startsWith('rate-limited:')) return this.#waitForRate(tries)
    if (!reason.startsWith('auth-required:') || tries.authenticatedOn === connection) return false
    tries.authenticatedOn = connection
    return (await this.#options.authentication?.authenticate(connection)) ?? false
  }

  async #waitForRate(tries: Tries): Promise<boolean> {
    const { backoffBaseMs, random, signal } = this.#options
    tries.rateLimited += 1
    if (tries.rateLimited > MAX_RATE_LIMITED) return false
    await pause(backoffMs(tries.rateLimited, backoffBaseMs * RATE_LIMIT_FACTOR, random), signal)
    return true
  }

  // Never used twice, so that what comes late for one try is not taken for the next.
  #nextId(): string {
    this.#count += 1
    return `r${this.#count}`
  }
}
