import type { CheckReport } from '../report/report.ts'
import type { FoundDifference } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import { buildHistogram } from './histogram.ts'
import { sampleTarget } from './sample-target.ts'

const PIECE = 250

/** The result of `check` when target or sources could not be read: to say that nothing is missing would be a guess. */
export const NOTHING_COMPARED: CheckReport = {
  missing: null,
  waiting: 0,
  needsFull: false,
  differences: [],
  histogram: [],
  sample: null,
  copies: null,
  ids: null,
  both: null,
}

/** Sets `run.check` to what the target lacks; it stays NOTHING_COMPARED when no source has shown anything. */
export async function checkRun(run: ScopedRun): Promise<void> {
  if ([...run.logs.values()].some((log) => log.hasSaidSomething())) run.check = await compare(run)
}

/** Returns the missing events by layer, kind and repository, and when they were signed. Pending events are not missing. */
async function compare(run: ScopedRun): Promise<CheckReport> {
  const { world, options, catalog, differences, startedAt } = run
  const ids = world.lists?.create<string>()
  let [waiting, isAnyLate] = [0, false]
  parkAgain(run)
  for (const spooled of missingEvents(world.state)) {
    const { layer, event, state, outcome, isLate } = spooled
    if (state === 'parked' && outcome === 'waiting') waiting += 1
    isAnyLate ||= isLate && state !== 'parked'
    const repository = catalog.repositoryOf(event)
    differences.add('missing', { layer, kind: event.kind, repository: repository ?? null })
    ids?.add(event.id)
    await world.onDifference?.({ sign: signOf(spooled, run), isMissing: true, event, repository })
  }
  await tellWithheld(run)
  return {
    missing: differences.missing,
    waiting,
    // `catchup` would read some source only since its checkpoint, and miss this.
    needsFull: isAnyLate && [...run.logs.values()].some((log) => log.isQuick()),
    differences: differences.rows(),
    histogram: buildHistogram(world.state.affected.hoursOfMissing(startedAt)),
    sample: options.sample === undefined ? null : await sampleTarget(options.sample, run),
    copies: null,
    ids: ids ?? null,
    both: null,
  }
}

/** A wait is the target's own answer; what was only not sent yet is simply missing. */
function signOf({ event, state, outcome }: SpooledEvent, { world }: ScopedRun): FoundDifference['sign'] {
  if (state === 'parked' && outcome === 'waiting') return '!'
  return world.state.run.isDiffering(event.id) ? '*' : '+'
}

/** Hands on the events that the target holds back, or refused for good: they are no differences. */
async function tellWithheld({ world, catalog }: ScopedRun): Promise<void> {
  if (world.onDifference === undefined) return
  for (const { event } of withheldEvents(world.state))
    await world.onDifference({ sign: '!', isMissing: false, event, repository: catalog.repositoryOf(event) })
}

function* withheldEvents({ spool }: TargetState): Generator<SpooledEvent> {
  for (const piece of spool.inState('parked', PIECE)) yield* piece.filter(({ outcome }) => outcome === 'pending')
  for (const piece of spool.inState('refused', PIECE))
    yield* piece.filter(({ outcome }) => outcome !== 'superseded' && outcome !== 'duplicate')
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
