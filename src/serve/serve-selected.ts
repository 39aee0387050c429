/*
 * Offers what was selected on a relay of our own, read-only, for the target's own sync to take: a relay limits what it
 * is sent, but not what it asks for. Nothing is sent, and nothing is believed: the target is asked for each event, as
 * after sending. An event is `ready` on disk until the target serves it, so a run that is killed has lost nothing.
 */
import { NOT_TAKEN } from '../errors.ts'
import { stopOfTime, type Stop } from '../run/stop.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { fillRelay } from './fill-relay.ts'
import { watchTarget } from './watch-target.ts'

const PIECE = 500

/** Serves until the target serves everything. Returns why it ended earlier, if it did. Throws LostRelayError. */
export async function serveSelected(run: ScopedRun): Promise<Stop | undefined> {
  const { serving, state, tell } = run.world
  if (serving === undefined) throw new TypeError('serve needs a relay of its own')
  if (state.spool.count('ready') + state.spool.count('parked') === 0) return undefined
  await fillRelay(serving.relay, run)
  // A half-filled relay would look like a whole one.
  if (stopOfTime(run.world) === undefined) {
    serving.relay.letIn()
    tell?.({ type: 'serving', url: serving.relay.url, events: serving.relay.size, software: run.software })
    await watchTarget(serving, run)
  }
  const stop = stopOfTime(run.world)
  parkReady(stop?.type === 'interrupted' ? stop.reason : NOT_TAKEN, run)
  return stop
}

function parkReady(reason: string, { world: { state }, fate }: ScopedRun): void {
  for (const piece of state.spool.inState('ready', PIECE)) {
    state.transaction(() => {
      for (const spooled of piece) fate.park(spooled, { outcome: 'unsent', reason })
    })
  }
}
