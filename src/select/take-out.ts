import { countHeld } from '../receive/take-in.ts'
import type { Run } from '../run/run.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'

/** Removes an event that is not sent from the spool, or settles it if it was parked, and counts why. */
export function takeOut(spooled: SpooledEvent, why: string, run: ScopedRun): void {
  const { fate } = run
  if (spooled.state === 'parked') return settleParked(spooled, why, run)
  if (why !== 'held') return fate.drop(spooled, why)
  fate.forget(spooled)
  countHeld(spooled.layer, spooled.event, run)
}

function settleParked(spooled: SpooledEvent, why: string, { fate, ledger }: Run): void {
  switch (why) {
    case 'held':
      ledger.note('Some events that waited on disk are served by the target now.')
      return fate.settle(spooled, 'accepted')
    case 'superseded':
    case 'vanished':
    case 'deleted':
    case 'expired':
      return fate.settle(spooled, why)
    default:
      return fate.drop(spooled, why)
  }
}
