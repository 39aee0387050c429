import { isWindowed } from '../report/run-options.ts'
import { refuseEmptyScope } from '../scope/empty-scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { distrustClocks, distrustSource, distrustTarget } from '../trust/void-checkpoints.ts'
import { createDiscovery } from './discover-sources.ts'
import { nameEmptySources } from './emptiness.ts'
import { tryTarget } from './narrowness.ts'
import { readParents } from './parents.ts'
import { readLayers } from './reading.ts'

/** Brings into the spool what may have to be sent: what the sources have, or, for a retry, what is there already. */
export async function gather(run: ScopedRun): Promise<void> {
  const { options, fate } = run
  if (options.command !== 'retry') {
    await trust(run)
    await readAll(run)
    await tryTarget(run)
    await nameEmptySources(run)
    if (isWindowed(options)) await readParents(run)
    await refuseEmptyScope(run)
  } else if (options.reopenRefused) {
    fate.reopenAll()
  }
}

/** Before any `since` is used: do clocks agree, and do target and sources still show what they showed? */
async function trust(run: ScopedRun): Promise<void> {
  await distrustTarget(run)
  for (const source of run.sources) await distrustSource(source, run)
  distrustClocks(run)
}

/** Reads all layers, and says which relays that announcements name were left out. */
async function readAll(run: ScopedRun): Promise<void> {
  const discovery = createDiscovery(run)
  try {
    await readLayers(run, discovery)
  } finally {
    for (const note of discovery?.notes() ?? []) run.ledger.note(note)
  }
}

/** A target that showed nothing serves by now what it was sent: does it answer the questions that brought nothing? */
export async function tryTargetAgain(run: ScopedRun): Promise<void> {
  const { breadth } = run.target
  if (breadth.hasShown && breadth.unproven().length > 0) await tryTarget(run)
}
