import { InterruptedError, UsageError } from '../errors.ts'
import type { Report } from '../report/report.ts'
import type { Run } from './run.ts'

/** Writes how a run ended into the history. */
export function endRun({ world, number }: Run, report: Report): void {
  const { exit, durationMs, totals } = report
  world.state.runs.end(number, { durationMs, exit, published: totals.published, parked: totals.parked })
}

/** Writes an error into the history as the end of the run: one without an end was killed. Returns the error. */
export function endThrown({ world, number }: Run, error: unknown, durationMs: number): unknown {
  const exit = exitAfterSignal(world.signal) ?? (error instanceof UsageError ? 2 : 1)
  world.state.runs.end(number, { durationMs, exit, published: 0, parked: world.state.spool.count('parked') })
  return error
}

/** Returns the exit code of a run that a signal ended; `undefined` without a signal. */
export function exitAfterSignal({ aborted, reason }: AbortSignal): number | undefined {
  if (!aborted) return undefined
  return reason instanceof InterruptedError ? reason.exitCode : 130
}
