/**
 * `npm run bench -- serve [--events 10000]`, with STRFRY=/path/to/strfry: a strfry relay that has lost a generated
 * history takes it by its own `strfry sync` from `ngit-sync serve`, which reads it from a file. Prints how long each part
 * took.
 */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'

import type { NostrEvent } from '../src/nostr/event.ts'
import { opensWebSocket } from '../test/support/opens-websocket.ts'
import { waitFor } from '../test/support/wait-for.ts'
import { giveFigures } from './figures.ts'
import { historySizeOf, recentHistoryOf } from './history.ts'
import { measureCommand } from './measure-command.ts'
import { measureProgram } from './run-program.ts'
import { countStrfryStore, createStrfryStore, freePort, startStrfry, strfryVersion } from './strfry.ts'

const MIB = 1024 ** 2
const READING_MS = 3_600_000

const { values } = parseArgs({ options: { events: { type: 'string', default: '10000' } } })
const strfry = process.env['STRFRY']
if (strfry === undefined) throw new Error('STRFRY names no strfry: give its path')
const events = historySizeOf(Number(values.events))
const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-serve-'))
const source = join(directory, 'source.jsonl')
await writeEvents(source, recentHistoryOf(Number(values.events), Math.floor(Date.now() / 1000)))
const store = await createStrfryStore(strfry, join(directory, 'target'))
const target = await startStrfry(strfry, store)
try {
  const address = `127.0.0.1:${await freePort()}`
  const ends = ['--source', source, '--target', target.url, '--scope', 'all']
  const startedMs = performance.now()
  const serving = measureProgram(['serve', ...ends, '--listen', address])
  // Before it has read everything it turns clients away.
  await waitFor(() => opensWebSocket(`ws://${address}`), {
    timeoutMs: READING_MS,
    everyMs: 100,
    what: 'serve to let in',
  })
  const readMs = performance.now() - startedMs
  const pull = await measureCommand([strfry, `--config=${store.config}`, 'sync', `ws://${address}`, '--dir', 'down'])
  const { code, peakBytes, report } = await serving
  const wholeMs = performance.now() - startedMs
  const held = countStrfryStore(strfry, store)
  print('events', `${events}, exit ${code}, ${held} at the target, ${report.totals.published} sent`)
  print('read, let in', seconds(readMs))
  print('strfry sync', `${seconds(pull.ms)}, ${Math.round(events / (pull.ms / 1000))} events/s (exit ${pull.code})`)
  print('until exit', `${seconds(wholeMs)}, everything`)
  print('peak memory', `${(peakBytes / MIB).toFixed(0)} MiB resident, of serve`)
  const figures = {
    events,
    held,
    code,
    readMs,
    pullMs: pull.ms,
    wholeMs,
    peakBytes,
    published: report.totals.published,
  }
  giveFigures({ ...figures, strfry: strfryVersion(strfry) })
  if (code !== 0 || held !== events) process.exitCode = 1
} finally {
  await target.close()
  rmSync(directory, { recursive: true, force: true })
}

async function writeEvents(file: string, history: Iterable<NostrEvent>): Promise<void> {
  const lines = function* (): Generator<string> {
    for (const event of history) yield `${JSON.stringify(event)}\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(file))
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(13)} ${value}\n`)
}
