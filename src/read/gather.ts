import type { ScopedRun } from '../scope/scoped-run.ts'
import { isWindowed } from '../report/run-options.ts'
import { refuseEmptyScope } from '../scope/empty-scope.ts'
import { createDistrust, distrustClocks, distrustSource, distrustTarget } from '../trust/void-checkpoints.ts'
import { nameEmptySources } from './emptiness.ts'
import { tryTarget } from './narrowness.ts'
import { readParents } from './parents.ts'
import { readLayers, type ReadingContext } from './reading.ts'

/** A run that reads. */
export type GatheringRun = ScopedRun & { readonly reading: ReadingContext }

/** Brings into the spool what may have to be sent: what the sources have, or, for a retry, what is there already. */
export async function gather(run: GatheringRun): Promise<void> {
  const { options, fate } = run
  if (options.command !== 'retry') {
    await trust(run)
    await readLayers(run.reading)
    await tryTarget(run.target, run.reading)
    await nameEmptySources(run)
    if (isWindowed(options)) await readParents(run.reading)
    await refuseEmptyScope(run)
  } else if (options.reopenRefused) {
    fate.reopenAll()
  }
}

/** Before any `since` is used: do clocks agree, and do target and sources still show what they showed? */
async function trust(run: GatheringRun): Promise<void> {
  const { target, sources } = run
  const context = createDistrust(run)
  await distrustTarget(target, context)
  for (const source of sources) await distrustSource(source, context)
  distrustClocks(
    target,
    sources.map(({ peer }) => peer),
    context,
  )
}

/** A target that showed nothing serves by now what it was sent: does it answer the questions that brought nothing? */
export async function tryTargetAgain({ target, reading }: GatheringRun): Promise<void> {
  const { breadth } = target
  if (breadth.hasShown && breadth.unproven().length > 0) await tryTarget(target, reading)
}
