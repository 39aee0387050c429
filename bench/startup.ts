/**
 * `npm run bench -- startup [--runs 15] [--events 400]`: how long `ngit-sync --help`, `status` and a catch-up with
 * nothing to do, quick and in full, take against bare node, and which packages `--help` loads. Only commander may be
 * among them.
 * NGIT_SYNC_PROGRAM=… is another build, measured in turns. What else the machine does adds least to the
 * least processor time.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { giveFigures, median } from './figures.ts'
import { historySizeOf } from './history.ts'
import { OWN_PROGRAM, startRelayProcess } from './run-program.ts'

/** What a command took. */
type Taken = { readonly ms: number; readonly cpuMs: number }

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '15' }, events: { type: 'string', default: '400' } },
})
const runs = Number(values.runs)
const { NGIT_SYNC_PROGRAM } = process.env
const builds = { '': OWN_PROGRAM, ...(NGIT_SYNC_PROGRAM === undefined ? {} : { ', other build': NGIT_SYNC_PROGRAM }) }
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-startup-'))
const [source, target] = await Promise.all(
  [1, 2].map(() => startRelayProcess(['--events', values.events, '--negentropy'])),
)
try {
  const rounds = measureInTurns({
    'bare node': ['-e', '0'],
    ...Object.assign({}, ...Object.entries(builds).map(([build, program]) => commandsOf(program, build))),
  })
  const commands = Object.fromEntries(Object.keys(rounds[0] ?? {}).map((name) => [name, summarize(name, rounds)]))
  for (const [name, { medianMs, medianCpuMs, leastCpuMs }] of Object.entries(commands)) {
    const ratio = (leastCpuMs / (commands['bare node']?.leastCpuMs ?? NaN)).toFixed(2)
    print(name, `${medianMs} ms; processor time ${medianCpuMs} ms, at least ${leastCpuMs}: ${ratio} x bare node`)
  }
  const packages = loadedPackages()
  print('packages', packages.join(', '))
  giveFigures({ runs, events: historySizeOf(Number(values.events)), commands, packages })
  if (packages.some((name) => name !== 'commander')) process.exitCode = 1
} finally {
  await Promise.all([source?.close(), target?.close()])
  rmSync(directory, { recursive: true, force: true })
}

/** The commands of one build, with a state of its own. */
function commandsOf(program: string, build: string): Readonly<Record<string, readonly string[]>> {
  const ends = ['--target', target?.url ?? '', '--state', join(directory, `state${build}.db`)]
  const catchup = [program, 'catchup', '--source', source?.url ?? '', ...ends, '--scope', 'all', '--quiet']
  measure(catchup) // so that there is a state
  return {
    [`--help${build}`]: [program, '--help'],
    [`status${build}`]: [program, 'status', ...ends],
    [`no-op${build}`]: catchup,
    [`full no-op${build}`]: [...catchup, '--full'],
  }
}

/** In turns, so that whatever else the machine does falls on all. */
function measureInTurns(commands: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, Taken>>[] {
  return Array.from({ length: runs }, () =>
    Object.fromEntries(Object.entries(commands).map(([name, args]) => [name, measure(args)])),
  )
}

function summarize(name: string, rounds: readonly Readonly<Record<string, Taken>>[]) {
  const taken = rounds.flatMap((round) => round[name] ?? [])
  const cpuMs = taken.map((each) => each.cpuMs)
  return {
    medianMs: Math.round(median(taken.map(({ ms }) => ms))),
    medianCpuMs: Math.round(median(cpuMs)),
    leastCpuMs: Math.round(Math.min(...cpuMs)),
  }
}

/** Runs node below a shell, which says afterwards what its children took, all threads together. */
function measure(args: readonly string[]): Taken {
  const startedMs = performance.now()
  const script = '"$@" > /dev/null 2>&1 || exit; times'
  const { status, stdout } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`)
  const ms = performance.now() - startedMs
  const [, children = ''] = stdout.split('\n')
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map((time) => Number(time[1]) * 60 + Number(time[2]))
  return { ms, cpuMs: seconds.reduce((sum, each) => sum + each, 0) * 1000 }
}

/** Every ES module that the run resolves passes the hook; those of CommonJS are known at its end. */
function loadedPackages(): string[] {
  const hook = `export const resolve = async (name, context, next) => {
    const found = await next(name, context)
    process._rawDebug('loads ' + found.url)
    return found
  }`
  const watch = `import { createRequire, register } from 'node:module'
  register(${JSON.stringify(asModule(hook))})
  process.on('exit', () => {
    for (const path of Object.keys(createRequire('file:///').cache)) process._rawDebug('loads ' + path)
  })`
  const { stderr } = spawnSync(process.execPath, ['--import', asModule(watch), OWN_PROGRAM, '--help'], {
    encoding: 'utf8',
  })
  const names = stderr.matchAll(/^loads .*\/node_modules\/((?:@[^/]+\/)?[^/\n]+)\//gm)
  return [...new Set([...names].map(([, name]) => name ?? ''))]
}

function asModule(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(20)} ${value}\n`)
}
