/*
 * Paces the events sent to a relay. The bucket starts from known limits of the software and learns from `rate-limited:`
 * answers, which are never refusals (relays.md: EVENT limits).
 */
import { createSilent, createSteady } from './allowance.ts'
import { createPace, SLACK_MS } from './pace.ts'
import type { Rate } from '../../time.ts'

/** Hands out turns. Times are milliseconds of the given clock. */
export type Pacer = {
  /** Resolves with the turn number when the next event may be sent, or when the signal aborts. */
  turn(): Promise<number>
  /** The relay said `rate-limited:` to the event of this turn. Returns false if the pace has already changed since. */
  slowDown(turn: number): boolean
  /** The relay answered the event of this turn with anything else. */
  taken(turn: number): void
  /** Nothing more will be sent: releases all turns at once, including waiting ones. */
  stop(): void
  /** The current rate; `undefined` while no limit is known. */
  rate(): Rate | undefined
  /** How long events waited for their turn, in milliseconds; simultaneous waits count once. */
  waitedMs(): number
}

export type PacerOptions = {
  /** The initial and fastest rate. */
  readonly rate: Rate | undefined
  readonly nowMs: () => number
  /** Waits; returns early when the given signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

/** The known rate limit of this software, before any complaint. */
export function knownRate(software: string | undefined): Rate | undefined {
  const name = software?.toLowerCase() ?? ''
  if (name.includes('ngit-grasp')) return { burst: 60, intervalMs: 1_000 + SLACK_MS, buckets: 1 }
  if (name.includes('ngit-relay')) return { burst: 15, intervalMs: 60_000 + SLACK_MS }
  return undefined
}

/** The combined rate of several connections with this rate each. */
export function combineRates(rate: Rate | undefined, connections: number): Rate | undefined {
  if (rate === undefined) return undefined
  const { burst, intervalMs, buckets } = rate
  return {
    burst: burst * connections,
    intervalMs: intervalMs / connections,
    ...(buckets !== undefined && { buckets: buckets * connections }),
  }
}

/** How long sending this many events takes, in milliseconds. */
export function projectedMs(events: number, rate: Rate | undefined): number {
  return rate === undefined ? 0 : Math.max(0, events - rate.burst) * rate.intervalMs
}

/** A rate in words: `20 events a second`, `60 events a minute`. */
export function describeRate({ intervalMs }: Rate): string {
  if (intervalMs <= 500) return inWords(1_000 / intervalMs, 'second')
  return intervalMs <= 60_000 + SLACK_MS
    ? inWords(60_000 / intervalMs, 'minute')
    : inWords(3_600_000 / intervalMs, 'hour')
}

/** Rounds up, because the slack is ours, not the relay's. */
function inWords(count: number, unit: string): string {
  const rounded = Math.ceil(count - 0.01)
  return `${rounded} event${rounded === 1 ? '' : 's'} ${unit === 'hour' ? 'an' : 'a'} ${unit}`
}

/** Returns a pacer for one connection, or for several that share the work. */
export function createPacer({ rate: first, nowMs, sleep, signal: interruption }: PacerOptions): Pacer {
  const stopped = new AbortController()
  const signal = AbortSignal.any([interruption, stopped.signal])
  const pace = createPace(first)
  const allowance = first?.buckets === undefined ? createSteady(first, nowMs) : createSilent(first, nowMs)
  let queue = Promise.resolve(0)
  let waitedMs = 0

  const take = async (): Promise<number> => {
    const askedAt = nowMs()
    let hasWaited = false
    for (let rate = pace.rate(); rate !== undefined && !signal.aborted; rate = pace.rate()) {
      const waitMs = allowance.waitMs(rate, hasWaited)
      if (waitMs <= 0) break
      await sleep(Math.ceil(waitMs), signal)
      hasWaited = true
    }
    allowance.take(pace.rate())
    waitedMs += nowMs() - askedAt
    return pace.nextTurn()
  }
  return {
    turn: () => {
      const turn = queue.then(take)
      queue = turn
      return turn
    },
    slowDown: (turn) => {
      allowance.answered(turn)
      if (!pace.slowDown(turn)) return false
      allowance.empty()
      return true
    },
    taken: (turn) => {
      allowance.answered(turn)
      pace.taken(turn)
    },
    stop: () => stopped.abort(),
    rate: () => pace.rate(),
    waitedMs: () => waitedMs,
  }
}
