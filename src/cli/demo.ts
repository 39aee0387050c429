import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedRelay, type EmbeddedRelay } from '../demo/embedded-relay.ts'
import { EventStore } from '../demo/event-store.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Report } from '../report/report.ts'
import type { RunOptions } from '../report/run-options.ts'
import { exitWord } from './exit-codes.ts'
import type { OutputOptions } from './parse/options.ts'
import { runCommand } from './run-command.ts'

/** The output of the demo. */
export type DemoScreen = {
  readonly print: (report: Report, output: OutputOptions, stream: NodeJS.WriteStream) => Promise<void>
}

const EVENT_FILES = ['nip34', 'signed', 'noise']
const TIMEOUTS = { connectTimeoutMs: 10_000, idleTimeoutMs: 30_000, okTimeoutMs: 10_000 }
const CONNECTION = { ...TIMEOUTS, retries: 3, compress: 'never' } as const
const DAY = 86_400

/**
 * Runs the demo: two relays on loopback with storage on disk, real events, an outage of the target, what it lacks, its
 * repair, and a run with nothing left to do. Returns 0 if everything went as expected, else 1. Leaves nothing behind.
 */
export async function runDemo(output: OutputOptions, signal: AbortSignal, screen: DemoScreen): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-demo-'))
  const relays = new Set<EmbeddedRelay>()
  try {
    return await tellStory({ directory, relays, output, signal, screen })
  } finally {
    await Promise.all([...relays].map((relay) => relay.close()))
    rmSync(directory, { recursive: true, force: true })
  }
}

type Demo = {
  readonly directory: string
  readonly relays: Set<EmbeddedRelay>
  readonly output: OutputOptions
  readonly signal: AbortSignal
  readonly screen: DemoScreen
}

async function tellStory(demo: Demo): Promise<number> {
  const events = EVENT_FILES.flatMap(readEvents).sort((a, b) => a.created_at - b.created_at)
  const outageAt = events[Math.floor(events.length / 2)]?.created_at ?? 0
  const before = events.filter((event) => event.created_at < outageAt)
  const missed = events.filter((event) => event.created_at >= outageAt)

  say(`1. Two relays with storage on disk hold the same ${before.length} events.`)
  const [sourceFile, targetFile] = [join(demo.directory, 'source.db'), join(demo.directory, 'target.db')]
  store(sourceFile, before)
  store(targetFile, before)
  const source = await start(sourceFile, demo)
  const first = await start(targetFile, demo)
  const { port } = first
  const healthy = await runStep(demo, 'catchup', [source.url, first.url])

  say(`2. The target goes down. Meanwhile the source receives ${missed.length} events.`)
  demo.relays.delete(first)
  await first.close()
  store(sourceFile, missed)

  say('3. The target is back. What does it lack?')
  const target = await start(targetFile, demo, port)
  const ends = [source.url, target.url] as const
  const found = await runStep(demo, 'check', ends)

  say('4. The repair. The checkpoint is young, but authors date events as they like: everything is read.')
  const repair = await runStep(demo, 'catchup', ends, { full: true })

  say('5. A second run, right after: there is nothing left to send.')
  const second = await runStep(demo, 'catchup', ends)
  const isAsPromised =
    [healthy, repair, second].every(({ exit }) => exit === 0) &&
    exitWord(found.exit) === 'differences' &&
    repair.totals.accepted > 0 &&
    repair.totals.accepted === found.check?.missing &&
    repair.totals.accepted === repair.totals.published &&
    second.totals.published === 0
  return isAsPromised ? 0 : 1
}

function store(file: string, events: readonly NostrEvent[]): void {
  const relay = new EventStore(file)
  try {
    relay.addAll(events)
  } finally {
    relay.close()
  }
}

async function start(file: string, { relays }: Demo, port?: number): Promise<EmbeddedRelay> {
  const relay = await startEmbeddedRelay({ file, ...(port === undefined ? {} : { port }) })
  relays.add(relay)
  return relay
}

async function runStep(
  { directory, output, signal, screen }: Demo,
  command: 'catchup' | 'check',
  [source, target]: readonly [source: string, target: string],
  changes: Partial<RunOptions> = {},
): Promise<Report> {
  const report = await runCommand({
    // A check works on a copy of the state.
    options: { ...optionsFor(source, target), command, dryRun: command === 'check', ...changes },
    connection: CONNECTION,
    pacing: { rate: 'known', connections: 1, maxDurationMs: undefined },
    stateFile: join(directory, 'state', 'state.db'),
    env: process.env,
    openStdin: () => process.stdin,
    stdout: process.stdout,
    signal,
  })
  say(`$ ngit-sync ${command} --source ${source} --target ${target}${changes.full === true ? ' --full' : ''}`)
  await screen.print(report, output, process.stdout)
  return report
}

function optionsFor(source: string, target: string): RunOptions {
  return {
    command: 'catchup',
    sources: [source],
    target,
    scope: { type: 'all' },
    service: undefined,
    since: undefined,
    until: undefined,
    full: false,
    quickWindowSeconds: DAY / 96,
    fullEverySeconds: DAY,
    overlapSeconds: DAY / 96,
    deletions: 'apply',
    discovery: undefined,
    dryRun: false,
    followUps: false,
    listIds: false,
    reopenRefused: false,
    reconcile: true,
    maxBytesPerSource: 2 * 1024 ** 3,
    sample: undefined,
    copies: undefined,
    shard: undefined,
    git: undefined,
    maxSend: undefined,
    forgetParkedSeconds: 30 * DAY,
    settleMs: undefined,
  }
}

function readEvents(name: string): NostrEvent[] {
  // The compiler does not copy these files. The path is the same from `src` and from `dist`.
  const file = new URL(`../../src/demo/events/${name}.jsonl`, import.meta.url)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as NostrEvent)
}

function say(sentence: string): void {
  process.stderr.write(`\n${sentence}\n`)
}
