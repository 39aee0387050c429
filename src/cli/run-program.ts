import { readFileSync } from 'node:fs'
import type { Report } from '../report/report.ts'
import { parseCommandLine, type CommandLine } from './parse/command-line.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { Interruption } from './interruption.ts'
import { SECRET_VARIABLES } from './parse/option-table.ts'
import type { OutputOptions } from './parse/options.ts'
import type { RenderOptions } from './render/canvas.ts'
import type { KeyPlace } from './read-key.ts'
import type { RunRequest } from './run-command.ts'
import type { Tell } from '../run-event.ts'

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
    const line = await parseCommandLine(argv, env, nowSeconds(), { version: readVersion(), width: widthOf(stdout) })
    return await dispatch(line, place)
  } catch (error) {
    const code = interruption.exitCode()
    if (code === undefined) stderr.write((await import('./render/render-error.ts')).renderError(error, argv[0]))
    else stderr.write('interrupted\n')
    return code ?? exitCodeOf(error)
  }
}

async function dispatch(line: CommandLine, place: Surroundings): Promise<number> {
  switch (line.type) {
    case 'text':
      if (line.stream === 'stdout') await (await import('./write-output.ts')).writeOutput(place.stdout, line.text)
      else place.stderr.write(line.text)
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

/** Runs once, watched as the operator wants it, with the report on standard output. */
async function run(line: RunLine, place: Surroundings): Promise<number> {
  const { createWatch } = await import('./watch-run.ts')
  const { stateFileOf } = await import('./state-place.ts')
  const { options, output } = line
  const { env, stdout, stderr, interruption } = place
  const stateFile = stateFileOf(line.stateFile, env)
  const watch = createWatch(line, { stateFile, stderr, version: readVersion() })
  let report: Report | undefined
  try {
    await watch.begin()
    const found = await runLine(line, await requestOf(line, stateFile, place, watch.tell))
    watch.stopProgress()
    const exit = interruption.exitCode() ?? found.exit
    report = { ...found, exit, complete: exit === 0 }
    const isStdoutTaken = [options.target, line.check?.output].includes('-')
    await printReport(report, output, isStdoutTaken ? stderr : stdout)
    await watch.end({ exit, report })
    return exit
  } catch (error) {
    await watch.end({ exit: interruption.exitCode() ?? exitCodeOf(error), report, error })
    throw error
  }
}

async function requestOf(line: RunLine, stateFile: string, place: Surroundings, tell?: Tell): Promise<RunRequest> {
  const { options, connection, pacing } = line
  const { stdout, interruption } = place
  const key = await findKey(line.key, place)
  const openStdin = (): NodeJS.ReadStream => place.stdin
  return { options, connection, pacing, key, stateFile, openStdin, stdout, signal: interruption.signal, tell }
}

async function runLine({ check }: RunLine, request: RunRequest): Promise<Report> {
  if (check === undefined) return (await import('./run-command.ts')).runCommand(request)
  const { runCheck } = await import('./check-command.ts')
  return runCheck({ ...request, check })
}

/** Prints a report as the operator wants it: nothing with `--quiet` when all is well. */
async function printReport(report: Report, output: OutputOptions, stream: NodeJS.WriteStream): Promise<void> {
  if (output.quiet && (await import('./render/all-well.ts')).isAllWell(report)) return
  const { writeOutput } = await import('./write-output.ts')
  if (output.json) {
    const { renderJson } = await import('./render/render-json.ts')
    return writeOutput(stream, renderJson(report))
  }
  const { renderReport } = await import('./render/render-table.ts')
  await writeOutput(stream, renderReport(report, renderingFor(output, stream)))
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
  await (await import('./write-output.ts')).writeOutput(stdout, text)
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

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : DEFAULT_WIDTH
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
