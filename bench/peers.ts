/**
 * `npm run bench -- peers [--events 30000] [--pairs 5] [--limit 240]`: ngit-sync against `strfry sync` (STRFRY=… names
 * the binary, which then is the relay at both ends too), `nak sync` (NAK=…), another build of itself
 * (NGIT_SYNC_PROGRAM=…) and itself with native signatures (KOFFI=… names a `node_modules` with koffi), in turns, at three
 * jobs. `--limit` is in seconds, for each run. Events are counted at the target afterwards. `time` is the median over
 * the pairs of a contestant's seconds divided by those of ngit-sync.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import {
  createNakSync,
  createNgitSync,
  createStrfrySync,
  type Arena,
  type Contestant,
  type Job,
  type Outcome,
} from './contestants.ts'
import { giveFigures, median } from './figures.ts'
import { recentHistoryOf, repositoriesOf } from './history.ts'
import { createPeerRelays, NEWEST } from './peer-relays.ts'

const JOBS: readonly Job[] = [
  { name: 'first copy', target: 'nothing', isRepeated: false },
  { name: 'nothing missing', target: 'everything', isRepeated: true },
  { name: `${NEWEST} newest missing`, target: 'older', isRepeated: true },
]
const MB = 1_000_000

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '30000' },
    pairs: { type: 'string', default: '5' },
    limit: { type: 'string', default: '240' },
  },
})
const { STRFRY, NAK, NGIT_SYNC_PROGRAM, KOFFI } = process.env
const history = [...recentHistoryOf(Number(values.events), Math.floor(Date.now() / 1000))]
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-peers-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

const relays = await createPeerRelays(STRFRY, history, directory)
const sources = { everything: await relays.start('everything'), older: await relays.start('older') }
try {
  await holdContest({ relays, sources, directory, limitMs: Number(values.limit) * 1000 })
} finally {
  await Promise.all([sources.everything.close(), sources.older.close()])
}

async function holdContest(arena: Arena): Promise<void> {
  const contestants = enlist(arena)
  const repositories = repositoriesOf(Number(values.events))
  print(`${count(history.length)} events, ${repositories} repositories, ${relays.software}, pairs: ${values.pairs}`)
  const jobs = []
  for (const job of JOBS) jobs.push({ job: job.name, contestants: await compete(job, contestants) })
  giveFigures({
    events: history.length,
    repositories,
    relays: relays.software,
    versions: Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
    jobs,
  })
}

/** ngit-sync first: the others are compared with it. */
function enlist(arena: Arena): Contestant[] {
  return [
    createNgitSync(arena, 'ngit-sync'),
    ...(KOFFI === undefined ? [] : [createNgitSync(arena, 'native signatures', { packages: KOFFI })]),
    ...(NGIT_SYNC_PROGRAM === undefined ? [] : [createNgitSync(arena, 'other build', { program: NGIT_SYNC_PROGRAM })]),
    ...(STRFRY === undefined ? [] : [createStrfrySync(arena, STRFRY)]),
    ...(NAK === undefined ? [] : [createNakSync(arena, NAK)]),
  ]
}

/** In turns, so that whatever else the machine does falls on all. */
async function compete(job: Job, contestants: readonly Contestant[]): Promise<readonly Standing[]> {
  const runs = contestants.map((): Outcome[] => [])
  for (let pair = 0; pair < Number(values.pairs); pair += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const outcome = await contestant.run(job)
      process.stderr.write(`${job.name}, ${contestant.name}: ${outcome.seconds.toFixed(2)} s\n`)
      runs[index]?.push(outcome)
    }
  }
  const standings = contestants.map(({ name }, index) => compare(name, runs[index] ?? [], runs[0] ?? []))
  print(`\n${row([job.name, 'seconds', 'time', 'events/s', 'main µs', 'all µs', 'peak', 'bytes', 'exit', 'held'])}`)
  for (const standing of standings) print(render(standing, job))
  return standings
}

/** Medians over the runs, and the runs themselves. */
type Standing = {
  readonly name: string
  readonly seconds: number
  /** 2: ngit-sync needed half of the time in the same pair. */
  readonly ratio: number
  /** The fewest events that the target held afterwards. */
  readonly held: number
  readonly runs: readonly Outcome[]
}

function compare(name: string, runs: readonly Outcome[], own: readonly Outcome[]): Standing {
  const ratios = runs.map(({ seconds }, pair) => seconds / (own[pair]?.seconds ?? NaN))
  return {
    name,
    seconds: median(runs.map(({ seconds }) => seconds)),
    ratio: median(ratios),
    held: Math.min(...runs.map(({ held }) => held)),
    runs,
  }
}

function render({ name, seconds, ratio, held, runs }: Standing, { isRepeated }: Job): string {
  const middle = (pick: (run: Outcome) => number): number => median(runs.map(pick))
  const each = (pick: (run: Outcome) => number): string =>
    isRepeated ? '·' : ((middle(pick) / history.length) * 1e6).toFixed(0)
  const lost = history.length - held
  return row([
    name,
    seconds.toFixed(2),
    `${ratio.toFixed(2)} ×`,
    isRepeated ? '·' : count(held / seconds),
    each(({ mainThreadSeconds }) => mainThreadSeconds),
    each(({ cpuSeconds }) => cpuSeconds),
    `${(middle(({ peakBytes }) => peakBytes) / MB).toFixed(0)} MB`,
    isRepeated ? `${count(middle(({ bytes = 0 }) => bytes) / 1000)} kB` : '·',
    [...new Set(runs.map(({ exit }) => exit))].join(' '),
    lost === 0 ? 'all' : `${count(held)} of ${count(history.length)}: lacks ${count(lost)}`,
  ])
}

function row(cells: readonly string[]): string {
  const [name = '', held = ''] = [cells[0], cells.at(-1)]
  const numbers = cells.slice(1, -1).map((cell) => cell.padStart(9))
  return `${name.padEnd(20)}${numbers.join('')}   ${held}`
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
