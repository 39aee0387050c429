import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { onTestFinished } from 'vitest'

import type { Surroundings } from '../../src/cli/surroundings.ts'
import { buildEnvironment } from './build-environment.ts'
import type { CliOptions, CliResult } from './run-cli.ts'

type Program = { runProgram(argv: readonly string[], place: Surroundings): Promise<number> }

/** What is run is the build, as for a spawned program: a worker thread needs it, and the mutants are written there. */
const BUILD = new URL('../../dist/cli/run-program.js', import.meta.url).href

/**
 * Runs the program in this process, with streams and an environment of its own: for scenarios that need no process.
 * Signals, the end of standard input and the exit of the process are seen by a spawned program only (`startCli`).
 */
export async function runHere(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { runProgram } = (await import(/* @vite-ignore */ BUILD)) as Program
  const temporary = mkdtempSync(join(tmpdir(), 'ngit-sync-here-'))
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  onTestFinished(() => controller.abort(new Error('the test is over')))
  const [stdout, stderr] = [createSink(), createSink()]
  try {
    const code = await runProgram(args, {
      env: buildEnvironment(temporary, options),
      stdin: new PassThrough().end(options.stdin ?? '') as unknown as NodeJS.ReadStream & { fd: 0 },
      stdout: stdout.stream as unknown as NodeJS.WriteStream & { fd: 1 },
      stderr: stderr.stream as unknown as NodeJS.WriteStream & { fd: 2 },
      interruption: { signal: controller.signal, exitCode: () => undefined, dispose: () => undefined },
    })
    const text = stdout.text()
    return { code, signal: null, stdout: text, stderr: stderr.text(), json: <T>() => JSON.parse(text) as T }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function createSink(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough()
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  return { stream, text: () => text + ((stream.read() as string | null) ?? '') }
}
