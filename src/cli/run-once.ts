import { tmpdir } from 'node:os'
import type { Report } from '../report/report.ts'
import type { Tell } from '../run-event.ts'
import { exitCodeOf } from './exit-codes.ts'
import { findKey } from './find-key.ts'
import type { CommandLine } from './parse/command-line.ts'
import { printReport } from './print-report.ts'
import type { OpenLists } from './report-lists.ts'
import type { RunRequest } from './run-command.ts'
import type { Heading } from './run-profiles.ts'
import type { Surroundings } from './surroundings.ts'
import { isStdoutTaken } from './script-wish.ts'
import { stateFileOf } from './state-place.ts'
import { toolVersion } from './tool-version.ts'
import { createWatch } from './watch-run.ts'

type RunLine = Extract<CommandLine, { type: 'run' }>

/** Runs once, watched as the operator wants it, with the report on standard output. */
export async function runOnce(line: RunLine, place: Surroundings, heading?: Heading): Promise<number> {
  const { output } = line
  const { env, stdout, stderr, interruption } = place
  const stateFile = stateFileOf(line.stateFile, env)
  const watch = createWatch(line, { stateFile, stderr, version: toolVersion() })
  const lists = line.options.listIds ? await openLists() : undefined
  let report: Report | undefined
  try {
    await watch.begin()
    const found = await runLine(line, { ...(await requestOf(line, stateFile, place, watch.tell)), lists })
    watch.stopProgress()
    const exit = interruption.exitCode() ?? found.exit
    report = { ...found, exit, complete: exit === 0 }
    const profile = heading === undefined ? {} : { profile: heading.profile }
    await printReport({ ...report, ...profile }, output, isStdoutTaken(line) ? stderr : stdout, heading?.text)
    await watch.end({ exit, report })
    return exit
  } catch (error) {
    await watch.end({ exit: interruption.exitCode() ?? exitCodeOf(error), report, error })
    throw error
  } finally {
    lists?.close()
  }
}

async function openLists(): Promise<OpenLists> {
  return (await import('./report-lists.ts')).createReportLists(tmpdir())
}

async function requestOf(line: RunLine, stateFile: string, place: Surroundings, tell?: Tell): Promise<RunRequest> {
  const { options, connection, pacing, listen } = line
  const { stdout, env, interruption } = place
  const key = await findKey(line.key, place)
  const openStdin = (): NodeJS.ReadStream => place.stdin
  const { signal } = interruption
  return { options, connection, pacing, listen, key, stateFile, openStdin, stdout, signal, env, tell }
}

async function runLine({ reportFile, ...line }: RunLine, request: RunRequest): Promise<Report> {
  if (reportFile === undefined) return runOrCheck(line, request)
  const { writePage } = await import('./page-command.ts')
  return writePage(reportFile, line.options, () => runOrCheck(line, request))
}

async function runOrCheck({ check }: Pick<RunLine, 'check'>, request: RunRequest): Promise<Report> {
  if (check === undefined) return (await import('./run-command.ts')).runCommand(request)
  const { runCheck } = await import('./check-command.ts')
  return runCheck({ ...request, check })
}
