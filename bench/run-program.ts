import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Report } from '../src/report/report.ts'
import { startNode, type Child } from '../test/support/child.ts'
import { waitFor } from '../test/support/wait-for.ts'
import type { Traffic } from './lean-relay.ts'
import { measureCommand, type MeasuredCommand } from './measure-command.ts'

/** What a run of the program cost, and its report. */
export type Measured = MeasuredCommand & { readonly report: Report }

/** A lean relay in a process of its own. */
export type RelayProcess = { readonly url: string; traffic(): Promise<Traffic>; close(): Promise<void> }

/** The program of this checkout. */
export const OWN_PROGRAM = fileURLToPath(new URL('../../bin/ngit-sync.js', import.meta.url))

/** The program that is measured; `NGIT_SYNC_PROGRAM` names another build to compare with. */
export const PROGRAM = process.env['NGIT_SYNC_PROGRAM'] ?? OWN_PROGRAM

const RELAY_PROGRAM = fileURLToPath(new URL('./relay-process.js', import.meta.url))
const GENERATION_MS = 600_000

// Children die with this process, but only when it exits; a signal alone would leave them behind.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

/** Runs `ngit-sync … --json` with a state file that nothing else uses, and measures it. */
export async function measureProgram(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-bench-'))
  try {
    const state = ['--state', join(directory, 'state.db')]
    const measured = await measureCommand([process.execPath, ...nodeArgs, PROGRAM, ...args, ...state, '--json'])
    if (measured.stdout === '') throw new Error(`no report (exit ${measured.code}): ${measured.stderr}`)
    return { ...measured, report: JSON.parse(measured.stdout) as Report }
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
