import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'

/** How a child process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A Node process of a test; it dies with the test at the latest. */
export type Child = {
  readonly pid: number
  /** What it wrote until now. */
  stdout(): string
  stderr(): string
  readonly stdin: ChildProcessWithoutNullStreams['stdin']
  readonly exited: Promise<Exit>
  /** Breaks the pipe that it writes standard output to, as `| head` does. */
  closeStdout(): void
  hasExited(): boolean
  kill(signal: NodeJS.Signals): void
}

/** Where a program runs; `env` is its whole environment. */
export type ChildOptions = {
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  /** The words of a command that runs what stands behind them: a shell with limits, a namespace. */
  readonly within?: readonly string[]
}

/** Starts `node` with these arguments. */
export function startNode(args: readonly string[], { within = [], ...options }: ChildOptions): Child {
  const [command = process.execPath, ...rest] = [...within, process.execPath, ...args]
  const child = spawn(command, rest, options)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  // A child that closes standard input early is no failure of the test.
  child.stdin.on('error', () => undefined)
  const killLater = (): void => void child.kill('SIGKILL')
  process.once('exit', killLater)
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('exit', killLater)
      resolve((exit = { code, signal }))
    })
  })
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    stdin: child.stdin,
    closeStdout: () => void child.stdout.destroy(),
    exited,
    hasExited: () => exit !== undefined,
    kill: (signal) => void child.kill(signal),
  }
}
