import type { Rate } from '../../time.ts'
import { SilenceBucket } from './silence-bucket.ts'

/** Tracks what may still be sent, by one way of counting. Times are milliseconds. */
export interface Allowance {
  /**
   * How long to wait for the next event at this rate; 0 if it may go now. `hasWaited`: the caller already waited for
   * it.
   */
  waitMs(rate: Rate, hasWaited: boolean): number
  /** Counts the next event as sent. */
  take(rate: Rate | undefined): void
  /** The relay answered the event of this turn; turns count from 1. */
  answered(turn: number): void
  /** The relay says that nothing is left. */
  empty(): void
}

/** The longest time that an answer usually takes; without one by then, the silence begins. */
const LONGEST_LAG_MS = 10_000
const LOOK_AGAIN_MS = 20

/** Earns fractions of an event over time, whatever is sent meanwhile. */
export function createSteady(first: Rate | undefined, nowMs: () => number): Allowance {
  let tokens = first?.burst ?? Infinity
  let refilledAt = nowMs()
  return {
    waitMs: ({ burst, intervalMs }, hasWaited) => {
      // A late timer must not earn more than one token: the next gap would be too short.
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
 * Earns only for whole intervals since the last event, on each of several connections used in turn. Nobody knows when
 * the relay processed an event, but it had done so when it answered, so its silence begins then. That costs one round
 * trip per event, and network jitter never looks like haste.
 */
export function createSilent({ burst, buckets: count = 1 }: Rate, nowMs: () => number): Allowance {
  const buckets = Array.from({ length: count }, () => new SilenceBucket(nowMs()))
  for (const bucket of buckets) bucket.fill(burst / count, nowMs())
  /** When each unanswered event was sent, by turn. */
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
