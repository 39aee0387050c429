import { INTERRUPTED, reasonOf, type LostRelayError } from '../errors.ts'
import { isDoorForReading } from '../relay/answers.ts'

/**
 * Publishing stopped early, and why. Everything unsent is parked; `implausible`: nothing was sent, and only what waited
 * before does.
 */
export type Stop = {
  readonly type: 'door' | 'implausible' | 'stopped' | 'deadline' | 'interrupted'
  readonly reason: string
  /** Every announcement that names the service was refused: perhaps it is not the target's service. */
  readonly doubtsService?: true
}

/** A signal came. */
export const INTERRUPTION: Stop = { type: 'interrupted', reason: INTERRUPTED }

/** Returns why a run stops when the target no longer answers, or answers others but not us. */
export function stopAfterLoss(error: LostRelayError, signal: AbortSignal): Stop {
  if (signal.aborted) return INTERRUPTION
  const reason = reasonOf(error)
  return { type: isDoorForReading(reason) ? 'door' : 'stopped', reason }
}
