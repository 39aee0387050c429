import { INTERRUPTED, LostRelayError, reasonOf } from '../errors.ts'
import { isDoorForReading } from '../relay/answers.ts'
import type { World } from './world.ts'

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
const INTERRUPTION: Stop = { type: 'interrupted', reason: INTERRUPTED }

type Ends = Pick<World, 'signal' | 'deadline'>

/** Why nothing more is begun; `undefined` while the run goes on. */
export function stopOfTime({ signal, deadline }: Ends): Stop | undefined {
  if (signal.aborted) return INTERRUPTION
  return deadline.aborted ? { type: 'deadline', reason: reasonOf(deadline.reason) } : undefined
}

/**
 * Why a run stops when this was thrown: the target no longer answers, or answers others but not us; a signal came; or
 * time was up. `undefined`: something else went wrong.
 */
export function stopAfter(error: unknown, ends: Ends): Stop | undefined {
  const { signal, deadline } = ends
  const isOfTime = (signal.aborted && error === signal.reason) || (deadline.aborted && error === deadline.reason)
  if (isOfTime) return stopOfTime(ends)
  if (!(error instanceof LostRelayError)) return undefined
  if (signal.aborted) return INTERRUPTION
  const reason = reasonOf(error)
  return { type: isDoorForReading(reason) ? 'door' : 'stopped', reason }
}
