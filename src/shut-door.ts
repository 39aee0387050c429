import type { PublishStop } from './door.ts'
import { gistOf } from './gist.ts'
import type { Ledger } from './ledger.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import type { TargetState } from './store/target-state.ts'
import type { UnixSeconds } from './time.ts'

const PIECE = 250

/**
 * Parks everything, for a target that refuses us: what was not settled yet, and what this run settled because of the
 * same text, which did not mean the event. `startedAt` is when the run began. The ledger forgets such refusals.
 */
export function shutDoor(
  { reason }: PublishStop,
  {
    state,
    ledger,
    startedAt,
  }: { readonly state: TargetState; readonly ledger: Ledger; readonly startedAt: UnixSeconds },
): void {
  const { spool } = state
  const gist = gistOf(reason)
  for (const piece of spool.inState('confirming', PIECE)) {
    const meant = piece.filter((spooled) => spooled.outcome === 'waiting' && gistOf(causeOf(spooled)) === gist)
    state.transaction(() => {
      for (const { event, isOrphan } of meant)
        spool.change(event.id, { state: 'parked', outcome: 'unsent', reason, isOrphan }, startedAt)
    })
  }
  spool.recover(reason, startedAt)
  for (const piece of spool.inState('refused', PIECE)) {
    const meant = piece.filter((spooled) => isOfThisRun(spooled, startedAt) && gistOf(causeOf(spooled)) === gist)
    state.transaction(() => {
      for (const { event, layer, outcome = 'refused', isOrphan } of meant) {
        spool.change(event.id, { state: 'parked', outcome: 'unsent', reason, isOrphan }, startedAt)
        ledger.settle(layer, outcome, -1)
      }
    })
  }
}

function isOfThisRun({ settledAt = 0 }: SpooledEvent, startedAt: UnixSeconds): boolean {
  return settledAt >= startedAt
}

/** What was refused with its parent was refused with the parent's text. */
function causeOf({ reason = '' }: SpooledEvent): string {
  return reason.replace(/^parent [a-z-]+: /, '')
}
