import { tmpdir } from 'node:os'
import { UsageError } from '../errors.ts'
import type { Report } from '../report/report.ts'
import { escapeForTerminal } from './escape.ts'
import { exitCodeOf } from './exit-codes.ts'
import { createScriptTeller } from './tell-script.ts'
import { parseCommandLine, type CommandLine } from './parse/command-line.ts'
import type { Interruption } from './interruption.ts'
import { SECRET_VARIABLES } from './parse/option-table.ts'
import type { OutputOptions } from './parse/options.ts'
import type { RenderOptions } from './render/canvas.ts'
import type { KeyPlace } from './read-key.ts'
import type { OpenLists } from './report-lists.ts'
import type { RunRequest } from './run-command.ts'
import { runProfiles, tellingFailure, type Heading } from './run-profiles.ts'
import type { Tell } from '../run-event.ts'
import { isStdoutTaken, wishOf } from './script-wish.ts'
import { toolVersion } from './tool-version.ts'

type RunLine = Extract<CommandLine, { type: 'run' }>
type StatusLine = Extract<CommandLine, { type: 'status' }>
type RelayLine = Extract<CommandLine, { type: 'relay' }>
type WhyLine = Extract<CommandLine, { type: 'why' }>
type MergeLine = Extract<CommandLine, { type: 'merge' }>
type ConfigLine = Extract<CommandLine, { type: 'config' }>

const DEFAULT_WIDTH = 80

/** The environment of the program: `process`, or a replacement in tests. `stdin` is made at its first use. */
export type Surroundings = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr'> & {
  readonly interruption: Interruption
}

/** Runs the command line and returns the exit code. `argv`: the words after the program's name. */
export async function runProgram(argv: readonly string[], place: Surroundings): Promise<number> {
  const { env, stdout } = place
  const options = { version: toolVersion(), width: widthOf(stdout), warn: warnOn(place) }
  const tellScript = createScriptTeller(argv, place)
  const telling = { ...place, command: argv[0], tellScript }
  return tellingFailure(telling, async () => {
    const line = await parseCommandLine(argv, env, nowSeconds(), options)
    if (line.type === 'text' && line.exit !== 0) {
      await tellScript({ error: new UsageError(line.problems), exit: 2 }, line.wish)
    }
    if (line.type !== 'profiles') return tellingFailure(telling, () => dispatch(line, place), { wish: wishOf(line) })
    return runProfiles(line.lines, telling, (single, heading) => dispatch(single, place, heading))
  })
}

type SingleLine = Exclude<CommandLine, { type: 'profiles' }>

async function dispatch(line: SingleLine, place: Surroundings, heading?: Heading): Promise<number> {
  switch (line.type) {
    case 'text':
      if (line.stream === 'stdout') await writeText(place, line.text)
      else place.stderr.write(line.text)
      return line.exit
    case 'run':
      return run(line, place, heading)
    case 'status':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showStatus(line, place)
    case 'relay':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showRelay(line, place)
    case 'why':
      place.stdout.write(line.output.json ? '' : (heading?.text ?? ''))
      return showWhy(line, place)
    case 'merge':
      return showMerged(line, place)
    case 'config':
      return showConfig(line, place)
    case 'version':
      await writeText(place, (await import('./version-command.ts')).describeVersions(toolVersion()))
      return 0
    case 'completion':
      await writeText(place, (await import('./completion/render-completion.ts')).renderCompletion(line.shell))
      return 0
    case 'complete':
      await writeText(place, await (await import('./complete-command.ts')).listNames(line.words, place.env))
      return 0
    case 'demo': {
      const { runDemo } = await import('./demo.ts')
      return runDemo(line.output, place.interruption.signal, { print: printReport })
    }
  }
}

async function writeText({ stdout }: Surroundings, text: string): Promise<void> {
  await (await import('./write-output.ts')).writeOutput(stdout, text)
}

/** Runs once, watched as the operator wants it, with the report on standard output. */
async function run(line: RunLine, place: Surroundings, heading?: Heading): Promise<number> {
  const { createWatch } = await import('./watch-run.ts')
  const { stateFileOf } = await import('./state-place.ts')
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

/** Prints a report as the operator wants it: no text with `--quiet` when all is well, but always a document. */
async function printReport(
  report: Report,
  output: OutputOptions,
  stream: NodeJS.WriteStream,
  heading = '',
): Promise<void> {
  if (output.quiet && !output.json && (await import('./render/all-well.ts')).isAllWell(report)) return
  const { writePieces } = await import('./write-output.ts')
  if (output.json) {
    const { jsonPieces } = await import('./render/render-json.ts')
    return writePieces(stream, jsonPieces(report))
  }
  const { reportLines } = await import('./render/render-table.ts')
  await writePieces(stream, below(heading, reportLines(report, renderingFor(output, stream))))
}

function* below(heading: string, lines: Iterable<string>): Generator<string> {
  yield heading
  yield* lines
}

async function showStatus(
  { target, shard, list, output, ...line }: StatusLine,
  { env, stdout }: Surroundings,
): Promise<number> {
  const { stateFileOf, targetKeyOf } = await import('./state-place.ts')
  const status = await import('./status-command.ts')
  await status.showStatus({
    stateFile: stateFileOf(line.stateFile, env),
    wanted: target === undefined ? undefined : { target: targetKeyOf(target), shard },
    list,
    output,
    stream: stdout,
    rendering: renderingFor(output, stdout),
  })
  return 0
}

async function showRelay({ url, connection, output, ...line }: RelayLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { runRelayCommand } = await import('./relay-command.ts')
  const key = await findKey(line.key, place)
  const inspection = await runRelayCommand({ url, connection, key, signal: interruption.signal })
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(inspection)
    : (await import('./render/render-relay.ts')).renderRelay(inspection, renderingFor(output, stdout))
  await (await import('./write-output.ts')).writeOutput(stdout, text)
  return 0
}

async function showWhy(line: WhyLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { output, connection, subject, options, isOffline } = line
  const { runWhy } = await import('./why-command.ts')
  const { stateFileOf } = await import('./state-place.ts')
  const { withNextStep } = await import('./render/why-steps.ts')
  const traced = await runWhy({
    ...{ subject, options, isOffline, connection, stdout },
    key: await findKey(line.key, place),
    stateFile: stateFileOf(line.stateFile, place.env),
    openStdin: () => place.stdin,
    signal: interruption.signal,
  })
  const report = withNextStep(traced, nowSeconds())
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(report)
    : (await import('./render/render-why.ts')).renderWhy(report, renderingFor(output, stdout))
  await writeText(place, text)
  return interruption.exitCode() ?? report.exit
}

async function showMerged({ files, reportFile, output }: MergeLine, place: Surroundings): Promise<number> {
  const { stdout, interruption } = place
  const { runMerge } = await import('./merge/run-merge.ts')
  const merge = (): Promise<Report> => runMerge(files, { openStdin: () => place.stdin, signal: interruption.signal })
  const report =
    reportFile === undefined
      ? await merge()
      : await (await import('./page-command.ts')).writePage(reportFile, { command: 'merge-reports', files }, merge)
  await printReport(report, output, stdout)
  return report.exit
}

async function showConfig({ overview, output }: ConfigLine, place: Surroundings): Promise<number> {
  const { stdout } = place
  const text = output.json
    ? (await import('./render/render-json.ts')).renderJson(overview)
    : (await import('./render/render-config.ts')).renderConfig(overview, renderingFor(output, stdout))
  await writeText(place, text)
  return 0
}

/** Reads the key for NIP-42, if there is one; asks for its password on the terminal. */
async function findKey(place: KeyPlace, surroundings: Surroundings): Promise<Uint8Array | undefined> {
  const { env, stderr, interruption } = surroundings
  if (place.keyFile === undefined && (env[SECRET_VARIABLES.key] ?? '') === '') return undefined
  const { readKey } = await import('./read-key.ts')
  const { stdin } = surroundings
  const warn = warnOn(surroundings)
  if (!stdin.isTTY || !stderr.isTTY) return readKey(place, { env, warn })
  const { askPassword } = await import('./ask-password.ts')
  const ask = (question: string): Promise<string> =>
    askPassword(question, { input: stdin, output: stderr, signal: interruption.signal })
  return readKey(place, { env, warn, askPassword: ask })
}

function warnOn({ stderr }: Surroundings): (line: string) => void {
  return (line) => void stderr.write(`${escapeForTerminal(line)}\n`)
}

function renderingFor(
  { color, verbose }: Pick<OutputOptions, 'color' | 'verbose'>,
  stdout: NodeJS.WriteStream,
): RenderOptions {
  return { color: color && stdout.isTTY, width: widthOf(stdout), now: nowSeconds(), verbose }
}

function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : DEFAULT_WIDTH
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
