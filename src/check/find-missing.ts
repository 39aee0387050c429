import type { LayerName } from '../layer-name.ts'
import type { CheckReport, Difference } from '../report/report.ts'
import { tallyKey } from '../run/held-tally.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import { buildHistogram, hourOf } from './histogram.ts'

const PIECE = 250

/** The result of `check` when target or sources could not be read: to say that nothing is missing would be a guess. */
export const NOTHING_COMPARED: CheckReport = {
  missing: null,
  waiting: 0,
  needsFull: false,
  differences: [],
  histogram: [],
  ids: null,
  both: null,
}

/** Sets `run.check` to what the target lacks; it stays NOTHING_COMPARED when no source has shown anything. */
export async function checkRun(run: ScopedRun): Promise<void> {
  if ([...run.logs.values()].some((log) => log.hasSaidSomething())) run.check = await compare(run)
}

/** Returns the missing events by layer, kind, repository and hour. Pending events are not missing. */
async function compare(run: ScopedRun): Promise<CheckReport> {
  const { world, options, catalog } = run
  const missing = new Map<string, number>()
  const times = new Map<number, number>()
  const ids: string[] = []
  let [waiting, isAnyLate] = [0, false]
  parkAgain(run)
  for (const { layer, event, state, outcome, isLate } of missingEvents(world.state)) {
    if (state === 'parked' && outcome === 'waiting') waiting += 1
    isAnyLate ||= isLate && state !== 'parked'
    const key = tallyKey(layer, event.kind, catalog.repositoryOf(event))
    missing.set(key, (missing.get(key) ?? 0) + 1)
    const hour = hourOf(event.created_at)
    times.set(hour, (times.get(hour) ?? 0) + 1)
    if (options.listIds) ids.push(event.id)
    await world.onMissing?.(event)
  }
  return {
    missing: [...missing.values()].reduce((total, count) => total + count, 0),
    waiting,
    // `catchup` would read some source only since its checkpoint, and miss this.
    needsFull: isAnyLate && [...run.logs.values()].some((log) => log.isQuick()),
    differences: tabulate(missing, run.held.counts()),
    histogram: buildHistogram(times),
    ids: options.listIds ? ids : null,
    both: null,
  }
}

/** Parks again the parked events that selection made ready: `check` sends nothing. */
function parkAgain({ world, fate }: ScopedRun): void {
  for (const piece of world.state.spool.inState('ready', PIECE)) {
    for (const spooled of piece) {
      const { parkedAt, isOrphan, obstacle, retryAt } = spooled
      if (parkedAt !== undefined) fate.park(spooled, { isOrphan, obstacle, retryAt })
    }
  }
}

/** Yields selected events that the target does not serve, and parked ones unless it said that it holds them back. */
function* missingEvents(state: TargetState): Generator<SpooledEvent> {
  for (const piece of state.spool.inState('ready', PIECE)) yield* piece
  for (const piece of state.spool.inState('parked', PIECE)) yield* piece.filter(({ outcome }) => outcome !== 'pending')
}

function tabulate(missing: ReadonlyMap<string, number>, held: ReadonlyMap<string, number>): Difference[] {
  const keys = [...new Set([...missing.keys(), ...held.keys()])].sort()
  return keys.map((key) => {
    const [layer, kind, repository] = JSON.parse(key) as [LayerName, number, string | null]
    const [lacks, has] = [missing.get(key) ?? 0, held.get(key) ?? 0]
    return { layer, kind, repository, sourceHas: lacks + has, targetHas: has, missing: lacks }
  })
}
