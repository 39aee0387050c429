import type { Stop } from '../run/stop.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const PIECE = 500

/**
 * Stops a run whose plan is larger than `--max-send` allows: a restored old source, a widened scope or an emptied target
 * would be copied without anybody having looked. Nothing is settled: what waited before waits on, and what was selected
 * now is forgotten and read again, since no checkpoint moves. Kept on disk, it would be sent by a later run with the
 * right sources and scope.
 */
export function stopImplausible(run: ScopedRun): Stop | undefined {
  const { maxSend } = run.options
  if (maxSend === undefined) return undefined
  const planned = run.world.state.spool.count('ready')
  const held = countHeld(run)
  const allowed = maxSend.type === 'events' ? maxSend.count : Math.floor((held * maxSend.percent) / 100)
  if (planned <= allowed) return undefined
  putBack(run)
  run.wasCutShort = true
  const share = maxSend.type === 'percent' ? `: ${maxSend.percent}% of the ${held} that it was seen to hold` : ''
  const events = planned === 1 ? '1 event would be sent' : `${planned} events would be sent`
  return { type: 'implausible', reason: `${events}, and --max-send allows ${allowed}${share}` }
}

/**
 * How many events the target was seen to hold, at least: those that this run met there, or its announcements and roots,
 * which every run asks for. What a comparison by NIP-77 proves equal is not counted. Once the target is found to have lost
 * what it held, what earlier runs saw there proves nothing.
 */
function countHeld({ ledger, world: { state } }: ScopedRun): number {
  const met = ledger.layers().reduce((sum, { held }) => sum + held, 0)
  return state.checkpoints.wasVoided ? met : Math.max(met, state.known.count())
}

function putBack({ world: { state }, fate }: ScopedRun): void {
  for (const piece of state.spool.inState('ready', PIECE)) {
    state.transaction(() => {
      for (const spooled of piece) {
        const { parkedAt, isOrphan, retryAt, obstacle } = spooled
        if (parkedAt === undefined) fate.forget(spooled)
        else fate.park(spooled, { isOrphan, retryAt, obstacle })
      }
    })
  }
}
