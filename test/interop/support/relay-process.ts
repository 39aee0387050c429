import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

import { opensWebSocket } from '../../support/opens-websocket.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A command line that starts a relay; it logs into `logFile` and listens at `url` when it is ready. */
export type RelayCommand = {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
  readonly url: string
}

/** A relay that runs. */
export type RelayProcess = {
  /** SIGTERM, and SIGKILL when that does not end it within five seconds. */
  stop(): Promise<void>
  kill(): Promise<void>
}

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5_000

/** Starts the relay and resolves when it takes connections. Throws with the end of its log when it does not. */
export async function startRelayProcess(command: RelayCommand): Promise<RelayProcess> {
  const child = spawnLogged(command)
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = async (): Promise<void> => {
    killNow()
    await exited
    process.off('exit', killNow)
  }
  const stop = async (): Promise<void> => {
    const timer = setTimeout(killNow, STOP_TIMEOUT_MS)
    child.kill('SIGTERM')
    await exited
    clearTimeout(timer)
    process.off('exit', killNow)
  }
  try {
    await waitFor(() => isListening(child, command.url), {
      timeoutMs: START_TIMEOUT_MS,
      everyMs: 50,
      what: command.url,
    })
  } catch (error) {
    await kill()
    const log = readFileSync(command.logFile, 'utf8').slice(-2_000)
    throw new Error(`start ${command.program} ${command.args.join(' ')}: its log ends with\n${log}`, { cause: error })
  }
  return { stop, kill }
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

function spawnLogged({ program, args, env, cwd, logFile }: RelayCommand): ChildProcess {
  const log = openSync(logFile, 'a')
  try {
    return spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
  } finally {
    closeSync(log)
  }
}

async function isListening(child: ChildProcess, url: string): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended')
  return opensWebSocket(url)
}
