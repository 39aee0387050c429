import { InterruptedError, reasonOf, UsageError } from '../errors.ts'
import type { Report } from '../report/report.ts'
import { copiesToDate } from '../report/run-options.ts'
import type { Run } from './run.ts'

/** Writes how a run ended into the history, and how the sources that the operator named were read. */
export function endRun({ world, number, options }: Run, report: Report): void {
  const { exit, durationMs, totals, problems, sources, startedAt } = report
  const { state } = world
  const failure = exit === 1 ? problems.find(({ what }) => ['target', 'key', 'plan'].includes(what)) : undefined
  state.transaction(() => {
    const { published, parked } = totals
    state.runs.end(number, { durationMs, exit, published, parked, reason: failure?.reason })
    // A window says nothing about the rest of a source.
    if (!copiesToDate(options)) return
    for (const source of sources) if (!source.discovered) state.sources.note(source, startedAt)
  })
}

/** Writes an error into the history as the end of the run: one without an end was killed. Returns the error. */
export function endThrown({ world, number }: Run, error: unknown, durationMs: number): unknown {
  const exit = exitAfterSignal(world.signal) ?? (error instanceof UsageError ? 2 : 1)
  world.state.runs.end(number, {
    durationMs,
    exit,
    published: 0,
    parked: world.state.spool.count('parked'),
    reason: reasonOf(error),
  })
  return error
}

/** Returns the exit code of a run that a signal ended; `undefined` without a signal. */
export function exitAfterSignal({ aborted, reason }: AbortSignal): number | undefined {
  if (!aborted) return undefined
  return reason instanceof InterruptedError ? reason.exitCode : 130
}
