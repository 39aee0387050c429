import { pause } from './backoff.ts'
import type { KnownLimits } from './known-limits.ts'
import { SilenceBucket, type SilenceRate } from './silence-bucket.ts'
import { Slots } from './slots.ts'
import { Throttle, type Turn } from './throttle.ts'

/** The inputs of traffic control for one relay. Times are milliseconds. */
export type TrafficOptions = {
  /** A monotonic clock. */
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** The first pause after a complaint of an unknown relay. */
  readonly silenceMs: number
  /** How long to wait for a relay that postpones everything. */
  readonly patienceMs: number
  /** Called when questions begin to wait for about this long. */
  readonly onWait?: (waitMs: number) => void
}

/** Reserved for frames that are never held back: CLOSE of open subscriptions, AUTH, pongs. */
const SPARE_FRAMES = 200
/** Sessions open at once when no limit is known. */
const MAX_SESSIONS = 8
/** Kept below the relay's session limit, for NEG-CLOSEs that it has not seen yet. */
const SPARE_SESSIONS = 2

/**
 * Counts and paces everything sent to one relay. Queries (REQ, NEG-OPEN) and NEG-MSG each have a pace. Frames of all
 * types share a bucket where it is known; a relay that finds it empty hangs up without a message. So a pause of one
 * kind holds back all frames that can wait; otherwise streams of different frames could starve each other.
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
      onPause: (untilMs: number) => {
        options.onWait?.(Math.round(untilMs - options.nowMs()))
        this.#beQuiet(untilMs)
      },
    }
    this.queries = new Throttle(throttle)
    this.messages = new Throttle(throttle)
  }

  /** How long queries and messages waited in total. */
  get waitedMs(): number {
    return this.queries.waitedMs + this.messages.waitedMs
  }

  /** Sets the known limits of the relay. */
  limit({ queries, negentropyMessages, frames, maxNegentropySessions = Infinity }: KnownLimits): void {
    this.queries.limit(queries)
    this.messages.limit(negentropyMessages)
    this.#frameRate = frames
    this.sessions.resize(Math.min(MAX_SESSIONS, maxNegentropySessions - SPARE_SESSIONS))
    this.renew()
  }

  /** A new connection: refills the buckets. */
  renew(): void {
    this.queries.renew()
    this.messages.renew()
    this.#frames.fill(this.#frameRate?.burst ?? Infinity, this.#options.nowMs())
  }

  /**
   * Whether to repeat a question that has been postponed since `sinceMs` while others were answered. Each question
   * given up halves the patience with the rest, because the relay may postpone them all.
   */
  isWorthAnother(sinceMs: number): boolean {
    if (this.#options.nowMs() - sinceMs < this.#patienceMs) return true
    this.#patienceMs /= 2
    this.queries.forget()
    return false
  }

  /** Counts a frame as sent. */
  noteFrame(): void {
    if (this.#frameRate !== undefined) this.#frames.take(this.#frameRate, this.#options.nowMs())
  }

  /** Resolves when a query (REQ, NEG-OPEN) may be sent. */
  async queryTurn(): Promise<Turn> {
    await this.roomForFrame()
    const turn = await this.queries.turn()
    // Close what was held back during a pause before opening anything new.
    this.#release()
    return turn
  }

  /** Resolves when a NEG-MSG may be sent. */
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

  /** Sends now, or at the end of the current pause. */
  afterPause(send: () => void): void {
    if (this.#held.length === 0 && this.#options.nowMs() >= this.#quietUntilMs) send()
    else this.#held.push(send)
  }

  /** Does nothing while frames are not counted. */
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
