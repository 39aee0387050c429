import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildEnvironment } from './build-environment.ts'
import { startNode, type Child } from './child.ts'
import { packedProgram } from './packed-program.ts'

/** How the program is run. */
export type CliOptions = {
  /** Beside `PATH`, `HOME`, the XDG directories and `TZ=UTC`; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Standard input, then its end. @default empty */
  readonly stdin?: string
  /** The program is killed and the test fails after this. @default 60_000 */
  readonly timeoutMs?: number
  /** A command in front of the program. @default none */
  readonly within?: readonly string[]
  /** `XDG_STATE_HOME`, kept. @default a temporary directory, removed at the end */
  readonly stateDir?: string
}

/** How the program ended and what it wrote. */
export type CliResult = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as one JSON document; the caller names its type. Throws when it is not JSON. */
  json<T>(): T
}

/** The program while it runs. */
export type LiveCli = {
  readonly pid: number
  stdout(): string
  stderr(): string
  kill(signal: NodeJS.Signals): void
  /** Breaks the pipe that it writes standard output to, as `| head` does. */
  closeStdout(): void
  /** Rejects when `timeoutMs` passed first. */
  readonly finished: Promise<CliResult>
}

/** Runs the packed program to its end. Needs the build. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).finished
}

/** Starts the program and returns at once. */
export function startCli(args: readonly string[], options: CliOptions = {}): LiveCli {
  const temporary = mkdtempSync(join(tmpdir(), 'ngit-sync-cli-'))
  const child = startNode([packedProgram(), ...args], {
    env: buildEnvironment(temporary, options),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.within === undefined ? {} : { within: options.within }),
  })
  child.stdin.end(options.stdin ?? '')
  const finished = collect(child, `ngit-sync ${args.join(' ')}`, options.timeoutMs ?? 60_000)
  const tidied = finished.finally(() => rmSync(temporary, { recursive: true, force: true }))
  // A test that kills the program may never ask for the result; then a timeout is nobody's.
  tidied.catch(() => undefined)
  const { pid, stdout, stderr, kill, closeStdout } = child
  return { pid, stdout, stderr, kill, closeStdout, finished: tidied }
}

async function collect(child: Child, what: string, timeoutMs: number): Promise<CliResult> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const { code, signal } = await child.exited.finally(() => clearTimeout(timer))
  const stdout = child.stdout()
  const stderr = child.stderr()
  if (isLate) throw new Error(`${what} did not end within ${timeoutMs} ms\n${stdout}\n${stderr}`)
  return { code, signal, stdout, stderr, json: <T>() => JSON.parse(stdout) as T }
}
