import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'

const PENDING_SECONDS = 35 * 60
const PURGATORY_SECONDS = 30 * 60
const ERROR_RUNS = 3
const ERROR_SECONDS = 86_400

/** The state of a parked event; see `SpooledEvent`. */
type Waiting = {
  readonly outcome: Outcome | undefined
  readonly isOrphan: boolean
  readonly errorRuns: number
  readonly parkedAt: UnixSeconds | undefined
  readonly lastOkAt: UnixSeconds | undefined
  readonly retryAt: UnixSeconds | undefined
}

/** Earliest time to send a parked event again; undefined if it does not wait for a time. */
export function nextTryAt({
  outcome,
  lastOkAt,
  retryAt,
}: Pick<Waiting, 'outcome' | 'lastOkAt' | 'retryAt'>): UnixSeconds | undefined {
  if (retryAt !== undefined) return retryAt
  return outcome === 'pending' && lastOkAt !== undefined ? lastOkAt + PENDING_SECONDS : undefined
}

/** The time until which ngit-grasp keeps an event that waits for git data: 30 minutes from its last OK. */
export function keptUntil(lastOkAt: UnixSeconds): UnixSeconds {
  return lastOkAt + PURGATORY_SECONDS
}

/**
 * Why a parked event is not sent in this run; `undefined` if it may be sent. Times are those of ngit-grasp's purgatory.
 */
export function parkedWait(spooled: Waiting, { now }: { now: UnixSeconds }): string | undefined {
  if (spooled.isOrphan) return 'until the target serves its parent'
  if ((nextTryAt(spooled) ?? 0) <= now) return undefined
  return spooled.retryAt === undefined ? 'asked for, while the target may still hold it back' : 'not yet'
}

type Erring = Pick<Waiting, 'errorRuns' | 'parkedAt'>

/** Whether an event met errors in three runs over at least a day; such an answer counts as a refusal. */
export function hasLasted({ errorRuns, parkedAt }: Erring, now: UnixSeconds): boolean {
  return errorRuns >= ERROR_RUNS && isOldEnough(parkedAt, now)
}

/** Whether one more error turns it into a refusal. */
export function isLastTry({ errorRuns, parkedAt }: Erring, now: UnixSeconds): boolean {
  return errorRuns + 1 >= ERROR_RUNS && isOldEnough(parkedAt, now)
}

function isOldEnough(parkedAt: UnixSeconds | undefined, now: UnixSeconds): boolean {
  return now - (parkedAt ?? now) >= ERROR_SECONDS
}
