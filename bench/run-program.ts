import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Report } from '../src/report/report.ts'
import { startNode, type Child } from '../test/support/child.ts'
import { waitFor } from '../test/support/wait-for.ts'
import type { Traffic } from './lean-relay.ts'

/** What a run of the program cost. */
export type Measured = {
  readonly code: number | null
  readonly report: Report
  readonly ms: number
  /** Processor time of all threads; unlike `ms` it hardly depends on what else the machine does. */
  readonly cpuMs: number
  /** The most memory that was resident at once, threads included; like `cpuMs` 0 where there is no /proc. */
  readonly peakBytes: number
}

/** A lean relay in a process of its own. */
export type RelayProcess = { readonly url: string; traffic(): Promise<Traffic>; close(): Promise<void> }

/** The program, as it is installed; `NGIT_SYNC_PROGRAM` names another build to compare with. */
export const PROGRAM =
  process.env['NGIT_SYNC_PROGRAM'] ?? fileURLToPath(new URL('../../bin/ngit-sync.js', import.meta.url))

const RELAY_PROGRAM = fileURLToPath(new URL('./relay-process.js', import.meta.url))
const GENERATION_MS = 600_000
const SAMPLE_MS = 20

// Children die with this process, but only when it exits; a signal alone would leave them behind.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

/** Runs `ngit-sync … --json` with a state file that nothing else uses, and measures it. */
export async function measureProgram(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-bench-'))
  try {
    const startedMs = performance.now()
    const state = ['--state', join(directory, 'state.db')]
    const child = startNode([...nodeArgs, PROGRAM, ...args, ...state, '--json'], { env: process.env })
    const usage = await watchUsage(child)
    const { code } = await child.exited
    const ms = performance.now() - startedMs
    if (child.stdout() === '') throw new Error(`no report (exit ${code}): ${child.stderr()}`)
    return { code, report: JSON.parse(child.stdout()) as Report, ms, ...usage }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Starts a lean relay; resolves when it holds its events and listens. */
export async function startRelayProcess(args: readonly string[]): Promise<RelayProcess> {
  const child = startNode(['--max-old-space-size=8192', RELAY_PROGRAM, ...args], { env: process.env })
  const url = await waitFor(() => announcedUrl(child), { timeoutMs: GENERATION_MS, everyMs: 50, what: 'the relay' })
  return {
    url,
    traffic: async () => (await (await fetch(url.replace(/^ws/, 'http'))).json()) as Traffic,
    close: async () => {
      child.stdin.end()
      await child.exited
    },
  }
}

function announcedUrl(child: Child): string | undefined {
  if (child.hasExited()) throw new Error(`the relay process ended: ${child.stderr()}`)
  return /^listening (\S+)$/m.exec(child.stdout())?.[1]
}

type Usage = Pick<Measured, 'cpuMs' | 'peakBytes'>

/** The kernel keeps both itself; they only have to be read before the process is gone. */
async function watchUsage(child: Child): Promise<Usage> {
  let usage: Usage = { cpuMs: 0, peakBytes: 0 }
  while (!child.hasExited()) {
    usage = readUsage(child.pid) ?? usage
    await sleep(SAMPLE_MS)
  }
  return usage
}

function readUsage(pid: number): Usage | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    // Behind the name in brackets: state, ppid, … and as 12th and 13th user and system time in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    const ticks = Number(fields[11]) + Number(fields[12])
    return kib === undefined ? undefined : { cpuMs: ticks * 10, peakBytes: Number(kib) * 1024 }
  } catch {
    return undefined // gone between two looks, or no Linux
  }
}
