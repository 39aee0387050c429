/*
 * How fast a relay takes events. A token bucket that starts from what is known of the software and learns from
 * `rate-limited:` answers, which are never refusals (relays.md: EVENT limits).
 */

/** A rate: `burst` events at once, then one per `intervalMs`. */
export type Rate = { readonly burst: number; readonly intervalMs: number }

/** Hands out turns. Times are milliseconds of the clock that was handed in. */
export type Pacer = {
  /** Resolves with the number of the turn when the next event may be sent, or when the signal is aborted. */
  turn(): Promise<number>
  /** The relay said `rate-limited:` to the event of this turn: the burst is over, and the interval was too short. */
  slowDown(turn: number): void
  /** The rate in force; `undefined` while none is known to be needed. */
  rate(): Rate | undefined
}

export type PacerOptions = {
  readonly rate: Rate | undefined
  readonly nowMs: () => number
  /** Waits; returns early when the signal is aborted. */
  readonly sleep: (ms: number) => Promise<void>
  readonly signal: AbortSignal
}

/** Relays refill by whole seconds of their own clock: a little slack keeps every event on the right side. */
const SLACK_MS = 10
const FIRST_INTERVAL_MS = 1_000 + SLACK_MS
const MAX_INTERVAL_MS = 60_000 + SLACK_MS

/** What is known of a relay's limit from its software, before it ever complained. */
export function knownRate(software: string | undefined): Rate | undefined {
  const name = software?.toLowerCase() ?? ''
  if (name.includes('ngit-grasp')) return { burst: 60, intervalMs: 1_000 + SLACK_MS }
  if (name.includes('ngit-relay')) return { burst: 15, intervalMs: 60_000 + SLACK_MS }
  return undefined
}

/** How long it takes to send this many events, in milliseconds. */
export function projectedMs(events: number, rate: Rate | undefined): number {
  return rate === undefined ? 0 : Math.max(0, events - rate.burst) * rate.intervalMs
}

/** A pacer in front of one connection. */
export function createPacer({ rate: first, nowMs, sleep, signal }: PacerOptions): Pacer {
  let rate = first
  let tokens = rate?.burst ?? Infinity
  let refilledAt = nowMs()
  let queue = Promise.resolve(0)
  let turns = 0
  let slowedAfter = 0

  const refill = (limit: Rate): void => {
    const earned = (nowMs() - refilledAt) / limit.intervalMs
    tokens = Math.min(limit.burst, tokens + earned)
    refilledAt = nowMs()
  }
  const take = async (): Promise<number> => {
    while (rate !== undefined && !signal.aborted) {
      refill(rate)
      if (tokens >= 1) break
      await sleep(Math.ceil((1 - tokens) * rate.intervalMs))
    }
    tokens -= 1
    turns += 1
    return turns
  }
  return {
    turn: () => {
      const turn = queue.then(take)
      queue = turn
      return turn
    },
    slowDown: (turn) => {
      // What was in flight with the first refused event is refused as well: that says nothing of the new rate.
      if (turn <= slowedAfter) return
      slowedAfter = turns
      const intervalMs = rate === undefined ? FIRST_INTERVAL_MS : Math.min(MAX_INTERVAL_MS, rate.intervalMs * 1.25)
      rate = { burst: 1, intervalMs }
      tokens = 0
      refilledAt = nowMs()
    },
    rate: () => rate,
  }
}
