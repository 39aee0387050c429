import type { Run } from '../run/run.ts'
import type { Stop } from '../run/stop.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { UnixSeconds } from '../time.ts'
import { gistOf } from './gist.ts'

const PIECE = 250

/**
 * Parks everything when the target refuses us: unsettled events, and those that this run settled because of the same
 * text, which did not mean the event. Such refusals no longer count.
 */
export function shutDoor(
  { reason }: Stop,
  { world: { state }, fate, startedAt }: Pick<Run, 'world' | 'fate' | 'startedAt'>,
): void {
  const { spool } = state
  const gist = gistOf(reason)
  for (const piece of spool.inState('confirming', PIECE)) {
    const meant = piece.filter((spooled) => spooled.outcome === 'waiting' && gistOf(causeOf(spooled)) === gist)
    state.transaction(() => {
      for (const each of meant) fate.park(each, { outcome: 'unsent', reason, isOrphan: each.isOrphan })
    })
  }
  fate.recover(reason)
  for (const piece of spool.inState('refused', PIECE)) {
    const meant = piece.filter((spooled) => isOfThisRun(spooled, startedAt) && gistOf(causeOf(spooled)) === gist)
    state.transaction(() => {
      for (const each of meant) fate.takeBack(each, reason)
    })
  }
}

function isOfThisRun({ settledAt = 0 }: SpooledEvent, startedAt: UnixSeconds): boolean {
  return settledAt >= startedAt
}

/** An event that was refused with its parent was refused with the parent's text. */
function causeOf({ reason = '' }: SpooledEvent): string {
  return reason.replace(/^parent [a-z-]+: /, '')
}
