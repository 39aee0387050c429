import { isWindowed } from '../report/run-options.ts'
import { refuseEmptyScope } from '../scope/empty-scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { distrustClocks, distrustSource, distrustTarget } from '../trust/void-checkpoints.ts'
import { createDiscovery } from './discover-sources.ts'
import { nameEmptySources } from './emptiness.ts'
import { tryTarget } from './narrowness.ts'
import { readParents } from './parents.ts'
import { readLayers } from './reading.ts'

/** Fills the spool from the sources. A retry reads nothing: it has the spool, with `--refused` the refusals too. */
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

/** Checks, before any `since` is used, that clocks agree and that target and sources still show what they showed. */
async function trust(run: ScopedRun): Promise<void> {
  await distrustTarget(run)
  await Promise.all(run.sources.map((source) => distrustSource(source, run)))
  distrustClocks(run)
}

/** Reads all layers, and notes which relays discovery left out. */
async function readAll(run: ScopedRun): Promise<void> {
  const discovery = createDiscovery(run)
  try {
    await readLayers(run, discovery)
  } finally {
    for (const note of discovery?.notes() ?? []) run.ledger.note(note)
  }
}

/** Tests the target again once it serves events of this run: do questions that brought nothing before find them? */
export async function tryTargetAgain(run: ScopedRun): Promise<void> {
  const { breadth } = run.target
  if (breadth.hasShown && breadth.unproven().length > 0) await tryTarget(run)
}
