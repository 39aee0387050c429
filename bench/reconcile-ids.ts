/**
 * `npm run bench -- reconcile-ids [--ids 100000]`: compares two sets of ids as two relays, every message encoded and
 * decoded, and prints time, round trips, bytes and memory; then the same sets with the library's implementation.
 */
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'

import { nip77 } from 'nostr-tools'

import { reconcile } from '../src/relay/negentropy/bridge.ts'
import { IdCollector, type IdSet } from '../src/relay/negentropy/id-set.ts'
import { LocalResponder } from '../src/relay/negentropy/local-responder.ts'
import { createRemote, overTheWire } from '../test/support/test-responders.ts'
import { giveFigures } from './figures.ts'

const MB = 1_000_000
const START_AT = 1_700_000_000
const SECONDS_APART = 60
const DAY = 86_400 / SECONDS_APART

type Exchange = {
  readonly name: string
  readonly ms: number
  readonly missing: number
  readonly roundTrips: number
  readonly bytes: number
}

const { values } = parseArgs({ options: { ids: { type: 'string', default: '100000' } } })
const size = Number(values.ids)

/** What the target lacks. */
const CASES: Readonly<Record<string, (index: number) => boolean>> = {
  nothing: () => false,
  '100 newest': (index) => index >= size - 100,
  '100 scattered': (index) => index % Math.floor(size / 100) === 0,
  'a day': (index) => index >= size / 2 && index < size / 2 + DAY,
  everything: () => true,
}

const before = residentBytes()
const [all, buildMs] = timed(() => collect(() => false))
print('ids', `${size}: built in ${buildMs} ms, ${perId(residentBytes() - before)}`)
const cases: Exchange[] = []
for (const [name, isMissing] of Object.entries(CASES)) cases.push(await compare(name, isMissing))
const peakBytes = process.resourceUsage().maxRSS * 1024
print('memory', `${(peakBytes / MB).toFixed(0)} MB resident at most, with both sets`)
const library = await compareWithLibrary()
giveFigures({ ids: size, buildMs, peakBytes, cases, library })

async function compare(name: string, isMissing: (index: number) => boolean): Promise<Exchange> {
  const held = collect(isMissing)
  const source = createRemote(overTheWire(new LocalResponder(all)))
  const target = createRemote(overTheWire(new LocalResponder(held)))
  const start = performance.now()
  const result = await reconcile({ source, target, onMissing: async () => undefined })
  const ms = Math.round(performance.now() - start)
  const sent = source.traffic.sent + target.traffic.sent
  const received = source.traffic.received + target.traffic.received
  const found = `${result.missing} missing, ${result.listed} listed, ${result.roundTrips} round trips`
  print(name, `${ms} ms, ${found}, ${sent} bytes sent, ${received} received`)
  if (result.type !== 'done' || result.missing !== all.size - held.size) process.exitCode = 1
  return { name, ms, missing: result.missing, roundTrips: result.roundTrips, bytes: sent + received }
}

/** The same ids in the library, as the client of a relay that lacks the 100 newest. */
function compareWithLibrary(): Promise<Exchange> {
  const start = residentBytes()
  const storage = new nip77.NegentropyStorageVector()
  const [, ms] = timed(() => {
    for (let index = 0; index < size; index += 1) storage.insert(timeOf(index), idOf(index))
    storage.seal()
  })
  print('library', `built in ${ms} ms, ${perId(residentBytes() - start)}`)
  const relay = overTheWire(new LocalResponder(collect(CASES['100 newest'] ?? (() => false))))
  const client = new nip77.Negentropy(storage, 60_000)
  return exchange(client, relay)
}

async function exchange(client: nip77.Negentropy, relay: (hex: string) => string | Promise<string>): Promise<Exchange> {
  const start = performance.now()
  let [message, roundTrips, missing, bytes]: [string | null, number, number, number] = [client.initiate(), 0, 0, 0]
  for (; message !== null; roundTrips += 1) {
    const answer = await relay(message)
    bytes += (message.length + answer.length) / 2
    message = client.reconcile(answer, () => (missing += 1))
  }
  const ms = Math.round(performance.now() - start)
  print('library', `${ms} ms, ${missing} missing, ${roundTrips} round trips`)
  return { name: '100 newest', ms, missing, roundTrips, bytes }
}

function collect(isMissing: (index: number) => boolean): IdSet {
  const ids = new IdCollector()
  for (let index = size - 1; index >= 0; index -= 1) if (!isMissing(index)) ids.add(timeOf(index), idOf(index))
  return ids.seal()
}

function timeOf(index: number): number {
  return START_AT + index * SECONDS_APART
}

function idOf(index: number): string {
  return createHash('sha256').update(`id ${index}`).digest('hex')
}

function timed<T>(work: () => T): [T, ms: number] {
  const start = performance.now()
  const made = work()
  return [made, Math.round(performance.now() - start)]
}

function residentBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

function perId(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB resident, ${(bytes / size).toFixed(0)} bytes an id`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(14)} ${value}\n`)
}
