import { SyncError, UsageError } from '../errors.ts'
import { formatEventLine } from '../file/event-line.ts'
import { openEventOutput, type EventOutput } from '../file/event-output.ts'
import { isSameFile } from '../file/same-file.ts'
import type { CheckReport, Problem, Report } from '../report/report.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { FoundDifference } from '../run/world.ts'
import { formatDifference, listsOf, type ListedDifference } from './difference-lists.ts'
import type { CheckOptions } from './parse/check-options.ts'
import { runCommand, type RunRequest } from './run-command.ts'

/** A check, as parsed from the command line. */
export type CheckRequest = Omit<RunRequest, 'onDifference'> & { readonly check: CheckOptions }

type ListingRequest = CheckRequest & {
  readonly onDifference?: (difference: ListedDifference & { readonly isMissing?: boolean }) => Promise<void>
}

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
  const { output, lists } = request.check
  if (output === undefined && lists.length === 0) return compare(request)
  refuseOutputs(request)
  const files = new Map<string, Written>()
  try {
    for (const { file } of outputsOf(request.check)) {
      files.set(file, { output: await openEventOutput(file, request), lines: 0 })
    }
    const report = await compare({ ...request, onDifference: (found) => writeDifference(found, request.check, files) })
    return await putInPlace(files, report)
  } finally {
    for (const { output: file } of files.values()) await file.discard()
  }
}

async function compare(request: ListingRequest): Promise<Report> {
  const report = await runCommand(request)
  return request.check.both ? addWaysBack(report, request) : report
}

/** A file while it is written. */
type Written = { readonly output: EventOutput; lines: number }

function outputsOf({ output, lists }: CheckOptions): readonly { readonly flag: string; readonly file: string }[] {
  return [...(output === undefined ? [] : [{ flag: '--output', file: output }]), ...lists]
}

/** Refuses to overwrite a file that is also read, whatever its name. */
function refuseOutputs({ check, options: { sources, target } }: CheckRequest): void {
  for (const { flag, file } of outputsOf(check)) {
    const read = [...sources, target].find((end) => end !== '-' && file !== '-' && isSameFile(end, file))
    if (read !== undefined)
      throw new UsageError([`${flag} ${file} and ${read} are one file: give another file for what is missing`])
  }
}

/** Writes one difference to each file that wants it. */
async function writeDifference(
  found: ListedDifference & { readonly isMissing?: boolean },
  { output, lists }: CheckOptions,
  files: ReadonlyMap<string, Written>,
): Promise<void> {
  if (output !== undefined && found.isMissing === true) await write(files.get(output), formatEventLine(found.event))
  const names = listsOf(found)
  for (const { name, file } of lists) if (names.includes(name)) await write(files.get(file), formatDifference(found))
}

async function write(file: Written | undefined, line: string): Promise<void> {
  if (file === undefined) return
  file.lines += 1
  await file.output.writeLine(line)
}

/** A partial read can tell what is missing, but never that nothing is: then an empty file is not written. */
async function putInPlace(files: ReadonlyMap<string, Written>, report: Report): Promise<Report> {
  const isCompared = (report.check?.missing ?? null) !== null
  const isRead = report.exit === 0 || report.exit === 5
  const notes: string[] = []
  for (const [name, { output, lines }] of files) {
    if (isCompared && (lines > 0 || isRead)) await output.finish()
    else notes.push(`Nothing was written to ${name}: an empty file would say that nothing is missing.`)
  }
  return { ...report, notes: [...report.notes, ...notes] }
}

/**
 * Checks every source that was read to its end; a comparison with the others would prove nothing. Skips discovered
 * sources: they hold only a few repositories, and the operator did not name them.
 */
async function addWaysBack(report: Report, request: ListingRequest): Promise<Report> {
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
async function checkSource(source: string, forth: Report, request: ListingRequest): Promise<WayBack> {
  try {
    const { onDifference } = request
    const tellBack = async (found: FoundDifference): Promise<void> => {
      if (found.sign === '+') await onDifference?.({ ...found, sign: '-', isMissing: false })
    }
    const { check, exit, durationMs, problems } = await runCommand({
      ...request,
      lists: undefined,
      options: swapEnds(source, forth, request.options),
      onDifference: tellBack,
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
    copies: undefined,
    discovery: undefined,
    git: undefined,
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
