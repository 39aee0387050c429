/**
 * `npm run bench -- reconcile [--events 100000]`: what a full pass costs when nothing, a little or a day is missing, by
 * reconciliation (NIP-77) and by paging, over one history in repositories with ten roots each. Two lean relays in this
 * process; the program in its own. Bytes are counted at the sockets of both relays. `beyond` is what
 * NIP-77 cost more than when nothing is missing, beside the events: read at the source, sent, read back at the target.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import type { NostrEvent } from '../src/nostr/event.ts'
import type { Report } from '../src/report/report.ts'
import { Sqlite } from '../src/sqlite.ts'
import { startNode } from '../test/support/child.ts'
import { createRandom, generateHistory } from '../test/support/generate.ts'
import { giveFigures } from './figures.ts'
import { startLeanRelay, type Traffic } from './lean-relay.ts'
import { PROGRAM } from './run-program.ts'

const { values } = parseArgs({ options: { events: { type: 'string', default: '100000' } } })
const ROOTS = 10
const COMMENTS = 18
const DAY = 86_400
const repositories = Math.round(Number(values.events) / (2 + ROOTS * (2 + COMMENTS)))
const history = [
  ...generateHistory({ repositories, rootsPerRepository: ROOTS, commentsPerRoot: COMMENTS, spacingSeconds: 60 }),
]

type Cost = { readonly seconds: number; readonly received: number; readonly sent: number }

const leaves = history.filter(({ kind }) => kind === 1111)
const random = createRandom(3)
const scattered = new Set(Array.from({ length: 100 }, () => leaves[Math.floor(random() * leaves.length)]?.id))
const newest = new Set(leaves.slice(-100).map(({ id }) => id))
const dayStart = leaves[Math.floor(leaves.length / 2)]?.created_at ?? 0
const GAPS: readonly (readonly [name: string, isMissing: (event: NostrEvent) => boolean])[] = [
  ['nothing', () => false],
  ['100 newest', ({ id }) => newest.has(id)],
  ['100 scattered', ({ id }) => scattered.has(id)],
  ['a day', ({ kind, created_at }) => kind === 1111 && created_at >= dayStart && created_at < dayStart + DAY],
]

print(`${history.length} events, ${repositories} repositories, ${repositories * ROOTS} roots`)
print(
  row([
    ...['missing', 'events', 'NIP-77 s', 'received', 'sent', 'paging s', 'received', 'sent', 'received', 'both ways'],
    ...['beyond: rec.', 'sent'],
  ]),
)
let nothing: Cost | undefined
const cases = []
for (const [name, isMissing] of GAPS) {
  const missing = history.filter(isMissing)
  const compared = await measure(isMissing, [])
  const paged = await measure(isMissing, ['--no-reconcile'])
  const ratio = percent(compared.received / paged.received)
  const both = percent((compared.received + compared.sent) / (paged.received + paged.sent))
  nothing ??= compared
  const eventBytes = missing.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0)
  const beyond = [
    kilobytes(compared.received - nothing.received - 2 * eventBytes),
    kilobytes(compared.sent - nothing.sent - eventBytes),
  ]
  cases.push({ missing: name, events: missing.length, eventBytes, compared, paged })
  print(row([name, `${missing.length}`, ...describe(compared), ...describe(paged), ratio, both, ...beyond]))
}
giveFigures({ events: history.length, repositories, cases })
process.exit(0)

/** A full pass with a state that knows both sides, after the gap was made. */
async function measure(isMissing: (event: NostrEvent) => boolean, args: readonly string[]): Promise<Cost> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-bench-'))
  try {
    const source = await startLeanRelay({ events: history, negentropy: true })
    const whole = await startLeanRelay({ events: history, negentropy: true })
    const state = join(directory, 'state.db')
    await catchUp(source, whole, state, [])
    const target = await startLeanRelay({ events: history.filter((event) => !isMissing(event)), negentropy: true })
    await renameTarget(state, whole, target)
    const before = await Promise.all([readTraffic(source), readTraffic(target)])
    const startedMs = performance.now()
    await catchUp(source, target, state, ['--full', ...args])
    const seconds = (performance.now() - startedMs) / 1000
    const after = await Promise.all([readTraffic(source), readTraffic(target)])
    const sum = (pick: (traffic: Traffic) => number): number =>
      after.reduce((total, traffic, index) => total + pick(traffic) - pick(before[index] ?? traffic), 0)
    return { seconds, received: sum(({ bytesOut }) => bytesOut), sent: sum(({ bytesIn }) => bytesIn) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function catchUp(source: string, target: string, state: string, args: readonly string[]): Promise<void> {
  const ends = ['--source', source, '--target', target, '--state', state, '--scope', 'all', '--json']
  const child = startNode([PROGRAM, 'catchup', ...ends, ...args], { env: process.env })
  const { code } = await child.exited
  const report = JSON.parse(child.stdout()) as Report
  if (code !== 0) throw new Error(`exit ${code}: ${JSON.stringify(report.problems)}`)
}

/** The state of one target under the URL of another that holds less: what an outage leaves behind. */
async function renameTarget(state: string, from: string, to: string): Promise<void> {
  const db = new Sqlite(state)
  for (const table of ['coverage', 'anchor', 'announcement', 'known', 'run', 'spool']) {
    db.prepare(`UPDATE ${table} SET target = ? WHERE target = ?`).run(to, from)
  }
  db.prepare('DELETE FROM witness').run()
  db.close()
}

async function readTraffic(url: string): Promise<Traffic> {
  return (await (await fetch(url.replace(/^ws/, 'http'))).json()) as Traffic
}

function describe({ seconds, received, sent }: Cost): string[] {
  return [seconds.toFixed(1), kilobytes(received), kilobytes(sent)]
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000).toLocaleString('en')} kB`
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(14) : cell.padStart(13))).join('')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
