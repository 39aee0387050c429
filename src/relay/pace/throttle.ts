/*
 * One pace for all queries of a relay.
 *
 * A relay counts queries per connection, and some count refused ones too: if each REQ were retried on its own, the
 * bucket would stay empty for all. So when the relay says `rate-limited:`, or its bucket is known to be empty, all
 * queries pause together for a whole interval of silence. After a complaint one query goes first, and the others follow
 * once it is answered. For unknown software, the number of queries after a pause and the length of the pause are learnt
 * from complaints.
 */
import { pause } from './backoff.ts'
import { SilenceBucket, type SilenceRate } from './silence-bucket.ts'

/** The inputs of a throttle. Times are milliseconds. */
export type ThrottleOptions = {
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** The first pause after a complaint. */
  readonly silenceMs: number
  /** How long to keep pausing without a single answer in between. */
  readonly patienceMs: number
  /** When the last frame of any type went out, because a pause applies to all frames. */
  readonly lastFrameMs: () => number
  /** Called when a pause begins that lasts at least until this time. */
  readonly onPause: (untilMs: number) => void
}

/** A place in the sending order; `place` restarts at 1 after each pause. Every turn is settled exactly once. */
export type Turn = { readonly round: number; readonly place: number }

/** How a query ended; `lost`: without an answer. */
export type TurnEnd = 'taken' | 'refused' | 'lost'

type Probe = { readonly turn: Turn; readonly answered: Promise<void>; readonly resolve: () => void }

const LONGEST_PAUSE_MS = 60_000
/** How long to wait for open answers before a pause begins. */
const LONGEST_LAG_MS = 5_000
/** Rounds without a complaint before trying more; doubled whenever that was too much. */
const PROOFS_FIRST = 2

/** Hands out turns for queries, pauses all of them together, and learns from complaints. */
export class Throttle {
  readonly #options: ThrottleOptions
  readonly #bucket: SilenceBucket
  #known: SilenceRate | undefined
  #rate: SilenceRate | undefined
  #queue: Promise<unknown> = Promise.resolve()
  /** Incremented by each pause. */
  #round = 0
  #place = 0
  /** The round after the last complaint. */
  #complaintRound = 0
  #open = 0
  #taken = 0
  #proofsWanted = PROOFS_FIRST
  #hasTriedMore = false
  #wantsProbe = false
  #probe: Probe | undefined
  #onAnswered: () => void = () => undefined
  /** Since the last answer. */
  #pausedMs = 0
  #waitedMs = 0

  constructor(options: ThrottleOptions) {
    this.#options = options
    this.#bucket = new SilenceBucket(options.nowMs())
  }

  /** The total time that queries waited, in milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  /** Sets the known limit of the relay; it is never exceeded. */
  limit(known: SilenceRate | undefined): void {
    this.#known = known
    this.#rate = known
    this.renew()
  }

  /** A new connection: restores the burst, minus the queries in flight. */
  renew(): void {
    this.#bucket.fill((this.#rate?.burst ?? Infinity) - this.#open, this.#options.nowMs())
  }

  /** Resolves when the next query may be sent, or when the signal aborts. */
  turn(): Promise<Turn> {
    const turn = this.#queue.then(() => this.#take())
    this.#queue = turn
    return turn
  }

  /**
   * Notes how the query of a turn ended. Returns true if a refused query should get another turn; false once patience
   * has run out.
   */
  settle(turn: Turn, end: TurnEnd): boolean {
    this.#open -= 1
    this.#bucket.touch(this.#options.nowMs())
    this.#onAnswered()
    if (end === 'taken') this.#noteTaken(turn)
    // Queries sent together are refused together: only the first complaint of a round counts.
    if (end === 'refused' && turn.round === this.#round) this.#slowDown(turn)
    if (this.#probe?.turn === turn) {
      this.#probe.resolve()
      this.#probe = undefined
    }
    if (end === 'refused' && !this.#isPatient()) this.forget()
    return end === 'refused' && this.#isPatient()
  }

  /** Forgets what complaints have taught. Patience did not help, so the relay's complaint is not about the pace. */
  forget(): void {
    this.#rate = this.#known
    this.#wantsProbe = false
    this.renew()
  }

  async #take(): Promise<Turn> {
    const { nowMs } = this.#options
    const askedMs = nowMs()
    await this.#probe?.answered
    await this.#waitForSilence()
    if (this.#rate !== undefined) this.#bucket.take(this.#rate, nowMs())
    this.#waitedMs += nowMs() - askedMs
    this.#open += 1
    this.#place += 1
    const turn = { round: this.#round, place: this.#place }
    if (this.#wantsProbe) this.#startProbe(turn)
    return turn
  }

  async #waitForSilence(): Promise<void> {
    const { nowMs, signal, lastFrameMs, onPause } = this.#options
    for (let rate = this.#rate; rate !== undefined && !signal.aborted && this.#isPatient(); rate = this.#rate) {
      if (this.#bucket.waitMs(rate, nowMs()) <= 0) return
      await this.#whenAnswered()
      const waitMs = this.#bucket.waitMs(rate, nowMs())
      if (waitMs <= 0) return
      // The same silence should count for frames.
      const wholeMs = waitMs + Math.max(0, lastFrameMs() - this.#bucket.lastMs)
      onPause(nowMs() + wholeMs)
      await pause(Math.ceil(wholeMs), signal)
      this.#pausedMs += wholeMs
      this.#startRound()
    }
  }

  /** A busy relay may process a query long after it was sent, so its silence begins when all are answered. */
  async #whenAnswered(): Promise<void> {
    const { nowMs, signal } = this.#options
    for (const untilMs = nowMs() + LONGEST_LAG_MS; this.#open > 0 && nowMs() < untilMs && !signal.aborted;) {
      const waiting = new AbortController()
      const answered = new Promise<void>((resolve) => (this.#onAnswered = resolve))
      const isAborted = AbortSignal.any([signal, waiting.signal])
      await Promise.race([answered, pause(Math.ceil(untilMs - nowMs()), isAborted)])
      waiting.abort()
    }
  }

  #startRound(): void {
    this.#round += 1
    this.#place = 0
  }

  #startProbe(turn: Turn): void {
    this.#wantsProbe = false
    let resolve = (): void => undefined
    const answered = new Promise<void>((wake) => (resolve = wake))
    this.#probe = { turn, answered, resolve }
  }

  #noteTaken({ round }: Turn): void {
    this.#pausedMs = 0
    if (round < this.#complaintRound || this.#rate === undefined) return
    this.#taken += 1
    if (this.#taken >= this.#proofsWanted * this.#rate.gain) this.#tryMore(this.#rate)
  }

  #slowDown({ place }: Turn): void {
    this.#rate = this.#slower(place)
    this.#bucket.empty(this.#options.nowMs())
    this.#startRound()
    this.#complaintRound = this.#round
    this.#taken = 0
    if (this.#hasTriedMore) this.#proofsWanted *= 2
    this.#hasTriedMore = false
    this.#wantsProbe = true
  }

  /**
   * If the first query after a pause is refused, the pause was too short. Otherwise allow as many per pause as were
   * accepted.
   */
  #slower(place: number): SilenceRate {
    const rate = this.#rate
    if (rate === undefined) return evenRate(place - 1, this.#options.silenceMs)
    if (place > 1) return evenRate(Math.min(place - 1, rate.gain), rate.intervalMs)
    return { ...rate, intervalMs: Math.min(LONGEST_PAUSE_MS, 2 * rate.intervalMs) }
  }

  /** First one more, since a complaint meets all that were sent with it; twice as many where that was taken. */
  #tryMore({ gain, intervalMs }: SilenceRate): void {
    const more = this.#hasTriedMore ? 2 * gain : gain + 1
    this.#taken = 0
    this.#hasTriedMore = true
    this.#rate = this.#known ?? evenRate(more, intervalMs)
  }

  #isPatient(): boolean {
    return this.#pausedMs < this.#options.patienceMs
  }
}

function evenRate(count: number, intervalMs: number): SilenceRate {
  const size = Math.max(1, count)
  return { burst: size, gain: size, intervalMs }
}
