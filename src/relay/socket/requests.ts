import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import { explainDemand, type Authentication } from './authentication.ts'
import { pause } from '../pace/backoff.ts'
import type { Connection } from './connection.ts'
import { describeEnd } from '../describe-end.ts'
import type { End, LearntLimits, Page } from '../endpoint.ts'
import type { Link } from './link.ts'
import { OpenEnds } from './open-ends.ts'
import { PageMemory } from './page-memory.ts'
import { readPage, type PageLimits } from './read-page.ts'
import { readRefusal } from './refusal.ts'
import { joinPages, RequestSize } from './request-size.ts'
import { RequestWindow, type WindowPlace } from '../pace/request-window.ts'
import type { Tell } from '../../run-event.ts'
import type { Turn } from '../pace/throttle.ts'
import type { Traffic } from '../pace/traffic.ts'

/** The options for the REQs of one relay. */
export type RequestOptions = PageLimits & {
  /** However quick the relay is. */
  readonly maxOpenRequests: number
  /** How long to pause after a `rate-limited:` that follows an EOSE. */
  readonly silenceMs: number
  /** How often a REQ is repeated after losing its connection. */
  readonly retries: number
  readonly traffic: Traffic
  readonly nowMs: () => number
  /** Absent without a key. */
  readonly authentication: Authentication | undefined
  readonly url: string
  readonly tell?: Tell | undefined
}

/** What one REQ has tried so far. */
type Tries = {
  lost: number
  unanswered: number
  isCrowdedOut: boolean
  putOffSinceMs: number | undefined
  authenticatedOn: Connection | undefined
}

/** One attempt: its connection, its turn, and its place among the REQs that are open at once. */
type Try = { readonly connection: Connection; readonly turn: Turn; readonly place: WindowPlace }

/** How often to repeat a REQ that the relay dropped by its own fault, or may not have been able to read. */
const MAX_UNANSWERED = { again: 3, unreadable: 1 }

/** Matches nothing; sent only to get an answer. */
const NOTHING: Filter = { ids: ['0'.repeat(64)], limit: 1 }

/** The REQs of one relay: a few at once, each restarted while its end is worth repeating. */
export class Requests {
  readonly #link: Link
  readonly #options: RequestOptions
  readonly #window: RequestWindow
  readonly #memory: PageMemory
  /** The ends that may still be taken back, including those of NIP-77 sessions. */
  readonly ends: OpenEnds
  readonly #size = new RequestSize()
  #count = 0
  #unaskedBytes = 0
  /** The reaction to a CLOSED after its EOSE: one authentication or pause, for all. */
  #consequence: Promise<unknown> = Promise.resolve()

  constructor(link: Link, options: RequestOptions) {
    this.#link = link
    this.#options = options
    this.#window = new RequestWindow(options.maxOpenRequests)
    this.#memory = new PageMemory(options.nowMs)
    this.ends = new OpenEnds(options.nowMs, (reason, connection) => this.#afterLateClosed(reason, connection))
  }

  /** Counts unrequested bytes; they are charged to the next page. */
  noteUnasked(bytes: number): void {
    this.#unaskedBytes += bytes
  }

  /** How many REQs suit the relay at once now. */
  get atOnce(): number {
    return this.#window.limit
  }

  /** Allows at most this many REQs at once, within `maxOpenRequests`. */
  limitOpenRequests(limit: number): void {
    this.#window.cap(limit)
  }

  /**
   * Returns the page of one REQ: the rows of its last attempt only, and the bytes of all attempts plus unrequested
   * data. `aftermath` is told what follows its end.
   */
  async request(filter: Filter, aftermath?: Aftermath): Promise<Page> {
    const parts = this.#size.partsOf(filter)
    if (parts.length > 0) return joinPages(await Promise.all(parts.map((part) => this.request(part, aftermath))))
    const page = await this.#requestAtOnce(filter, aftermath)
    if (page.end.type === 'eose' || this.#size.partsOf(filter).length === 0) return page
    const again = await this.request(filter, aftermath)
    return { ...again, bytes: page.bytes + again.bytes }
  }

  /** The limits that the relay has enforced; empty if it accepted everything. */
  learntLimits(): LearntLimits {
    const { learnt } = this.#window
    return { ...this.#size.limits, ...(learnt !== undefined && { maxOpenRequests: learnt }) }
  }

  async #requestAtOnce(filter: Filter, aftermath: Aftermath | undefined): Promise<Page> {
    await this.#window.acquire()
    try {
      return await this.#requestUntilEnd(filter, aftermath)
    } finally {
      this.#window.release()
    }
  }

  /**
   * Resolves when every watched end so far stands or was taken back: after the grace period and an answer to something
   * later. Other questions may be asked meanwhile.
   */
  async settleEnds(): Promise<void> {
    const until = this.ends.now()
    const unproven = [...this.ends.unproven()]
    const probes = Promise.all(unproven.map((connection) => this.#probe(connection)))
    const [silences] = await Promise.all([probes, pause(Math.ceil(this.ends.graceLeftMs()), this.#options.signal)])
    this.ends.settle(until, silences.find((text) => text !== undefined) ?? 'no answer')
    await this.#consequence
  }

  /** Asks for nothing, so that everything the relay said before has arrived. Returns why no answer came, if so. */
  async #probe(connection: Connection): Promise<string | undefined> {
    const { traffic } = this.#options
    const turn = await traffic.queryTurn()
    const { end } = await this.#ask(NOTHING, connection, { aftermath: undefined })
    const isAnswered = end.type === 'eose' || end.type === 'closed'
    traffic.queries.settle(turn, isAnswered ? 'taken' : 'lost')
    return isAnswered ? undefined : describeEnd(end)
  }

  async #ask(
    filter: Filter,
    connection: Connection,
    { aftermath, place }: { readonly aftermath: Aftermath | undefined; readonly place?: WindowPlace },
  ): Promise<Page> {
    const id = this.#nextId()
    const share = this.#memory.open()
    const askedMs = this.#options.nowMs()
    this.ends.expect(id, { filter, connection, aftermath })
    const page = await readPage(connection, id, filter, { ...this.#options, share })
    const answer = { firstMs: share.end() - askedMs, bytes: page.bytes }
    if (place !== undefined && page.end.type === 'eose') this.#window.answered(place, answer)
    return { ...page, end: await this.ends.conclude(id, page) }
  }

  async #requestUntilEnd(filter: Filter, aftermath: Aftermath | undefined): Promise<Page> {
    const tries: Tries = {
      lost: 0,
      unanswered: 0,
      isCrowdedOut: false,
      putOffSinceMs: undefined,
      authenticatedOn: undefined,
    }
    for (let bytes = this.#takeUnasked(); ;) {
      const turn = await this.#options.traffic.queryTurn()
      const reach = await this.#link.connected()
      if (reach.type !== 'connected') {
        this.#options.traffic.queries.settle(turn, 'lost')
        return { rows: [], end: reach, bytes }
      }
      const tried = { connection: reach.connection, turn, place: this.#window.send() }
      const page = await this.#ask(filter, reach.connection, { aftermath, place: tried.place })
      bytes += page.bytes + this.#takeUnasked()
      if (this.#size.learn(filter, page.end)) {
        this.#link.answered()
        this.#options.traffic.queries.settle(turn, 'taken')
        return { ...page, bytes }
      }
      if (await this.#isWorthRepeating(page.end, tried, tries)) {
        this.#options.tell?.({ type: 'retry', relay: this.#options.url, reason: describeEnd(page.end) })
        continue
      }
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
        if (this.#window.lost(tried.place)) await this.#waitForPlace()
        return (tries.lost += 1) <= this.#options.retries
      case 'idle':
        queries.settle(tried.turn, 'lost')
        if (await this.#isCrowdedOut(tried, tries)) return true
        this.#link.silent(end.afterMs)
        return false
      case 'aborted':
        queries.settle(tried.turn, 'lost')
        return false
    }
  }

  /** Some relays pass over a REQ when many are open: such a one gets a second chance among fewer. */
  async #isCrowdedOut({ place }: Try, tries: Tries): Promise<boolean> {
    if (!this.#window.passedOver(place) || tries.isCrowdedOut) return false
    tries.isCrowdedOut = true
    await this.#waitForPlace()
    return true
  }

  /** Gives up the place, because there are fewer now, and waits for another. */
  async #waitForPlace(): Promise<void> {
    this.#window.release()
    await this.#window.acquire()
  }

  async #afterClosed(reason: string, tried: Try, tries: Tries): Promise<boolean> {
    const { traffic } = this.#options
    const { queries } = traffic
    const refusal = readRefusal(reason)
    if (refusal === 'pause' || refusal === 'fewer-requests') {
      if (refusal === 'pause') this.#window.tooFast()
      const isPatient = refusal === 'pause' ? queries.settle(tried.turn, 'refused') : await this.#openFewer(tried)
      tries.putOffSinceMs ??= this.#options.nowMs()
      return isPatient && traffic.isWorthAnother(tries.putOffSinceMs)
    }
    queries.settle(tried.turn, 'taken')
    if (asksWhoWeAre(reason, tried.connection)) return this.#authenticate(tried, tries)
    return (refusal === 'again' || refusal === 'unreadable') && (tries.unanswered += 1) <= MAX_UNANSWERED[refusal]
  }

  /** Handles a CLOSED that came too late to repeat its page: does what it asks for the next pages. */
  #afterLateClosed(reason: string, connection: Connection): void {
    const { authentication, silenceMs, signal } = this.#options
    const refusal = readRefusal(reason)
    if (refusal === 'pause') this.#window.tooFast()
    if (refusal === 'pause') this.#consequence = pause(silenceMs, signal)
    if (refusal === 'fewer-requests') this.#window.tooManyOnce()
    if (asksWhoWeAre(reason, connection))
      this.#consequence = authentication?.authenticate(connection) ?? this.#consequence
  }

  /** Allows fewer REQs at once for the rest of the run. If this was the only one, waits instead. */
  async #openFewer({ turn, place }: Try): Promise<boolean> {
    const { queries } = this.#options.traffic
    if (!this.#window.tooMany(place)) return queries.settle(turn, 'refused')
    queries.settle(turn, 'taken')
    await this.#waitForPlace()
    return true
  }

  async #authenticate({ connection }: Try, tries: Tries): Promise<boolean> {
    if (tries.authenticatedOn === connection) return false
    tries.authenticatedOn = connection
    return (await this.#options.authentication?.authenticate(connection)) ?? false
  }

  #takeUnasked(): number {
    const bytes = this.#unaskedBytes
    this.#unaskedBytes = 0
    return bytes
  }

  // Never reuse an id, so that late messages of one attempt are not taken for the next.
  #nextId(): string {
    this.#count += 1
    return `r${this.#count}`
  }
}

/** Some relays say `restricted:` to strangers; it means the same if they sent a challenge. */
function asksWhoWeAre(reason: string, { challenge }: Connection): boolean {
  return readRefusal(reason) === 'authenticate' || (/^restricted:/i.test(reason) && challenge !== undefined)
}
