import { pause } from './backoff.ts'
import type { KnownLimits } from './known-limits.ts'
import { SilenceBucket, type SilenceRate } from './silence-bucket.ts'
import { Slots } from './slots.ts'
import { Throttle, type Turn } from './throttle.ts'

/** What paces the traffic to one relay. Times are milliseconds. */
export type TrafficOptions = {
  /** Any clock that does not jump. */
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** The first pause after a complaint of a relay of which nothing is known. */
  readonly silenceMs: number
  /** How long to wait for a relay that puts off everything. */
  readonly patienceMs: number
}

/** Kept free for frames that nobody holds back: CLOSE of what was open, AUTH, pongs. */
const SPARE_FRAMES = 200
/** Sessions open at once where nobody says how many may be. */
const MAX_SESSIONS = 8
/** Left free of the sessions that the relay allows: a NEG-CLOSE that it has not seen yet. */
const SPARE_SESSIONS = 2

/**
 * What goes out to one relay, counted and held back. Queries (REQ, NEG-OPEN) and NEG-MSG each have a pace; frames of
 * all sorts have a bucket of their own where that is known, and a relay that finds it empty hangs up without a word. So
 * the pauses of one are pauses of all: what can wait does, that streams of different frames cannot starve each other.
 */
export class Traffic {
  readonly queries: Throttle
  readonly messages: Throttle
  /** Reconciliations (NIP-77) open at the same time. */
  readonly sessions = new Slots(MAX_SESSIONS)
  readonly #options: TrafficOptions
  readonly #frames: SilenceBucket
  #frameRate: SilenceRate | undefined
  #quietUntilMs = 0
  #patienceMs: number
  #held: (() => void)[] = []

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#patienceMs = options.patienceMs
    this.#frames = new SilenceBucket(options.nowMs())
    const throttle = {
      ...options,
      lastFrameMs: () => (this.#frameRate === undefined ? 0 : this.#frames.lastMs),
      onPause: (untilMs: number) => this.#beQuiet(untilMs),
    }
    this.queries = new Throttle(throttle)
    this.messages = new Throttle(throttle)
  }

  /** How long queries and messages had to wait in all. */
  get waitedMs(): number {
    return this.queries.waitedMs + this.messages.waitedMs
  }

  /** Notes what is known of the relay. */
  limit({ queries, negentropyMessages, frames, maxNegentropySessions = Infinity }: KnownLimits): void {
    this.queries.limit(queries)
    this.messages.limit(negentropyMessages)
    this.#frameRate = frames
    this.sessions.resize(Math.min(MAX_SESSIONS, maxNegentropySessions - SPARE_SESSIONS))
    this.renew()
  }

  /** A new connection: the buckets are full. */
  renew(): void {
    this.queries.renew()
    this.messages.renew()
    this.#frames.fill(this.#frameRate?.burst ?? Infinity, this.#options.nowMs())
  }

  /**
   * Whether a question that is put off since then is put again, although others are answered in between. Each that is
   * given up halves the patience with the others: it may be all of them.
   */
  isWorthAnother(sinceMs: number): boolean {
    if (this.#options.nowMs() - sinceMs < this.#patienceMs) return true
    this.#patienceMs /= 2
    this.queries.forget()
    return false
  }

  /** A frame went out. */
  noteFrame(): void {
    if (this.#frameRate !== undefined) this.#frames.take(this.#frameRate, this.#options.nowMs())
  }

  /** Resolves when a query (REQ, NEG-OPEN) may go out. */
  async queryTurn(): Promise<Turn> {
    await this.roomForFrame()
    const turn = await this.queries.turn()
    // What was closed in a pause is closed before anything else is opened.
    this.#release()
    return turn
  }

  /** Resolves when a NEG-MSG may go out. */
  async messageTurn(): Promise<Turn> {
    await this.#whenQuiet()
    await this.roomForFrame()
    return this.messages.turn()
  }

  /** Resolves when there is room for a frame that can wait. */
  async roomForFrame(): Promise<void> {
    const { nowMs, signal } = this.#options
    for (;;) {
      const waitMs = this.#frameRate === undefined ? 0 : this.#frames.waitMs(this.#frameRate, nowMs(), SPARE_FRAMES)
      if (waitMs <= 0 || signal.aborted) return
      this.#beQuiet(nowMs() + waitMs)
      await pause(Math.ceil(waitMs), signal)
    }
  }

  /** Sends now, or at the end of a pause that is under way. */
  afterPause(send: () => void): void {
    if (this.#held.length === 0 && this.#options.nowMs() >= this.#quietUntilMs) send()
    else this.#held.push(send)
  }

  /** While frames are not counted, there is nothing to be quiet for. */
  #beQuiet(untilMs: number): void {
    if (this.#frameRate === undefined) return
    const isQuiet = this.#options.nowMs() < this.#quietUntilMs
    this.#quietUntilMs = Math.max(this.#quietUntilMs, untilMs)
    if (!isQuiet) void this.#whenQuiet().then(() => this.#release())
  }

  async #whenQuiet(): Promise<void> {
    const { nowMs, signal } = this.#options
    while (nowMs() < this.#quietUntilMs && !signal.aborted) {
      await pause(Math.ceil(this.#quietUntilMs - nowMs()), signal)
    }
  }

  #release(): void {
    for (const send of this.#held.splice(0)) send()
  }
}
