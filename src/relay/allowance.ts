import type { Rate } from './pace.ts'
import { SilenceBucket } from './silence-bucket.ts'

/** What may still be sent, by one way of counting. Times are milliseconds. */
export interface Allowance {
  /** How long to wait for the next event at this rate: 0 when it may be sent. `hasWaited`: for it alone. */
  waitMs(rate: Rate, hasWaited: boolean): number
  /** The next event is sent. */
  take(rate: Rate | undefined): void
  /** The relay says that nothing is left. */
  empty(): void
}

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
    empty: () => {
      tokens = 0
      refilledAt = nowMs()
    },
  }
}

/** Only whole intervals since the last event earn anything: on each of several connections that are used in turn. */
export function createSilent({ burst, buckets: count = 1 }: Rate, nowMs: () => number): Allowance {
  const buckets = Array.from({ length: count }, () => new SilenceBucket(nowMs()))
  for (const bucket of buckets) bucket.fill(burst / count, nowMs())
  let turn = 0
  const next = (): SilenceBucket | undefined => buckets[turn % count]
  const perBucket = (rate: Rate) => ({ burst: rate.burst / count, gain: 1, intervalMs: rate.intervalMs * count })
  return {
    waitMs: (rate) => next()?.waitMs(perBucket(rate), nowMs()) ?? 0,
    take: (rate) => {
      if (rate !== undefined) next()?.take(perBucket(rate), nowMs())
      turn += 1
    },
    empty: () => {
      for (const bucket of buckets) bucket.empty(nowMs())
    },
  }
}
