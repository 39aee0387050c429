import { readFileSync } from 'node:fs'
import type { Report } from '../report.ts'
import { parseCommandLine, type CommandLine } from './command-line.ts'
import { exitCodeOf } from './exit-codes.ts'
import { listenForInterruption, type Interruption } from './interruption.ts'
import type { OutputOptions } from './options.ts'
import { renderError } from './render-error.ts'
import type { RunRequest } from './run-command.ts'
import { stateFileOf, targetKeyOf } from './state-place.ts'

type RunLine = Extract<CommandLine, { type: 'run' }>
type StatusLine = Extract<CommandLine, { type: 'status' }>

const DEFAULT_WIDTH = 80

/** The program: reads the command line of this process, does what it says, and returns the exit code. */
export async function main(): Promise<number> {
  const interruption = listenForInterruption()
  const argv = process.argv.slice(2)
  try {
    const line = await parseCommandLine(argv, process.env, nowSeconds(), {
      version: readVersion(),
      width: widthOf(process.stdout),
    })
    return await dispatch(line, interruption)
  } catch (error) {
    const code = interruption.exitCode()
    process.stderr.write(code === undefined ? renderError(error, argv[0]) : 'interrupted\n')
    return code ?? exitCodeOf(error)
  } finally {
    interruption.dispose()
  }
}

async function dispatch(line: CommandLine, interruption: Interruption): Promise<number> {
  switch (line.type) {
    case 'text':
      process[line.stream].write(line.text)
      return line.exit
    case 'run':
      return run(line, interruption)
    case 'status':
      return showStatus(line)
    case 'demo': {
      const { runDemo } = await import('./demo.ts')
      return runDemo(line.output, interruption.signal, { print: printReport })
    }
  }
}

/** One run, with its progress on the terminal and its report on standard output. */
async function run(line: RunLine, interruption: Interruption): Promise<number> {
  const { createProgress } = await import('./progress.ts')
  const { options, connection, output } = line
  const progress = createProgress({ stream: process.stderr, isTTY: process.stderr.isTTY, quiet: output.quiet })
  const stateFile = stateFileOf(line.stateFile, process.env)
  try {
    const report = await runLine(line, { options, connection, stateFile, signal: interruption.signal, progress })
    progress.stop()
    const exit = interruption.exitCode() ?? report.exit
    const isStdoutTaken = [options.target, line.check?.output].includes('-')
    const stream = isStdoutTaken ? process.stderr : process.stdout
    await printReport({ ...report, exit, complete: exit === 0 }, output, stream)
    return exit
  } finally {
    progress.stop()
  }
}

async function runLine({ check }: RunLine, request: RunRequest): Promise<Report> {
  if (check === undefined) return (await import('./run-command.ts')).runCommand(request)
  const { runCheck } = await import('./check-command.ts')
  return runCheck({ ...request, check })
}

/** Prints a report as the operator wants it: nothing with `--quiet` when all is well. */
async function printReport(report: Report, output: OutputOptions, stream: NodeJS.WriteStream): Promise<void> {
  const { isAllWell, renderReport } = await import('./render-table.ts')
  if (output.quiet && isAllWell(report)) return
  if (output.json) {
    const { renderJson } = await import('./render-json.ts')
    stream.write(renderJson(report))
    return
  }
  const color = output.color && stream.isTTY
  stream.write(renderReport(report, { color, width: widthOf(stream), now: nowSeconds(), verbose: output.verbose }))
}

async function showStatus(line: StatusLine): Promise<number> {
  const { loadStatus } = await import('../store/load-status.ts')
  const { renderJson } = await import('./render-json.ts')
  const { renderStatus } = await import('./render-status.ts')
  const targetKey = line.target === undefined ? undefined : targetKeyOf(line.target)
  const status = loadStatus(stateFileOf(line.stateFile, process.env), targetKey)
  const { stdout } = process
  const color = line.output.color && stdout.isTTY
  const text = line.output.json
    ? renderJson(status)
    : renderStatus(status, { color, width: widthOf(stdout), now: nowSeconds() })
  stdout.write(text)
  return 0
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
