import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { npubEncode, nsecEncode } from 'nostr-tools/nip19'
import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { keyOf, type Key } from '../../support/sign.ts'
import { directoryOf } from './installation.ts'
import { publishAll, readEverything } from './plain-client.ts'
import { findFreePort, startRelayProcess } from './relay-process.ts'

/** How ngit-grasp is configured: further `NGIT_…` variables. */
export type GraspSettings = Readonly<Record<string, string>>

/** What it said to an event. */
export type GraspAnswer = { readonly id: string; readonly accepted: boolean; readonly text: string }

/** ngit-grasp 3.0.10 as it comes from its registry, on loopback, with events and repositories on disk. */
export type Grasp = {
  readonly url: string
  /** What announcements name in `clone` and `relays` to be taken. */
  readonly service: { clone(owner: Key, d: string): string; readonly relay: string }
  /** Everything that it serves but what it signed itself, oldest first; read without `src`. */
  events(): Promise<NostrEvent[]>
  /** Publishes these events in this order, on as many connections as its limit of 60 asks for; returns its answers. */
  offer(events: readonly NostrEvent[]): Promise<GraspAnswer[]>
  /** SIGTERM keeps what waits for git data, SIGKILL loses it. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again on the same port and storage. */
  start(settings?: GraspSettings): Promise<void>
}

const OPERATOR = keyOf('operator')
/** Of the 60 that a connection may send at once. */
const PER_CONNECTION = 55

/**
 * Starts one that ends with the test. It dials nobody: relays and git servers of strangers must be global addresses,
 * and fixtures name none.
 */
export async function startGrasp(settings: GraspSettings = {}): Promise<Grasp> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-grasp-'))
  const port = await findFreePort()
  const host = `127.0.0.1:${port}`
  const base = settings['NGIT_BASE_PATH'] ?? ''
  const url = `ws://${host}${base}`
  const launch = (more: GraspSettings): ReturnType<typeof startRelayProcess> =>
    startRelayProcess({
      program: join(directoryOf('ngit-grasp'), 'bin', 'ngit-grasp'),
      args: [],
      env: { ...environment(host, directory), ...settings, ...more },
      cwd: directory,
      logFile: join(directory, 'relay.log'),
      url,
    })
  let running = await launch({})
  onTestFinished(async () => {
    await running.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    url,
    service: {
      clone: ({ pubkey }, d) => `http://${host}${base}/${npubEncode(pubkey)}/${encodeURIComponent(d)}.git`,
      relay: url,
    },
    events: async () => (await readEverything(url)).filter(({ pubkey }) => pubkey !== OPERATOR.pubkey),
    offer: (events) => offerAll(url, events),
    stop: (signal = 'SIGTERM') => (signal === 'SIGKILL' ? running.kill() : running.stop()),
    start: async (more = {}) => void (running = await launch(more)),
  }
}

/** The empty lists keep it from the seven public relays that it would dial otherwise. */
function environment(host: string, directory: string): Record<string, string> {
  const [git, relay] = [join(directory, 'git'), join(directory, 'relay')]
  for (const path of [git, relay]) mkdirSync(path, { recursive: true })
  return {
    NGIT_BIND_ADDRESS: host,
    NGIT_DOMAIN: host,
    NGIT_GIT_DATA_PATH: git,
    NGIT_RELAY_DATA_PATH: relay,
    NGIT_RELAY_OWNER_NSEC: nsecEncode(OPERATOR.secret),
    NGIT_DATABASE_BACKEND: 'lmdb',
    NGIT_USER_INDEX_RELAYS: '',
    NGIT_SYNC_PLUS_FALLBACK_RELAYS: '',
    NGIT_METRICS_ENABLED: 'false',
    // Read in private mode only.
    NGIT_PRIVATE_PUBLIC_ORIGIN: `http://${host}`,
    NGIT_TEST: '1',
  }
}

async function offerAll(url: string, events: readonly NostrEvent[]): Promise<GraspAnswer[]> {
  const answers: GraspAnswer[] = []
  for (let from = 0; from < events.length; from += PER_CONNECTION) {
    const frames = await publishAll(url, events.slice(from, from + PER_CONNECTION))
    answers.push(...frames.flatMap(toAnswer))
  }
  return answers
}

function toAnswer([label, id, accepted, text]: readonly unknown[]): GraspAnswer[] {
  return label === 'OK' ? [{ id: String(id), accepted: accepted === true, text: String(text) }] : []
}
