/*
 * The story of a run: open → trust → read → select → publish → confirm → checkpoint → report. Values pass from chapter
 * to chapter here. What ends the run early ends it with a report: everything selected is parked on disk.
 */
import { buildReport } from './build-report.ts'
import { checkRun } from './check/check-run.ts'
import { LostRelayError, reasonOf } from './errors.ts'
import { openRun, type OpenedRun } from './open-run.ts'
import type { PublishStop } from './publish/door.ts'
import { publishSelected } from './publish/publish-selected.ts'
import { INTERRUPTION } from './publish/publish.ts'
import { gather, tryTargetAgain } from './read/gather.ts'
import { settleAsides, settleOpen } from './read/settle-asides.ts'
import { isDoorForReading } from './relay/answers.ts'
import type { Report } from './report/report.ts'
import type { RunOptions } from './report/run-options.ts'
import { endRun, endThrown } from './run/end-run.ts'
import { noteLimits } from './run/note-limits.ts'
import type { World } from './run/world.ts'
import { selectEvents } from './select/select.ts'
import { moveCheckpoints } from './trust/move-checkpoints.ts'

/**
 * One run. Returns its report, whatever went wrong on the way; throws SyncError when it cannot begin (the target is
 * unreachable, no scope can be chosen) and UsageError when the scope matches nothing.
 */
export async function sync(options: RunOptions, world: World): Promise<Report> {
  const startedMs = world.nowMs()
  const run = await openRun(options, world)
  let stop: PublishStop | undefined
  try {
    await gather(run)
    await selectEvents(run.selecting)
    // Before anything is sent: then connections may be lost, and time may be up.
    await settleOpen(run)
    stop = await finish(run)
    await settleAsides(run)
  } catch (error) {
    if (!(error instanceof LostRelayError)) {
      endThrown(run, error, world.nowMs() - startedMs)
      throw error
    }
    stop = world.signal.aborted ? INTERRUPTION : stopOf(error)
    run.wasCutShort = true
    run.fate.recover(stop.reason)
  }
  if (!run.wasCutShort) moveCheckpoints(run)
  noteLimits(run)
  const report = buildReport(run, stop, world.nowMs() - startedMs)
  endRun(run, report)
  return report
}

/** Publishes, or only tells what would be sent, or what is missing. */
async function finish(run: OpenedRun): Promise<PublishStop | undefined> {
  const { options, fate } = run
  if (options.command === 'check') await checkRun(run)
  else if (options.dryRun) fate.countReady()
  else {
    const stop = await publishSelected(run)
    if (stop === undefined) await tryTargetAgain(run)
    return stop
  }
  return undefined
}

/** The target stopped answering, or does not answer us. */
function stopOf(error: LostRelayError): PublishStop {
  const reason = reasonOf(error)
  return { type: isDoorForReading(reason) ? 'door' : 'stopped', reason }
}
