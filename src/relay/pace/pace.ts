import type { Rate } from '../../time.ts'

/** Relays refill by whole seconds of their own clock; a little slack keeps every event inside the limit. */
export const SLACK_MS = 10

const FIRST_INTERVAL_MS = 1_000 + SLACK_MS
const MAX_INTERVAL_MS = 60_000 + SLACK_MS
const SLOWER = 1.5
/**
 * A pace counts as proved after PROOFS_FIRST accepted events (doubled after each complaint), or as many as it sends in
 * PROOF_MS, whichever is more.
 */
const PROOFS_FIRST = 3
const PROOF_MS = 1_000

/**
 * The current rate and what was learnt about it; never faster than `first`. Slows down at once after a complaint. Then
 * speeds up again, doubling the pace each time, until a pace is too fast; that pace is not tried again.
 */
export function createPace(first: Rate | undefined) {
  let rate = first
  let fastestMs = first?.intervalMs ?? 1
  /** The pace before the one being tried. */
  let beforeMs: number | undefined
  let turns = 0
  /** The last turn before the last complaint, and before the last change. */
  let slowedAfter = 0
  let changedAfter = 0
  let proofs = 0
  let proofsWanted = PROOFS_FIRST

  const change = (intervalMs: number): void => {
    const { buckets } = first ?? {}
    rate = { burst: buckets ?? 1, intervalMs, ...(buckets !== undefined && { buckets }) }
    changedAfter = turns
    proofs = 0
  }
  const slower = (): number => {
    if (rate === undefined) return FIRST_INTERVAL_MS
    if (beforeMs !== undefined) return (fastestMs = beforeMs)
    // The first complaint may be only about the burst.
    if (rate.burst > (rate.buckets ?? 1)) return rate.intervalMs
    return Math.min(Math.max(MAX_INTERVAL_MS, fastestMs), rate.intervalMs * SLOWER)
  }
  const speedUp = ({ intervalMs }: Rate): void => {
    beforeMs = undefined
    if (intervalMs <= fastestMs) return
    beforeMs = intervalMs
    change(Math.max(fastestMs, intervalMs / 2))
  }
  return {
    rate: (): Rate | undefined => rate,
    /**
     * Returns false if the event of this turn was sent at an earlier pace: events in flight together are refused
     * together.
     */
    slowDown: (turn: number): boolean => {
      if (turn <= slowedAfter) return false
      if (slowedAfter > 0) proofsWanted *= 2
      change(slower())
      beforeMs = undefined
      slowedAfter = turns
      return true
    },
    /** The relay accepted the event of this turn. */
    taken: (turn: number): void => {
      if (rate === undefined || turn <= changedAfter) return
      proofs += 1
      if (proofs >= Math.max(proofsWanted, PROOF_MS / rate.intervalMs)) speedUp(rate)
    },
    /** The number of the next turn. */
    nextTurn: (): number => (turns += 1),
  }
}
