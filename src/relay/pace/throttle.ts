/*
 * One pace for all queries of a relay.
 *
 * A relay counts queries per connection, and at some a refused one counts as well: who repeats each REQ for itself
 * keeps the bucket of all empty. So when the relay says `rate-limited:`, or its bucket is known to be empty, everything
 * pauses together for a whole interval of silence. After a complaint one query goes first, and the others when it was
 * answered. Where the software is not known, how many it takes after a pause and how long that must be is learnt from
 * complaints.
 */
import { pause } from './backoff.ts'
import { SilenceBucket, type SilenceRate } from './silence-bucket.ts'

/** What a throttle works with. Times are milliseconds. */
export type ThrottleOptions = {
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** The first pause after a complaint. */
  readonly silenceMs: number
  /** How long to go on pausing without a single answer in between. */
  readonly patienceMs: number
  /** When the last frame of any type went out: a pause is one of all of them. */
  readonly lastFrameMs: () => number
  /** A pause began, which ends not before this time. */
  readonly onPause: (untilMs: number) => void
}

/** A place in the order of sending: `place` counts from 1 after each pause. Every turn is `settle`d once. */
export type Turn = { readonly round: number; readonly place: number }

/** How the query of a turn was answered; `lost`: not at all. */
export type TurnEnd = 'taken' | 'refused' | 'lost'

type Probe = { readonly turn: Turn; readonly answered: Promise<void>; readonly resolve: () => void }

const LONGEST_PAUSE_MS = 60_000
/** How long answers are waited for before a pause begins. */
const LONGEST_LAG_MS = 5_000
/** Rounds without a complaint after which more is tried, twice as many whenever that was too much. */
const PROOFS_FIRST = 2

/** Hands out turns for queries, pauses for all of them, and learns from complaints. */
export class Throttle {
  readonly #options: ThrottleOptions
  readonly #bucket: SilenceBucket
  #known: SilenceRate | undefined
  #rate: SilenceRate | undefined
  #queue: Promise<unknown> = Promise.resolve()
  /** Goes up with each pause. */
  #round = 0
  #place = 0
  /** The round that followed the last complaint. */
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

  /** How long queries had to wait in all, in milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  /** Notes what is known of the relay; it is never exceeded. */
  limit(known: SilenceRate | undefined): void {
    this.#known = known
    this.#rate = known
    this.renew()
  }

  /** A new connection: what the relay allows at once is whole again, less what is under way. */
  renew(): void {
    this.#bucket.fill((this.#rate?.burst ?? Infinity) - this.#open, this.#options.nowMs())
  }

  /** Resolves when the next query may go out, or the signal is aborted. */
  turn(): Promise<Turn> {
    const turn = this.#queue.then(() => this.#take())
    this.#queue = turn
    return turn
  }

  /**
   * Notes how the query of a turn ended. Returns whether a refused one is worth another turn: not once patience has run
   * out.
   */
  settle(turn: Turn, end: TurnEnd): boolean {
    this.#open -= 1
    this.#bucket.touch(this.#options.nowMs())
    this.#onAnswered()
    if (end === 'taken') this.#noteTaken(turn)
    // What was sent together is refused together: only the first complaint of a round counts.
    if (end === 'refused' && turn.round === this.#round) this.#slowDown(turn)
    if (this.#probe?.turn === turn) {
      this.#probe.resolve()
      this.#probe = undefined
    }
    if (end === 'refused' && !this.#isPatient()) this.forget()
    return end === 'refused' && this.#isPatient()
  }

  /** Forgets what complaints have taught: patience did not help, so it is not the pace that the relay means. */
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
      // The same silence shall count for frames.
      const wholeMs = waitMs + Math.max(0, lastFrameMs() - this.#bucket.lastMs)
      onPause(nowMs() + wholeMs)
      await pause(Math.ceil(wholeMs), signal)
      this.#pausedMs += wholeMs
      this.#startRound()
    }
  }

  /** A relay that is busy comes to a query long after it was sent: its silence begins when all are answered. */
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

  /** Refused first after a pause: the pause was too short. Else as many as were taken may go between two pauses. */
  #slower(place: number): SilenceRate {
    const rate = this.#rate
    if (rate === undefined) return evenRate(place - 1, this.#options.silenceMs)
    if (place > 1) return evenRate(Math.min(place - 1, rate.gain), rate.intervalMs)
    return { ...rate, intervalMs: Math.min(LONGEST_PAUSE_MS, 2 * rate.intervalMs) }
  }

  #tryMore({ gain, intervalMs }: SilenceRate): void {
    this.#taken = 0
    this.#hasTriedMore = true
    this.#rate = this.#known ?? evenRate(2 * gain, intervalMs)
  }

  #isPatient(): boolean {
    return this.#pausedMs < this.#options.patienceMs
  }
}

function evenRate(count: number, intervalMs: number): SilenceRate {
  const size = Math.max(1, count)
  return { burst: size, gain: size, intervalMs }
}
