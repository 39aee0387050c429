import type { SpooledEvent } from './store/spooled-event.ts'
import type { UnixSeconds } from './time.ts'

const PENDING_SECONDS = 35 * 60

/** Before which time a parked event is not sent; `undefined` when that is no matter of time. */
export function nextTryAt(spooled: Pick<SpooledEvent, 'outcome' | 'lastOkAt' | 'retryAt'>): UnixSeconds | undefined {
  const { outcome, lastOkAt, retryAt } = spooled
  if (retryAt !== undefined) return retryAt
  return outcome === 'pending' && lastOkAt !== undefined ? lastOkAt + PENDING_SECONDS : undefined
}

/** Why a parked event is not sent in this run; `undefined` when it may be. Times are those of ngit-grasp's purgatory. */
export function parkedWait(spooled: SpooledEvent, { now }: { now: UnixSeconds }): string | undefined {
  if (spooled.isOrphan) return 'until the target serves its parent'
  if ((nextTryAt(spooled) ?? 0) <= now) return undefined
  return spooled.retryAt === undefined ? 'asked for, while the target may still hold it back' : 'not yet'
}
