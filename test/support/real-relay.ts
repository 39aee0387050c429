import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { startForeignRelay } from '../../src/test-relay/foreign-relay.ts'
import { seedRelayFile } from '../../src/test-relay/seed-relay-file.ts'
import { parseEvent, type NostrEvent } from '../../src/nostr/event.ts'
import { Sqlite } from '../../src/sqlite.ts'
import { startNode, type Child } from './child.ts'
import { waitFor } from './wait-for.ts'

/** How a relay process is started; see `ForeignRelayOptions`. */
export type RealRelayOptions = {
  /** @default `relay.db` in a new temporary directory, removed by `close` */
  readonly file?: string
  /** @default any free port */
  readonly port?: number
  readonly pageCap?: number
  readonly supportedGrasps?: readonly string[]
  readonly software?: string
  readonly acceptsOnly?: readonly number[]
  /** Stored before the relay starts. */
  readonly events?: Iterable<NostrEvent>
  /** In a process of its own, which `kill` ends at any instant. @default it lives in this process */
  readonly ownProcess?: true
}

/** A real relay with its events on disk. */
export type RealRelay = {
  readonly url: string
  readonly port: number
  readonly file: string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, at once; a relay in this process writes what it holds. */
  kill(): Promise<void>
  /** Starts it again on the same port and file; stops it first when it runs. */
  restart(): Promise<void>
  /** All events on disk, oldest first; works whether it runs or not. */
  events(): NostrEvent[]
  /** Writes events into the file without checking them; returns how many were new. */
  seed(events: Iterable<NostrEvent>): Promise<number>
  /** Kills it and removes its temporary directory. */
  close(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('../../dist/test-relay/relay-process.js', import.meta.url))

/** Starts a relay and resolves when it listens. `ownProcess` runs `dist/test-relay/relay-process.js`, which needs the build. */
export async function startRealRelay(options: RealRelayOptions = {}): Promise<RealRelay> {
  const directory = options.file === undefined ? mkdtempSync(join(tmpdir(), 'real-relay-')) : undefined
  const file = options.file ?? join(directory ?? '', 'relay.db')
  if (options.events !== undefined) await seedRelayFile(file, options.events)
  const launch = options.ownProcess === true ? spawnRelay : openRelay
  let running = await launch({ ...options, file })
  const { url } = running
  const port = Number(new URL(url).port)
  const kill = async (): Promise<void> => void (await running.end('SIGKILL'))
  const stop = (): Promise<number | null> => running.end('SIGTERM')
  return {
    url,
    port,
    file,
    stop,
    kill,
    async restart() {
      await stop()
      running = await launch({ ...options, file, port })
    },
    events: () => readEvents(file),
    seed: (events) => seedRelayFile(file, events),
    async close() {
      await kill()
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

type RunningRelay = {
  readonly url: string
  /** Resolves with the exit code; a second call changes nothing. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

type LaunchOptions = RealRelayOptions & { readonly file: string }

async function openRelay(options: LaunchOptions): Promise<RunningRelay> {
  const { url, close } = await startForeignRelay(options)
  let closed: Promise<void> | undefined
  return {
    url,
    end: async (signal) => {
      await (closed ??= close())
      return signal === 'SIGTERM' ? 0 : null
    },
  }
}

function relayArguments(options: LaunchOptions): string[] {
  const { file, port = 0, pageCap, supportedGrasps = [], software, acceptsOnly = [] } = options
  return [
    ...['--file', file, '--port', String(port), '--end-with-parent'],
    ...(pageCap === undefined ? [] : ['--page-cap', String(pageCap)]),
    ...(software === undefined ? [] : ['--software', software]),
    ...supportedGrasps.flatMap((grasp) => ['--grasp', grasp]),
    ...acceptsOnly.flatMap((kind) => ['--accept', String(kind)]),
  ]
}

async function spawnRelay(options: LaunchOptions): Promise<RunningRelay> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run \`npx tsc -p .\` first`)
  const child = startNode([PROGRAM, ...relayArguments(options)], { env: process.env })
  const url = await waitFor(() => announcedUrl(child), { timeoutMs: 20_000, what: 'the relay process to listen' })
  return { url, end: (signal) => endChild(child, signal) }
}

function announcedUrl(child: Child): string | undefined {
  if (child.hasExited()) throw new Error(`the relay process ended: ${child.stderr()}`)
  return /^listening (\S+)$/m.exec(child.stdout())?.[1]
}

async function endChild(child: Child, signal: NodeJS.Signals): Promise<number | null> {
  if (!child.hasExited()) child.kill(signal)
  return (await child.exited).code
}

function readEvents(file: string): NostrEvent[] {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true })
  try {
    const rows = database.prepare('SELECT * FROM events ORDER BY created_at, id').all() as Record<string, unknown>[]
    return rows.map((row) => parseStored(row))
  } finally {
    database.close()
  }
}

function parseStored(row: Record<string, unknown>): NostrEvent {
  const event = parseEvent({ ...row, tags: JSON.parse(String(row['tags'])) })
  if (event === undefined) throw new Error(`not an event: ${JSON.stringify(row)}`)
  return event
}
