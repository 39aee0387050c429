/**
 * `npm run bench -- serve [--events 10000 | --file FILE]`: a relay that has lost a generated history, or the events of a
 * JSONL file, takes it from `ngit-sync serve`, which reads it from a file. Prints how long each part took. With
 * STRFRY=/path/to/strfry it is a strfry relay, by its own `strfry sync`; else a lean relay, for which a small client
 * reads page after page, with a comparison of everything open meanwhile.
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'

import type { NostrEvent } from '../src/nostr/event.ts'
import { opensWebSocket } from '../test/support/opens-websocket.ts'
import { waitFor } from '../test/support/wait-for.ts'
import { giveFigures } from './figures.ts'
import { recentHistoryOf } from './history.ts'
import { measureCommand } from './measure-command.ts'
import { pullEvents } from './pull-events.ts'
import { measureProgram, startRelayProcess } from './run-program.ts'
import { countStrfryStore, createStrfryStore, freePort, startStrfry, strfryVersion } from './strfry.ts'

const MIB = 1024 ** 2
const READING_MS = 6 * 3_600_000
const NEWLINE = 10

/** A relay that takes what another relay serves. */
type Taker = {
  readonly url: string
  /** What it is, and by what it takes. */
  readonly name: string
  take(from: string): Promise<void>
  held(): Promise<number>
  close(): Promise<void>
}

const { values } = parseArgs({ options: { events: { type: 'string', default: '10000' }, file: { type: 'string' } } })
const strfry = process.env['STRFRY']
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-serve-'))
const source = values.file ?? (await writeEvents(recentHistoryOf(Number(values.events), Math.floor(Date.now() / 1000))))
const events = await countLines(source)
const taker = strfry === undefined ? await startLean() : await startByStrfry(strfry)
try {
  const address = `127.0.0.1:${await freePort()}`
  const ends = ['--source', source, '--target', taker.url, '--scope', 'all']
  const startedMs = performance.now()
  const serving = measureProgram(['serve', ...ends, '--listen', address])
  // Before it has read everything it turns clients away.
  await waitFor(() => opensWebSocket(`ws://${address}`), {
    timeoutMs: READING_MS,
    everyMs: 100,
    what: 'serve to let in',
  })
  const readMs = performance.now() - startedMs
  await taker.take(`ws://${address}`)
  const pullMs = performance.now() - startedMs - readMs
  const { code, cpuMs, peakBytes, report } = await serving
  const wholeMs = performance.now() - startedMs
  const held = await taker.held()
  print('events', `${events}, exit ${code}, ${held} at the target, ${report.totals.published} sent`)
  print('read, let in', seconds(readMs))
  print('taken', `${seconds(pullMs)}, ${Math.round(events / (pullMs / 1000))} events/s (${taker.name})`)
  print('until exit', `${seconds(wholeMs)}, everything`)
  print('processor', `${Math.round((cpuMs * 1000) / events)} µs an event, of serve, all threads`)
  print('peak memory', `${(peakBytes / MIB).toFixed(0)} MiB resident, of serve`)
  const figures = { events, held, code, readMs, pullMs, wholeMs, cpuMs, peakBytes, published: report.totals.published }
  giveFigures({ ...figures, taker: taker.name })
  if (code !== 0 || held !== events) process.exitCode = 1
} finally {
  await taker.close()
  rmSync(directory, { recursive: true, force: true })
}

async function startByStrfry(program: string): Promise<Taker> {
  const store = await createStrfryStore(program, join(directory, 'target'))
  const { url, close } = await startStrfry(program, store)
  const take = async (from: string): Promise<void> => {
    const { code } = await measureCommand([program, `--config=${store.config}`, 'sync', from, '--dir', 'down'])
    if (code !== 0) throw new Error(`strfry sync ended with ${code}`)
  }
  const held = (): Promise<number> => Promise.resolve(countStrfryStore(program, store))
  return { url, name: `strfry sync, ${strfryVersion(program)}`, take, held, close }
}

async function startLean(): Promise<Taker> {
  const { url, traffic, close } = await startRelayProcess([])
  const take = async (from: string): Promise<void> => void (await pullEvents(from, url, { comparing: true }))
  return { url, name: 'a client of a lean relay', take, held: async () => (await traffic()).stored, close }
}

/** Returns the name of the file. */
async function writeEvents(history: Iterable<NostrEvent>): Promise<string> {
  const file = join(directory, 'source.jsonl')
  const lines = function* (): Generator<string> {
    for (const event of history) yield `${JSON.stringify(event)}\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(file))
  return file
}

async function countLines(file: string): Promise<number> {
  let lines = 0
  for await (const bytes of createReadStream(file) as AsyncIterable<Buffer>)
    for (const byte of bytes) if (byte === NEWLINE) lines += 1
  return lines
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(13)} ${value}\n`)
}
