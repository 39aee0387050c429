import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a command cost and wrote. Processor time and memory are 0 where there is no /proc. */
export type MeasuredCommand = {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly ms: number
  /** Processor time of all threads; unlike `ms` it hardly depends on what else the machine does. */
  readonly cpuMs: number
  /** Processor time of the main thread alone. */
  readonly mainThreadMs: number
  /** The most memory that was resident at once, threads included. */
  readonly peakBytes: number
  readonly stdout: string
  readonly stderr: string
}

const SAMPLE_MS = 20

/** Runs a command and measures it; `limitMs` ends one that hangs. */
export async function measureCommand(
  [program = '', ...args]: readonly string[],
  limitMs = Infinity,
  env = process.env,
): Promise<MeasuredCommand> {
  const startedMs = performance.now()
  const child = startCommand(program, args, env)
  let usage: Usage = { cpuMs: 0, mainThreadMs: 0, peakBytes: 0 }
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  // The kernel keeps the figures itself; they only have to be read before the process is gone.
  const sampling = setInterval(() => {
    usage = readUsage(child.pid ?? 0) ?? usage
    if (performance.now() - startedMs > limitMs) child.kill('SIGKILL')
  }, SAMPLE_MS)
  try {
    const { code, ms } = await new Promise<{ code: number | null; ms: number }>((resolve, reject) => {
      let ms = 0
      child.once('error', reject)
      child.once('exit', () => (ms = performance.now() - startedMs))
      child.once('close', (code) => resolve({ code, ms }))
    })
    return { code, ms, ...usage, ...output }
  } finally {
    clearInterval(sampling)
  }
}

/** Starts a command that dies with this process at the latest. */
export function startCommand(
  program: string,
  args: readonly string[],
  env = process.env,
): ChildProcessWithoutNullStreams {
  const child = spawn(program, args, { env })
  const killLater = (): void => void child.kill('SIGKILL')
  process.once('exit', killLater)
  child.once('close', () => process.off('exit', killLater))
  return child
}

type Usage = Pick<MeasuredCommand, 'cpuMs' | 'mainThreadMs' | 'peakBytes'>

function readUsage(pid: number): Usage | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (kib === undefined) return undefined
    const [cpuMs, mainThreadMs] = [readCpuMs(`/proc/${pid}`), readCpuMs(`/proc/${pid}/task/${pid}`)]
    return { cpuMs, mainThreadMs, peakBytes: Number(kib) * 1024 }
  } catch {
    return undefined // gone between two looks, or no Linux
  }
}

/** Behind the name in brackets: state, ppid, … and as 12th and 13th user and system time in ticks of 10 ms. */
function readCpuMs(directory: string): number {
  const fields = readFileSync(`${directory}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
