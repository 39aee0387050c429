import type { Rate } from './pace.ts'
import { SilenceBucket } from './silence-bucket.ts'

/** What may still be sent, by one way of counting. Times are milliseconds. */
export interface Allowance {
  /** How long to wait for the next event at this rate: 0 when it may be sent. `hasWaited`: for it alone. */
  waitMs(rate: Rate, hasWaited: boolean): number
  /** The next event is sent. */
  take(rate: Rate | undefined): void
  /** The relay answered the event of this turn; turns count from 1. */
  answered(turn: number): void
  /** The relay says that nothing is left. */
  empty(): void
}

/** How long an answer is waited for before a silence begins; the longest that one usually takes. */
const LONGEST_LAG_MS = 10_000
const LOOK_AGAIN_MS = 20

/** Time earns fractions of an event, whatever is sent meanwhile. */
export function createSteady(first: Rate | undefined, nowMs: () => number): Allowance {
  let tokens = first?.burst ?? Infinity
  let refilledAt = nowMs()
  return {
    waitMs: ({ burst, intervalMs }, hasWaited) => {
      // What a late timer earned beyond one token is not saved up: the gap to the next event would be too short.
      tokens = Math.min(hasWaited ? 1 : burst, tokens + (nowMs() - refilledAt) / intervalMs)
      refilledAt = nowMs()
      return (1 - tokens) * intervalMs
    },
    take: () => void (tokens -= 1),
    answered: () => undefined,
    empty: () => {
      tokens = 0
      refilledAt = nowMs()
    },
  }
}

/**
 * Only whole intervals since the last event earn anything: on each of several connections that are used in turn. A relay
 * that is busy comes to an event long after it was sent: its silence begins when all are answered.
 */
export function createSilent({ burst, buckets: count = 1 }: Rate, nowMs: () => number): Allowance {
  const buckets = Array.from({ length: count }, () => new SilenceBucket(nowMs()))
  for (const bucket of buckets) bucket.fill(burst / count, nowMs())
  /** When the events were sent that are not answered. */
  const open = new Map<number, number>()
  /** Those that found others before them: the relay may have come to them as late as they were answered. */
  const queued = new Set<number>()
  let turns = 0

  const bucketOf = (turn: number): SilenceBucket | undefined => buckets[(turn - 1) % count]
  const perBucket = (rate: Rate) => ({ burst: rate.burst / count, gain: 1, intervalMs: rate.intervalMs * count })
  const forget = (turn: number): boolean => {
    open.delete(turn)
    return queued.delete(turn)
  }
  const isLagging = (): boolean => {
    for (const [turn, sentMs] of open) if (nowMs() - sentMs >= LONGEST_LAG_MS) forget(turn)
    return open.size > 0
  }
  return {
    waitMs: (rate) => {
      const bucket = bucketOf(turns + 1)
      if (bucket === undefined || bucket.left >= 1) return 0
      const waitMs = bucket.waitMs(perBucket(rate), nowMs())
      return isLagging() ? Math.max(LOOK_AGAIN_MS, waitMs) : waitMs
    },
    take: (rate) => {
      turns += 1
      if (rate !== undefined) bucketOf(turns)?.take(perBucket(rate), nowMs())
      if (open.size > 0) queued.add(turns)
      open.set(turns, nowMs())
    },
    answered: (turn) => {
      if (forget(turn)) bucketOf(turn)?.touch(nowMs())
    },
    empty: () => {
      for (const bucket of buckets) bucket.empty(nowMs())
    },
  }
}
