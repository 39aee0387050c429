import { SyncError, UsageError } from '../errors.ts'
import { openEventOutput } from '../file/event-output.ts'
import { isSameFile } from '../file/same-file.ts'
import type { CheckReport, Problem, Report } from '../report/report.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { CheckOptions } from './parse/options.ts'
import { runCommand, type RunRequest } from './run-command.ts'

/** A check, as parsed from the command line. */
export type CheckRequest = RunRequest & { readonly check: CheckOptions }

/** The events of the target that one source lacks; `found` is absent if they could not be compared. */
type WayBack = {
  readonly exit: number
  readonly durationMs: number
  readonly problems: readonly Problem[]
  readonly found?: NonNullable<CheckReport['both']>[number]
}

/**
 * Compares the target with its sources, optionally writes the missing events to a file, and with `--both` also compares
 * in the other direction.
 */
export async function runCheck(request: CheckRequest): Promise<Report> {
  const report = await checkTarget(request)
  return request.check.both ? addWaysBack(report, request) : report
}

async function checkTarget(request: CheckRequest): Promise<Report> {
  const { check, stdout, signal } = request
  if (check.output === undefined) return runCommand(request)
  refuseOutput(check.output, request.options)
  const output = await openEventOutput(check.output, { stdout, signal })
  try {
    const report = await runCommand({ ...request, onMissing: (event) => output.write(event) })
    if (hasSomethingToWrite(report)) {
      await output.finish()
      return report
    }
    const note = `Nothing was written to ${check.output}: an empty file would say that nothing is missing.`
    return { ...report, notes: [...report.notes, note] }
  } finally {
    await output.discard()
  }
}

/** Refuses to overwrite a file that is also read, whatever its name. */
function refuseOutput(output: string, { sources, target }: RunOptions): void {
  const read = [...sources, target].find((end) => end !== '-' && output !== '-' && isSameFile(end, output))
  if (read !== undefined)
    throw new UsageError([`--output ${output} and ${read} are one file: give another file for what is missing`])
}

/** A partial read can tell what is missing, but never that nothing is. */
function hasSomethingToWrite({ check, exit }: Report): boolean {
  const missing = check?.missing ?? null
  return missing !== null && (missing > 0 || exit === 0)
}

/**
 * Checks every source that was read to its end; a comparison with the others would prove nothing. Skips discovered
 * sources: they hold only a few repositories, and the operator did not name them.
 */
async function addWaysBack(report: Report, request: CheckRequest): Promise<Report> {
  if (report.check === null || report.check.missing === null) return report
  const ways: WayBack[] = []
  for (const { url } of report.sources.filter(({ complete, discovered }) => complete && !discovered)) {
    if (!request.signal.aborted) ways.push(await checkSource(url, report, request))
  }
  const exits = [report.exit, ...ways.map(({ exit }) => exit)]
  const exit = [3, 5].find((code) => exits.includes(code)) ?? 0
  return {
    ...report,
    exit,
    complete: exit === 0,
    durationMs: ways.reduce((sum, { durationMs }) => sum + durationMs, report.durationMs),
    check: { ...report.check, both: ways.flatMap(({ found }) => found ?? []) },
    problems: mergeProblems([...report.problems, ...ways.flatMap(({ problems }) => problems)]),
  }
}

/** Repeats the comparison with the ends swapped. If it cannot start, reports that as a problem of the check. */
async function checkSource(source: string, forth: Report, request: CheckRequest): Promise<WayBack> {
  try {
    const { check, exit, durationMs, problems } = await runCommand({
      ...request,
      options: swapEnds(source, forth, request.options),
    })
    const { missing = null, differences = [] } = check ?? {}
    const found = missing === null ? {} : { found: { source, missing, differences } }
    return { exit, durationMs, problems: problems.map(asSeenFromTarget), ...found }
  } catch (error) {
    request.signal.throwIfAborted()
    const nothing = { durationMs: 0, problems: [] }
    // Neither side knows a repository of the scope, so the target has nothing that the source could lack.
    if (error instanceof UsageError) return { ...nothing, exit: 0, found: { source, missing: 0, differences: [] } }
    if (!(error instanceof SyncError)) throw error
    const problem = { what: 'source', where: source, reason: error.message, count: 1, example: null }
    return { ...nothing, exit: 3, problems: [problem] }
  }
}

/** Keeps the scope that was decided for the target. */
function swapEnds(source: string, { scope }: Report, options: RunOptions): RunOptions {
  return {
    ...options,
    sources: [options.target],
    target: source,
    scope: scope.kind === 'named' ? options.scope : { type: scope.kind },
    service: options.service ?? options.target,
    listIds: false,
    discovery: undefined,
  }
}

/** The target of the reverse comparison is a source of the check. */
function asSeenFromTarget(problem: Problem): Problem {
  return problem.what === 'target' ? { ...problem, what: 'source' } : problem
}

/** Merges problems that both directions report. */
function mergeProblems(problems: readonly Problem[]): Problem[] {
  const known = new Map<string, Problem>()
  for (const problem of problems) {
    const key = JSON.stringify([problem.what, problem.where, problem.reason])
    if (!known.has(key)) known.set(key, problem)
  }
  return [...known.values()].sort((a, b) => b.count - a.count)
}
