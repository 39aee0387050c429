import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import type { Database } from '../../src/database.ts'
import { Sqlite } from '../../src/sqlite.ts'
import { startGraspRelay, type GraspRelay, type GraspRelayOptions } from './grasp-relay.ts'
import { startRealRelay, type RealRelay, type RealRelayOptions } from './real-relay.ts'
import { borrowRelay } from './relay-pool.ts'
import { runHere } from './run-here.ts'
import { startCli, type CliOptions, type CliResult, type LiveCli } from './run-cli.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from './scripted-relay.ts'

/** One end of a run: a relay, or the name of a file. */
export type End = { readonly url: string } | string

/** How a run with `--json` ended; `report` throws when standard output is no report. */
export type Outcome = CliResult & { readonly report: Report }

/** A checkpoint as it stands in the state file. Times are Unix seconds. */
export type CheckpointRow = {
  readonly target: string
  readonly source: string
  readonly layer: string
  readonly anchor: string
  readonly drained_at: number
  readonly full_at: number
}

/** An event that waits or was refused, as it stands in the state file. */
export type SpoolRow = {
  readonly id: string
  readonly state: string
  readonly outcome: string
  readonly reason: string
}

/** What one end-to-end test works with: relays, one state file, the program. All of it ends with the test. */
export type Workbench = {
  readonly stateFile: string
  real(options?: RealRelayOptions): Promise<RealRelay>
  scripted(options?: ScriptedRelayOptions): Promise<ScriptedRelay>
  grasp(options?: GraspRelayOptions): Promise<GraspRelay>
  /** `catchup --json` with the state file of this bench, in this process; further arguments behind. */
  catchup(sources: End | readonly End[], target: End, ...args: readonly string[]): Promise<Outcome>
  /** Any command line, in this process; the state file is added, `--json` is not. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>
  /** The same in a process of its own: for what only a process shows, as its streams and its exit code. */
  spawn(args: readonly string[], options?: CliOptions): Promise<CliResult>
  /** The same, while it runs. */
  start(args: readonly string[], options?: CliOptions): LiveCli
  /** A file of JSONL in the directory of this bench. */
  file(name: string, lines: Iterable<NostrEvent | string>): string
  /** The events of a JSONL file, in the order of its lines. */
  readFile(path: string): NostrEvent[]
  /** The path of a file that does not exist yet. */
  path(name: string): string
  checkpoints(source?: End): CheckpointRow[]
  spool(): SpoolRow[]
  /** Makes everything that the state file remembers so much older: as if this long had passed since the last run. */
  letPass(seconds: number): void
  /** Direct access to the state file. */
  database<T>(work: (db: Database) => T): T
}

/** A workbench for the test that is running. */
export function createWorkbench(): Workbench {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-e2e-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = (name: string): string => join(directory, name)
  const stateFile = path('state.db')
  const database = <T>(work: (db: Database) => T): T => {
    const db = new Sqlite(stateFile, { fileMustExist: true })
    try {
      return work(db)
    } finally {
      db.close()
    }
  }
  const clis: LiveCli[] = []
  const start = (args: readonly string[], options?: CliOptions): LiveCli => {
    const cli = startCli([...args, '--state', stateFile], options)
    clis.push(cli)
    onTestFinished(() => cli.kill('SIGKILL'))
    return cli
  }
  return {
    stateFile,
    real: (options) => openRealRelay(options, clis),
    scripted: async (options) => closedLater(await startScriptedRelay(options)),
    grasp: async (options) => closedLater(await startGraspRelay(options)),
    async catchup(sources, target, ...args) {
      return withReport(
        await runHere(['catchup', '--json', ...endArguments(sources, target), ...args, '--state', stateFile]),
      )
    },
    run: (args, options) => runHere([...args, '--state', stateFile], options),
    spawn: (args, options) => start(args, options).finished,
    start,
    file(name, lines) {
      const text = [...lines].map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
      writeFileSync(path(name), text)
      return path(name)
    },
    readFile: (file) => parseLines(readFileSync(file, 'utf8')),
    path,
    checkpoints: (source) => database((db) => readCheckpoints(db, source)),
    spool: () => database(readSpool),
    letPass: (seconds) => database((db) => makeOlder(db, seconds)),
    database,
  }
}

/** The `--source` and `--target` arguments for these ends. */
export function endArguments(sources: End | readonly End[], target: End): string[] {
  const list: readonly End[] = Array.isArray(sources) ? (sources as readonly End[]) : [sources as End]
  return ['--source', ...list.map(nameOf), '--target', nameOf(target)]
}

/** The events of JSONL text. */
export function parseLines(text: string): NostrEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NostrEvent)
}

/** Ids, sorted: for comparing sets of events. */
export function idsOf(events: Iterable<{ readonly id: string }>): string[] {
  return [...events].map(({ id }) => id).sort()
}

/** How two large sets of events differ, for messages that can be read; both empty when they are equal. */
export function differenceOf(actual: Iterable<NostrEvent>, expected: Iterable<NostrEvent>) {
  const [have, want] = [new Set(idsOf(actual)), new Set(idsOf(expected))]
  return { missing: [...want].filter((id) => !have.has(id)), extra: [...have].filter((id) => !want.has(id)) }
}

/** The clock of this machine, in Unix seconds. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

function nameOf(end: End): string {
  return typeof end === 'string' ? end : end.url
}

/**
 * One out of the pool where it need not be of a special kind. It goes back only when no program was cut off in the
 * middle of talking to it.
 */
async function openRealRelay(
  { events, ...special }: RealRelayOptions = {},
  clis: readonly LiveCli[],
): Promise<RealRelay> {
  if (Object.keys(special).length > 0) {
    return closedLater(await startRealRelay(events === undefined ? special : { ...special, events }))
  }
  const relay = await borrowRelay(events)
  onTestFinished(async () => {
    for (const cli of clis) cli.kill('SIGKILL')
    const endings = await Promise.allSettled(clis.map(({ finished }) => finished))
    const endedAlone = endings.every((ending) => ending.status === 'fulfilled' && hasEndedAlone(ending.value))
    await (endedAlone ? relay.giveBack() : relay.close())
  })
  return relay
}

function hasEndedAlone({ signal, code }: CliResult): boolean {
  return signal === null && code !== null && code < 128
}

function closedLater<T extends { close(): Promise<void> }>(relay: T): T {
  onTestFinished(() => relay.close())
  return relay
}

function withReport(result: CliResult): Outcome {
  return {
    ...result,
    get report() {
      if (result.stdout === '') throw new Error(`no report; exit ${result.code}\n${result.stderr}`)
      return result.json<Report>()
    },
  }
}

function readCheckpoints(db: Database, source?: End): CheckpointRow[] {
  const rows = db.prepare('SELECT * FROM coverage ORDER BY source, layer, anchor').all() as CheckpointRow[]
  return source === undefined ? rows : rows.filter((row) => row.source === nameOf(source))
}

function readSpool(db: Database): SpoolRow[] {
  const sql = 'SELECT lower(hex(id)) AS id, state, outcome, reason FROM spool ORDER BY rowid'
  return db.prepare(sql).all() as SpoolRow[]
}

const TIMES: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ['coverage', ['drained_at', 'full_at']],
  ['spool', ['parked_at', 'settled_at', 'last_ok_at', 'retry_at']],
  ['witness', ['proved_at']],
  ['run', ['started_at']],
]

function makeOlder(db: Database, seconds: number): void {
  for (const [table, columns] of TIMES) {
    db.prepare(`UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - @seconds`).join(', ')}`).run({
      seconds,
    })
  }
}
