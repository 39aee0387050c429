/**
 * `npm run bench -- latency [--round-trip 100ms] [--repositories 1000] [--rate BYTES/s] [--runs 1]`: `catchup` between
 * relays that are far away, into an empty target and into one that holds everything, against reading the same events in
 * one stream: one REQ after the other for the whole history. `--rate` bounds each way of each relay. The relays are
 * lean, or strfry when STRFRY=… names it; NGIT_SYNC_PROGRAM=… is another build, measured in turns.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { WebSocket } from 'ws'

import { startDelayingProxy, type DelayingProxy, type Distance, type ProxyCounts } from './delaying-proxy.ts'
import { giveFigures, median } from './figures.ts'
import { smallRepositoriesOf } from './history.ts'
import { measureCommand } from './measure-command.ts'
import { createPeerRelays, type Holding } from './peer-relays.ts'
import { OWN_PROGRAM } from './run-program.ts'

const PAGE = 500
const MODES = {
  'first run': { holds: 'nothing', flags: [] },
  'first run, paged': { holds: 'nothing', flags: ['--no-reconcile'] },
  'no-op': { holds: 'everything', flags: [] },
  'no-op, paged': { holds: 'everything', flags: ['--no-reconcile'] },
} as const satisfies Readonly<Record<string, { holds: Holding; flags: readonly string[] }>>

const { values } = parseArgs({
  options: {
    'round-trip': { type: 'string', default: '100ms' },
    repositories: { type: 'string', default: '1000' },
    rate: { type: 'string' },
    runs: { type: 'string', default: '1' },
    'limit-seconds': { type: 'string', default: '300' },
  },
})
const { STRFRY, NGIT_SYNC_PROGRAM } = process.env
const builds = { 'ngit-sync': OWN_PROGRAM, ...(NGIT_SYNC_PROGRAM === undefined ? {} : { other: NGIT_SYNC_PROGRAM }) }
const distance: Distance = {
  roundTripMs: Number.parseFloat(values['round-trip']),
  ...(values.rate === undefined ? {} : { bytesPerSecond: Number.parseFloat(values.rate) }),
}
const history = [...smallRepositoriesOf(Number(values.repositories), Math.floor(Date.now() / 1000))]
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-latency-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const relays = await createPeerRelays(STRFRY, history, directory)
const source = await relays.start('everything')
const sourceProxy = await startDelayingProxy(source.url, distance)
try {
  print(`${history.length} events, ${values.repositories} repositories, ${relays.software}, ${values['round-trip']}`)
  await compare()
} finally {
  await sourceProxy.close()
  await source.close()
}

/** What one run took; counts of both relays. */
type Lap = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly exit: number | 'killed'
  readonly held: number
  readonly source: ProxyCounts
  readonly target: ProxyCounts
}

async function compare(): Promise<void> {
  const streams: number[] = []
  const laps: Record<string, Lap[]> = {}
  for (let run = 0; run < Number(values.runs); run += 1) {
    streams.push(await readInOneStream(sourceProxy.url))
    for (const [mode, { holds, flags }] of Object.entries(MODES)) {
      for (const [build, program] of Object.entries(builds))
        (laps[`${mode}, ${build}`] ??= []).push(await catchUp(program, holds, flags))
    }
  }
  const streamSeconds = median(streams)
  print(`one stream: ${streamSeconds.toFixed(2)} s\n`)
  print(row(['', 'seconds', 'ratio', 'cpu s', 'questions', 'in flight', 'bytes', 'exit', 'held']))
  for (const [name, all] of Object.entries(laps)) print(render(name, all, streamSeconds))
  const { roundTripMs, bytesPerSecond = null } = distance
  giveFigures({ events: history.length, relays: relays.software, roundTripMs, bytesPerSecond, streams, laps })
}

/** Seconds for everything that a relay has, one page after the other on one connection. */
async function readInOneStream(url: string): Promise<number> {
  const startedMs = performance.now()
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await new Promise((resolve) => socket.once('open', resolve))
  const seen = new Set<string>()
  let until: number | undefined
  let before: number
  do {
    before = seen.size
    until = await readPage(socket, until, seen)
  } while (seen.size > before)
  socket.close()
  if (seen.size !== history.length) throw new Error(`the stream brought ${seen.size} of ${history.length} events`)
  return (performance.now() - startedMs) / 1000
}

/** Adds the ids of one page; returns its oldest second. */
function readPage(socket: WebSocket, until: number | undefined, seen: Set<string>): Promise<number | undefined> {
  return new Promise((resolve) => {
    let oldest = until
    const onMessage = (bytes: Buffer): void => {
      const [label, , event] = JSON.parse(bytes.toString()) as [string, string, { id: string; created_at: number }]
      if (label === 'EOSE') {
        socket.off('message', onMessage)
        return resolve(oldest)
      }
      seen.add(event.id)
      oldest = event.created_at
    }
    socket.on('message', onMessage)
    socket.send(JSON.stringify(['REQ', 'all', { limit: PAGE, ...(until === undefined ? {} : { until }) }]))
  })
}

async function catchUp(program: string, holds: Holding, flags: readonly string[]): Promise<Lap> {
  const target = await relays.start(holds)
  const targetProxy = await startDelayingProxy(target.url, distance)
  const stateDirectory = mkdtempSync(join(directory, 'state-'))
  const ends = ['--source', sourceProxy.url, '--target', targetProxy.url, '--state', join(stateDirectory, 'state.db')]
  sourceProxy.takeCounts()
  try {
    const words = [process.execPath, program, 'catchup', ...ends, '--scope', 'all', '--quiet', ...flags]
    const { ms, cpuMs, code, stderr } = await measureCommand(words, Number(values['limit-seconds']) * 1000)
    if (code !== 0) process.stderr.write(stderr)
    const held = await target.count()
    return { seconds: ms / 1000, cpuSeconds: cpuMs / 1000, exit: code ?? 'killed', held, ...countsOf(targetProxy) }
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true })
    await targetProxy.close()
    await target.close()
  }
}

function countsOf(targetProxy: DelayingProxy): Pick<Lap, 'source' | 'target'> {
  return { source: sourceProxy.takeCounts(), target: targetProxy.takeCounts() }
}

/** Medians; counts are those of the source and of the target. */
function render(name: string, laps: readonly Lap[], streamSeconds: number): string {
  const middle = (pick: (lap: Lap) => number): number => median(laps.map(pick))
  const both = (pick: (counts: ProxyCounts) => number): string =>
    `${middle(({ source: counts }) => pick(counts))} + ${middle(({ target }) => pick(target))}`
  const seconds = middle((lap) => lap.seconds)
  return row([
    name,
    seconds.toFixed(2),
    `${(seconds / streamSeconds).toFixed(2)} ×`,
    middle(({ cpuSeconds }) => cpuSeconds).toFixed(2),
    both(({ questions }) => questions),
    both(({ mostInFlight }) => mostInFlight),
    `${Math.round(middle((lap) => lap.source.bytes + lap.target.bytes) / 1000).toLocaleString('en')} kB`,
    [...new Set(laps.map(({ exit }) => exit))].join(' '),
    `${Math.min(...laps.map(({ held }) => held))}`,
  ])
}

function row([name = '', ...cells]: readonly string[]): string {
  return `${name.padEnd(28)}${cells.map((cell) => cell.padStart(12)).join('')}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
