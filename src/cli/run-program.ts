import { UsageError } from '../errors.ts'
import type { Report } from '../report/report.ts'
import { parseCommandLine, type CommandLine } from './parse/command-line.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { Interruption } from './interruption.ts'
import { COMMAND_NAMES } from './parse/command-table.ts'
import { SECRET_VARIABLES } from './parse/option-table.ts'
import type { OutputOptions } from './parse/options.ts'
import type { RenderOptions } from './render/canvas.ts'
import type { KeyPlace } from './read-key.ts'
import type { RunRequest } from './run-command.ts'
import { toolVersion } from './tool-version.ts'

type RunLine = Extract<CommandLine, { type: 'run' }>
type StatusLine = Extract<CommandLine, { type: 'status' }>
type RelayLine = Extract<CommandLine, { type: 'relay' }>

const DEFAULT_WIDTH = 80

/** The environment of the program: `process`, or a replacement in tests. `stdin` is made at its first use. */
export type Surroundings = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr'> & {
  readonly interruption: Interruption
}

/** Runs the command line and returns the exit code. `argv`: the words after the program's name. */
export async function runProgram(argv: readonly string[], place: Surroundings): Promise<number> {
  const { env, stdout, stderr, interruption } = place
  try {
    const line = await parseCommandLine(argv, env, nowSeconds(), { version: toolVersion(), width: widthOf(stdout) })
    if (line.type === 'text' && line.exit !== 0) await printFailure(argv, place, new UsageError(line.problems), 2)
    return await dispatch(line, place)
  } catch (error) {
    const code = interruption.exitCode()
    await printFailure(argv, place, code === undefined ? error : new Error('interrupted'), code ?? exitCodeOf(error))
    if (code === undefined) stderr.write((await import('./render/render-error.ts')).renderError(error, argv[0]))
    else stderr.write('interrupted\n')
    return code ?? exitCodeOf(error)
  }
}

/** With `--json` scripts get a document however the run ends; not among events on standard output. */
async function printFailure(
  argv: readonly string[],
  { env, stdout, stderr }: Surroundings,
  error: unknown,
  exit: number,
): Promise<void> {
  if (!argv.includes('--json') && !/^(?:1|true|yes|on)$/i.test(env['NGIT_SYNC_JSON'] ?? '')) return
  const { renderFailure } = await import('./render/render-failure.ts')
  const isStdoutTaken = [...argv, env['NGIT_SYNC_TARGET'], env['NGIT_SYNC_OUTPUT']].includes('-')
  ;(isStdoutTaken ? stderr : stdout).write(renderFailure(error, exit, commandIn(argv)))
}

function commandIn([first]: readonly string[]): string | undefined {
  return COMMAND_NAMES.find((name) => name === first)
}

async function dispatch(line: CommandLine, place: Surroundings): Promise<number> {
  switch (line.type) {
    case 'text':
      place[line.stream].write(line.text)
      return line.exit
    case 'run':
      return run(line, place)
    case 'status':
      return showStatus(line, place)
    case 'relay':
      return showRelay(line, place)
    case 'demo': {
      const { runDemo } = await import('./demo.ts')
      return runDemo(line.output, place.interruption.signal, { print: printReport })
    }
  }
}

/** Runs once, with progress on the terminal and the report on standard output. */
async function run(line: RunLine, place: Surroundings): Promise<number> {
  const { createProgress } = await import('./progress.ts')
  const { stateFileOf } = await import('./state-place.ts')
  const { options, connection, pacing, output } = line
  const { env, stdout, stderr, interruption } = place
  const key = await findKey(line.key, place)
  const progress = createProgress({ stream: stderr, isTTY: stderr.isTTY, quiet: output.quiet })
  const stateFile = stateFileOf(line.stateFile, env)
  const openStdin = (): NodeJS.ReadStream => place.stdin
  const request = { options, connection, pacing, key, stateFile, openStdin, stdout, signal: interruption.signal }
  try {
    const report = await runLine(line, { ...request, progress })
    progress.stop()
    const exit = interruption.exitCode() ?? report.exit
    const isStdoutTaken = [
      options.target,
      line.check?.output,
      ...(line.check?.lists ?? []).map(({ file }) => file),
    ].includes('-')
    const stream = isStdoutTaken ? stderr : stdout
    await printReport({ ...report, exit, complete: exit === 0 }, output, stream)
    return exit
  } finally {
    progress.stop()
  }
}

async function runLine({ reportFile, ...line }: RunLine, request: RunRequest): Promise<Report> {
  if (reportFile === undefined) return runOrCheck(line, request)
  const { writePage } = await import('./page-command.ts')
  return writePage(reportFile, () => runOrCheck(line, request))
}

async function runOrCheck({ check }: Pick<RunLine, 'check'>, request: RunRequest): Promise<Report> {
  if (check === undefined) return (await import('./run-command.ts')).runCommand(request)
  const { runCheck } = await import('./check-command.ts')
  return runCheck({ ...request, check })
}

/** Prints a report as the operator wants it: no text with `--quiet` when all is well, but always a document. */
async function printReport(report: Report, output: OutputOptions, stream: NodeJS.WriteStream): Promise<void> {
  if (output.quiet && !output.json && (await import('./render/all-well.ts')).isAllWell(report)) return
  if (output.json) {
    const { renderJson } = await import('./render/render-json.ts')
    stream.write(renderJson(report))
    return
  }
  const { renderReport } = await import('./render/render-table.ts')
  const color = output.color && stream.isTTY
  stream.write(renderReport(report, { color, width: widthOf(stream), now: nowSeconds(), verbose: output.verbose }))
}

async function showStatus(
  { target, list, output, ...line }: StatusLine,
  { env, stdout }: Surroundings,
): Promise<number> {
  const { stateFileOf, targetKeyOf } = await import('./state-place.ts')
  const status = await import('./status-command.ts')
  await status.showStatus({
    stateFile: stateFileOf(line.stateFile, env),
    target: target === undefined ? undefined : targetKeyOf(target),
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
  stdout.write(text)
  return 0
}

/** Reads the key for NIP-42, if there is one; asks for its password on the terminal. */
async function findKey(place: KeyPlace, surroundings: Surroundings): Promise<Uint8Array | undefined> {
  const { env, stderr, interruption } = surroundings
  if (place.keyFile === undefined && (env[SECRET_VARIABLES.key] ?? '') === '') return undefined
  const { readKey } = await import('./read-key.ts')
  const { stdin } = surroundings
  const warn = (line: string): void => void stderr.write(`${line}\n`)
  if (!stdin.isTTY || !stderr.isTTY) return readKey(place, { env, warn })
  const { askPassword } = await import('./ask-password.ts')
  const ask = (question: string): Promise<string> =>
    askPassword(question, { input: stdin, output: stderr, signal: interruption.signal })
  return readKey(place, { env, warn, askPassword: ask })
}

function renderingFor({ color, verbose }: OutputOptions, stdout: NodeJS.WriteStream): RenderOptions {
  return { color: color && stdout.isTTY, width: widthOf(stdout), now: nowSeconds(), verbose }
}

function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : DEFAULT_WIDTH
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
