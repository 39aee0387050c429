/*
 * The story of a run: open → trust → read → select → publish → confirm → checkpoint → report. Values pass from chapter
 * to chapter here. A run that loses its target still ends with a report: everything selected is parked on disk. Chapters
 * of few runs are loaded by those.
 */
import { buildReport } from './build-report.ts'
import { deliver, rehearse } from './deliver.ts'
import { openRun } from './open-run.ts'
import { gather } from './read/gather.ts'
import { settleAsides, settleOpen } from './read/settle-asides.ts'
import type { Report } from './report/report.ts'
import type { RunOptions } from './report/run-options.ts'
import { endRun, endThrown } from './run/end-run.ts'
import { noteLimits } from './run/note-limits.ts'
import { stopAfter, type Stop } from './run/stop.ts'
import type { World } from './run/world.ts'
import type { ScopedRun } from './scope/scoped-run.ts'
import { selectEvents } from './select/select.ts'
import { distrustReturned } from './trust/distrust-returned.ts'
import { moveCheckpoints } from './trust/move-checkpoints.ts'

/**
 * Does one run and returns its report, even if the target was lost on the way. Throws SyncError when the run cannot
 * begin (target unreachable, no scope can be chosen) and UsageError when the scope matches nothing.
 */
export async function sync(options: RunOptions, world: World): Promise<Report> {
  const startedMs = world.nowMs()
  world.tell?.({ type: 'phase', phase: 'connecting' })
  const run = await openRun(options, world)
  let stop: Stop | undefined
  try {
    await gather(run)
    world.tell?.({ type: 'phase', phase: 'selecting' })
    await selectEvents(run)
    // Before sending, during which connections may drop and time may run out.
    await settleOpen(run)
    stop = await finish(run)
    await settleAsides(run)
    await distrustReturned(run)
  } catch (error) {
    stop = stopAfter(error, world)
    if (stop === undefined) throw endThrown(run, error, world.nowMs() - startedMs)
    run.wasCutShort = true
    run.fate.recover(stop.reason)
    if (options.git !== undefined && run.git === null) await compareGit(run, stop)
  }
  if (!run.wasCutShort) moveCheckpoints(run)
  noteLimits(run)
  const report = buildReport(run, stop, world.nowMs() - startedMs)
  endRun(run, report)
  return report
}

/**
 * Publishes the selected events, or has the target take them (`serve`); `check` only compares, `--dry-run` only counts
 * what would be sent.
 */
async function finish(run: ScopedRun): Promise<Stop | undefined> {
  const { command, dryRun, git } = run.options
  let stop: Stop | undefined
  if (command === 'check') await check(run)
  else if (dryRun) await rehearse(run)
  else stop = await deliver(run)
  return git === undefined ? stop : compareGit(run, stop)
}

async function compareGit(run: ScopedRun, stop: Stop | undefined): Promise<Stop | undefined> {
  const { checkGit } = await import('./repair/check-git.ts')
  return checkGit(run, stop)
}

/** Compares, and with `--copies` counts as well. */
async function check(run: ScopedRun): Promise<void> {
  const { checkRun } = await import('./check/find-missing.ts')
  await checkRun(run)
  const { copies: wanted } = run.options
  if (wanted === undefined || run.check === null || run.check.missing === null) return
  run.world.tell?.({ type: 'phase', phase: 'counting' })
  const { readCopies } = await import('./read/read-copies.ts')
  const { countCopies } = await import('./check/count-copies.ts')
  const ends = await readCopies(run)
  run.check = { ...run.check, copies: await countCopies(wanted, ends, run) }
}
