import type { NostrEvent } from '../../src/nostr/event.ts'
import { addressText, judgeAsGrasp, repositoryOfState } from './grasp-policy.ts'
import {
  hideUnserved,
  judgeAsGraspToday,
  pushToGraspToday,
  receiveObjects,
  type GraspTodayState,
} from './grasp-today.ts'
import { createTombstones } from './grasp-tombstones.ts'
import { storeEvent, type MemoryStore } from './memory-store.ts'
import { createPurgatory, type Purgatory } from './purgatory.ts'
import type { EventReply } from './scripted-behaviour.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from './scripted-relay.ts'
import { createSilenceBucket } from './silence-bucket.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** How a scripted GRASP relay starts. */
export type GraspRelayOptions = Omit<ScriptedRelayOptions, 'onEvent'> & {
  /** Which ngit-grasp it is. @default 1.0.2 */
  readonly personality?: '1.0.2' | '3.0.10'
  /** How many seconds of its clock pass in one of ours. @default 1 */
  readonly speed?: number
  /** Events that a connection may send at once; then one a second (3.0.10: of silence). @default 60 */
  readonly burst?: number
  /** The host and port that announcements must name, where it stands behind a git server. @default its own */
  readonly host?: string
  /** 3.0.10 only: whether it hosts pull requests to any repository (GRASP-06). @default false */
  readonly hosts?: boolean
}

/** A scripted relay that behaves as ngit-grasp does (shared/relays.md, shared/grasp.md). */
export type GraspRelay = ScriptedRelay & {
  /** What waits for git data: neither REQ nor NIP-77 shows it. */
  pending(): NostrEvent[]
  /** The git data of a repository arrives: what waits for it is served from now on. */
  pushGitData(address: string): void
  /** 3.0.10 only: these objects arrive in a repository; what needs no others is served from now on. */
  receiveObjects(address: string, ids: readonly string[]): void
  /** Moves its clock. */
  letPass(seconds: number): void
}

/** One of the two: what it says to an event, and what follows from a push and from time. */
type Personality = {
  judge(event: NostrEvent, connection: number): EventReply
  push(address: string): void
  receive(address: string, ids: readonly string[]): void
  sweep(): void
}

type Setting = {
  readonly events: MemoryStore
  readonly purgatory: Purgatory
  readonly host: string
  readonly now: () => number
  readonly burst: number
  readonly hosts: boolean
}

/** After how many seconds somebody who wrote to a thread counts as a participant. */
const PARTICIPANTS_AFTER_SECONDS = 5

/** Starts one in this process. It speaks NIP-77 and gives at most 500 rows a page. */
export async function startGraspRelay(options: GraspRelayOptions = {}): Promise<GraspRelay> {
  const { speed = 1, burst = 60, personality = '1.0.2', hosts = false, host: named, ...scripted } = options
  const startedAt = Date.now() / 1000
  let passed = 0
  const now = (): number => startedAt + passed + (Date.now() / 1000 - startedAt) * speed
  const relay = await startScriptedRelay({ ...asGrasp, ...scripted })
  const purgatory = createPurgatory(now)
  const host = named ?? new URL(relay.url).host
  relay.behaviour.document ??= personality === '1.0.2' ? EARLY_DOCUMENT : todaysDocument(host, hosts)
  const create = personality === '1.0.2' ? asEarly : asToday
  const grasp = create({ events: relay.events, purgatory, host, now, burst, hosts })
  relay.behaviour.onEvent = (event, connection) => grasp.judge(event, connection)
  return {
    ...relay,
    pending: () => purgatory.events(),
    pushGitData: (address) => grasp.push(address),
    receiveObjects: (address, ids) => grasp.receive(address, ids),
    letPass(seconds) {
      passed += seconds
      grasp.sweep()
    },
  }
}

function asEarly({ events, purgatory, host, now, burst }: Setting): Personality {
  const pushed = new Set<string>()
  const bucketOf = createBuckets(() => createTokenBucket(burst, now))
  const state = { events, purgatory, pushed, deleted: new Set<string>(), host, bucketOf }
  return {
    judge: (event, connection) => judgeAsGrasp(event, connection, state),
    push(address) {
      pushed.add(address)
      const released = purgatory.release((event) => belongsTo(event, address))
      for (const event of released) storeEvent(events, event, false)
    },
    receive: () => undefined,
    sweep: () => undefined,
  }
}

function asToday({ events, purgatory, host, now, burst, hosts }: Setting): Personality {
  const seenAt = new Map<string, number>()
  const state: GraspTodayState = {
    events,
    purgatory,
    commits: new Map(),
    tombstones: createTombstones(now, host),
    holding: new Map(),
    host,
    hosts,
    bucketOf: createBuckets(() => createSilenceBucket(burst, now)),
    participates: (pubkey) =>
      [...events.values()].some(
        (event) =>
          event.pubkey === pubkey &&
          isOfThread(event) &&
          now() - (seenAt.get(event.id) ?? 0) >= PARTICIPANTS_AFTER_SECONDS,
      ),
  }
  return {
    judge(event, connection) {
      const reply = judgeAsGraspToday(event, connection, state)
      if (events.has(event.id) && !seenAt.has(event.id)) seenAt.set(event.id, now())
      return reply
    },
    push: (address) => pushToGraspToday(address, state),
    receive: (address, ids) => receiveObjects(address, ids, state),
    sweep: () => hideUnserved(state),
  }
}

function createBuckets(create: () => TokenBucket): (connection: number) => TokenBucket {
  const buckets = new Map<number, TokenBucket>()
  return (connection) => {
    const bucket = buckets.get(connection) ?? create()
    buckets.set(connection, bucket)
    return bucket
  }
}

const asGrasp: ScriptedRelayOptions = { negentropy: true, pageCap: 500, deletions: false }

const EARLY_DOCUMENT = {
  software: 'https://gitworkshop.dev/ngit-grasp',
  version: '1.0.2',
  supported_grasps: ['GRASP-01'],
}

/** The NIP-11 document of the running binary. */
function todaysDocument(host: string, hosts: boolean): Readonly<Record<string, unknown>> {
  return {
    name: `${host} grasp relay`,
    description: 'Git Nostr Relay - a grasp implementation',
    supported_nips: [1, 5, 9, 11, 34, 62, 77],
    software: 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp',
    version: '3.0.10',
    limitation: {
      max_message_length: 5_242_880,
      max_subscriptions: 500,
      max_limit: 500,
      max_subid_length: 250,
      default_limit: 500,
      restricted_writes: true,
    },
    supported_grasps: ['GRASP-01', 'GRASP-02', 'GRASP-03', ...(hosts ? ['GRASP-06'] : [])],
    repo_acceptance_criteria: 'None',
  }
}

/** A root, or what depends on one: not an announcement, a state, a request or a list. */
function isOfThread({ kind }: NostrEvent): boolean {
  return ![0, 5, 62, 10_002, 10_317, 30_617, 30_618].includes(kind)
}

/** An announcement at this address, its state, or a pull request of it. */
function belongsTo(event: NostrEvent, address: string): boolean {
  if (event.kind === 30_618) return repositoryOfState(event) === address
  return addressText(event) === address || event.tags.some(([name, value]) => name === 'a' && value === address)
}
