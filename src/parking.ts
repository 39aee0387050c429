import type { SpooledEvent } from './store/spool.ts'
import type { UnixSeconds } from './time.ts'

const PENDING_SECONDS = 35 * 60

/** Why a parked event is not sent in this run; `undefined` when it may be. Times are those of ngit-grasp's purgatory. */
export function parkedWait(
  { outcome, lastOkAt, retryAt, isOrphan }: SpooledEvent,
  { now }: { now: UnixSeconds },
): string | undefined {
  if (retryAt !== undefined && retryAt > now) return 'not yet'
  if (isOrphan) return 'until the target serves its parent'
  const isPending = outcome === 'pending' && now - (lastOkAt ?? 0) < PENDING_SECONDS
  return isPending ? 'asked for, not sent again, while the target may still hold it back' : undefined
}
