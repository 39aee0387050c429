/*
 * How fast a relay takes events. A bucket that starts from what is known of the software and learns from
 * `rate-limited:` answers, which are never refusals (relays.md: EVENT limits).
 */
import { createSilent, createSteady } from './allowance.ts'
import { createPace, SLACK_MS } from './pace.ts'
import type { Rate } from '../../time.ts'

/** Hands out turns. Times are milliseconds of the clock that was handed in. */
export type Pacer = {
  /** Resolves with the number of the turn when the next event may be sent, or when the signal is aborted. */
  turn(): Promise<number>
  /** The relay said `rate-limited:` to the event of this turn. False when nothing follows: the pace changed since. */
  slowDown(turn: number): boolean
  /** The relay answered the event of this turn, whatever it said of it. */
  taken(turn: number): void
  /** Nothing more will be sent: every turn comes at once, also those that wait. */
  stop(): void
  /** The rate in force; `undefined` while none is known to be needed. */
  rate(): Rate | undefined
  /** How long events had to wait for their turn, in milliseconds; those that waited at the same time count once. */
  waitedMs(): number
}

export type PacerOptions = {
  /** Where to start, and never to be exceeded. */
  readonly rate: Rate | undefined
  readonly nowMs: () => number
  /** Waits; returns early when the signal that it is given is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

/** What is known of a relay's limit from its software, before it ever complained. */
export function knownRate(software: string | undefined): Rate | undefined {
  const name = software?.toLowerCase() ?? ''
  if (name.includes('ngit-grasp')) return { burst: 60, intervalMs: 1_000 + SLACK_MS, buckets: 1 }
  if (name.includes('ngit-relay')) return { burst: 15, intervalMs: 60_000 + SLACK_MS }
  return undefined
}

/** The rate of several connections together, when each has this one. */
export function combineRates(rate: Rate | undefined, connections: number): Rate | undefined {
  if (rate === undefined) return undefined
  const { burst, intervalMs, buckets } = rate
  return {
    burst: burst * connections,
    intervalMs: intervalMs / connections,
    ...(buckets !== undefined && { buckets: buckets * connections }),
  }
}

/** How long it takes to send this many events, in milliseconds. */
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

/** Rounded up: the slack is ours, not the relay's. */
function inWords(count: number, unit: string): string {
  const rounded = Math.ceil(count - 0.01)
  return `${rounded} event${rounded === 1 ? '' : 's'} ${unit === 'hour' ? 'an' : 'a'} ${unit}`
}

/** A pacer in front of one connection, or of several that share the work. */
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
