import type { NostrEvent } from '../../src/nostr/event.ts'
import { addressText, judgeAsGrasp, repositoryOfState, type GraspState } from './grasp-policy.ts'
import { storeEvent } from './memory-store.ts'
import { createPurgatory } from './purgatory.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from './scripted-relay.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** How a scripted GRASP relay starts. */
export type GraspRelayOptions = Omit<ScriptedRelayOptions, 'onEvent'> & {
  /** How many seconds of its clock pass in one of ours. @default 1 */
  readonly speed?: number
  /** Events that a connection may send at once; then one a second. @default 60 */
  readonly burst?: number
}

/** A scripted relay that behaves as ngit-grasp does (shared/relays.md). */
export type GraspRelay = ScriptedRelay & {
  /** What waits for git data: neither REQ nor NIP-77 shows it. */
  pending(): NostrEvent[]
  /** The git data of a repository arrives: what waits for it is served from now on. */
  pushGitData(address: string): void
  /** Moves its clock. */
  letPass(seconds: number): void
}

/** Starts one in this process. It speaks NIP-77 and gives at most 500 rows a page. */
export async function startGraspRelay(options: GraspRelayOptions = {}): Promise<GraspRelay> {
  const { speed = 1, burst = 60, ...scripted } = options
  const startedAt = Date.now() / 1000
  let passed = 0
  const now = (): number => startedAt + passed + (Date.now() / 1000 - startedAt) * speed
  const relay = await startScriptedRelay({ ...asGrasp, ...scripted })
  const buckets = new Map<number, TokenBucket>()
  const pushed = new Set<string>()
  const state: GraspState = {
    events: relay.events,
    purgatory: createPurgatory(now),
    pushed,
    deleted: new Set(),
    host: new URL(relay.url).host,
    bucketOf(connection) {
      const bucket = buckets.get(connection) ?? createTokenBucket(burst, now)
      buckets.set(connection, bucket)
      return bucket
    },
  }
  relay.behaviour.onEvent = (event, connection) => judgeAsGrasp(event, connection, state)
  return {
    ...relay,
    pending: () => state.purgatory.events(),
    pushGitData(address) {
      pushed.add(address)
      const released = state.purgatory.release((event) => belongsTo(event, address))
      for (const event of released) storeEvent(relay.events, event, false)
    },
    letPass: (seconds) => void (passed += seconds),
  }
}

const asGrasp: ScriptedRelayOptions = {
  negentropy: true,
  pageCap: 500,
  deletions: false,
  document: { software: 'https://gitworkshop.dev/ngit-grasp', version: '1.0.2', supported_grasps: ['GRASP-01'] },
}

/** An announcement at this address, its state, or a pull request of it. */
function belongsTo(event: NostrEvent, address: string): boolean {
  if (event.kind === 30_618) return repositoryOfState(event) === address
  return addressText(event) === address || event.tags.some(([name, value]) => name === 'a' && value === address)
}
