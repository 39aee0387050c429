import type { Rate } from '../../time.ts'
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
 * Only whole intervals since the last event earn anything: on each of several connections that are used in turn. When
 * the relay came to an event nobody knows, but it had when it answered: its silence begins then. That costs a round
 * trip an event, and no jitter of a network is ever taken for haste.
 */
export function createSilent({ burst, buckets: count = 1 }: Rate, nowMs: () => number): Allowance {
  const buckets = Array.from({ length: count }, () => new SilenceBucket(nowMs()))
  for (const bucket of buckets) bucket.fill(burst / count, nowMs())
  /** When the events were sent that are not answered. */
  const open = new Map<number, number>()
  let turns = 0

  const bucketOf = (turn: number): SilenceBucket | undefined => buckets[(turn - 1) % count]
  const perBucket = (rate: Rate) => ({ burst: rate.burst / count, gain: 1, intervalMs: rate.intervalMs * count })
  const isUsed = (bucket: SilenceBucket): boolean => [...open.keys()].some((turn) => bucketOf(turn) === bucket)
  const forgetLost = (): void => {
    for (const [turn, sentMs] of open) if (nowMs() - sentMs >= LONGEST_LAG_MS) open.delete(turn)
  }
  return {
    waitMs: (rate) => {
      const bucket = bucketOf(turns + 1)
      if (bucket === undefined || bucket.left >= 1) return 0
      forgetLost()
      const waitMs = bucket.waitMs(perBucket(rate), nowMs())
      return isUsed(bucket) ? Math.max(LOOK_AGAIN_MS, waitMs) : waitMs
    },
    take: (rate) => {
      turns += 1
      open.set(turns, nowMs())
      if (rate !== undefined) bucketOf(turns)?.take(perBucket(rate), nowMs())
    },
    answered: (turn) => {
      if (open.delete(turn)) bucketOf(turn)?.touch(nowMs())
    },
    empty: () => {
      for (const bucket of buckets) bucket.empty(nowMs())
    },
  }
}
