import { stopOf } from './publish/publish.ts'
import { endPublishing, publishSelected, startPublishing } from './publish/publish-selected.ts'
import type { PublishingRun } from './publish/publishing-run.ts'
import { publishFreed, settle } from './publish/settle.ts'
import { stopImplausible } from './publish/stop-implausible.ts'
import { tryTargetAgain } from './read/gather.ts'
import { stopAfter, type Stop } from './run/stop.ts'
import type { ScopedRun } from './scope/scoped-run.ts'

/** A repository may wait for another's: its owner is listed there. */
const MAX_ROUNDS = 3

/**
 * Publishes the selected events, or has the target take them (`serve`). Returns why it stopped early, if it did.
 */
export async function deliver(run: ScopedRun): Promise<Stop | undefined> {
  let stop = stopImplausible(run)
  stop ??= run.options.command === 'serve' ? await serve(run) : await publish(run)
  if (stop === undefined) await tryTargetAgain(run)
  return stop
}

async function serve(run: ScopedRun): Promise<Stop | undefined> {
  const { serveSelected } = await import('./serve/serve-selected.ts')
  return serveSelected(run)
}

/** With `--git` also pushes the git data that the target lacks, and what waited for it; `--settle` waits for the rest. */
async function publish(run: ScopedRun): Promise<Stop | undefined> {
  const publishing = startPublishing(run)
  let stop = await publishSelected(publishing)
  stop ??= await afterwards(publishing, repairAndPublish)
  stop ??= await afterwards(publishing, settle)
  await endPublishing(publishing, stop)
  return stop
}

/** Counts what `deliver` would send, and plans what it would push. */
export async function rehearse(run: ScopedRun): Promise<void> {
  run.fate.countReady()
  if (run.options.git === undefined) return
  const { repairGit } = await import('./repair/repair-git.ts')
  await repairGit(run)
}

async function repairAndPublish(run: PublishingRun): Promise<Stop | undefined> {
  if (run.options.git === undefined) return undefined
  const { repairGit } = await import('./repair/repair-git.ts')
  const { state, clock } = run.world
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    if ((await repairGit(run)) === 0) return stopOf(run)
    const stop = await publishFreed(run)
    if (stop !== undefined || state.waits.countWaiting(clock()).events === 0) return stop
  }
  return undefined
}

/** By now everything selected is settled or parked on disk, so a target that goes away ends the work, not the run. */
async function afterwards(
  run: PublishingRun,
  work: (run: PublishingRun) => Promise<Stop | undefined>,
): Promise<Stop | undefined> {
  try {
    return await work(run)
  } catch (error) {
    const stop = stopOf(run) ?? stopAfter(error, run.world)
    if (stop === undefined) throw error
    run.fate.recover(stop.reason)
    return stop
  }
}
