/**
 * `npm run bench -- startup [--runs 15]`: how long `ngit-sync --help`, `status` of a small state and a catch-up with
 * nothing to do take against bare node, and which packages `--help` loads. Only commander may be among them.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { giveFigures, median } from './figures.ts'
import { historySizeOf } from './history.ts'
import { PROGRAM, startRelayProcess } from './run-program.ts'

const EVENTS = 400

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } })
const runs = Number(values.runs)
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-startup-'))
const [source, target] = await Promise.all(
  [1, 2].map(() => startRelayProcess(['--events', `${EVENTS}`, '--negentropy'])),
)
try {
  const ends = ['--target', target?.url ?? '', '--state', join(directory, 'state.db')]
  const catchup = [PROGRAM, 'catchup', '--source', source?.url ?? '', ...ends, '--scope', 'all', '--quiet']
  timeNode(catchup) // so that there is a state
  const ms = timeInTurns({
    'bare node': ['-e', '0'],
    '--help': [PROGRAM, '--help'],
    status: [PROGRAM, 'status', ...ends],
    'no-op': catchup,
  })
  const bareMs = ms['bare node'] ?? NaN
  for (const [name, each] of Object.entries(ms))
    print(name, `${each.toFixed(0)} ms, ratio ${(each / bareMs).toFixed(2)}`)
  const packages = loadedPackages()
  print('packages', packages.join(', '))
  giveFigures({ runs, events: historySizeOf(EVENTS), medianMs: ms, packages })
  if (packages.some((name) => name !== 'commander')) process.exitCode = 1
} finally {
  await Promise.all([source?.close(), target?.close()])
  rmSync(directory, { recursive: true, force: true })
}

/** Medians in milliseconds; in turns, so that whatever else the machine does falls on all. */
function timeInTurns(commands: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, number>> {
  const rounds = Array.from({ length: runs }, () => Object.values(commands).map(timeNode))
  return Object.fromEntries(
    Object.keys(commands).map((name, index) => [name, median(rounds.map((times) => times[index] ?? NaN))]),
  )
}

function timeNode(args: readonly string[]): number {
  const startedMs = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`)
  return performance.now() - startedMs
}

/** Every ES module that the run resolves passes this hook; CommonJS packages enter through one of them. */
function loadedPackages(): string[] {
  const hook = `export const resolve = async (name, context, next) => {
    const found = await next(name, context)
    if (found.url.includes('/node_modules/')) process._rawDebug('loads ' + found.url)
    return found
  }`
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asModule(hook))})`
  const { stderr } = spawnSync(process.execPath, ['--import', asModule(register), PROGRAM, '--help'], {
    encoding: 'utf8',
  })
  const names = stderr.matchAll(/^loads .*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)
  return [...new Set([...names].map(([, name]) => name ?? ''))]
}

function asModule(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(12)} ${value}\n`)
}
