import { npubEncode } from 'nostr-tools/nip19'
import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { startGitServer, type GitServer, type GitServerOptions } from './git-server.ts'
import { startGraspRelay, type GraspRelay } from './grasp-relay.ts'
import type { Key } from './sign.ts'

/** ngit-grasp 3.0.10 in outline: events and git repositories at one port. */
export type GraspWithGit = {
  readonly url: string
  readonly relay: GraspRelay
  readonly git: GitServer
  /** What announcements name in `clone`. */
  clone(owner: Key, d: string): string
  /** Makes the empty repository that it makes itself for an announcement. */
  prepare(owner: Key, d: string): Promise<void>
}

const STATE = 30_618
const LOOK_EVERY_MS = 50
/** How long after a push the refs are looked at. */
const SETTLES_MS = 2_000

/** Starts one without repositories; it ends with the test. It takes pushes as ngit-grasp does. */
export async function startGraspWithGit(): Promise<GraspWithGit> {
  const options: GitServerOptions & { relayPort?: number } = {}
  const git = await startGitServer(options)
  const host = `127.0.0.1:${git.port}`
  const relay = await startGraspRelay({ personality: '3.0.10', host, burst: 10_000 })
  options.relayPort = Number(new URL(relay.url).port)
  const prepared = new Map<string, { readonly owner: Key; readonly d: string }>()
  const judge = relay.behaviour.onEvent
  relay.behaviour.onEvent = (event, connection) => {
    const reply = judge?.(event, connection) ?? 'default'
    const isHeldBack = relay.pending().some(({ id }) => id === event.id)
    if (event.kind === STATE && isHeldBack) authorise(event)
    return reply
  }
  const authorise = (event: NostrEvent): void => {
    for (const { owner, d } of prepared.values())
      if (d === identifierOf(event)) git.accept(npubEncode(owner.pubkey), d, refsOfState(event))
  }
  const absorb = async (): Promise<void> => {
    for (const [address, { owner, d }] of prepared) {
      const refs = await git.refsOf(npubEncode(owner.pubkey), d)
      const tips = [...refs].filter(([ref]) => ref.startsWith('refs/nostr/')).map(([, id]) => id)
      const held = relay.pending().filter((event) => event.kind === STATE && identifierOf(event) === d)
      const complete = held.filter((event) => isEqual(refsOfState(event).refs, refs))
      relay.receiveObjects(address, [...tips, ...complete.flatMap((event) => [...refsOfState(event).refs.values()])])
    }
  }
  const stop = lookAfterPushes(git, absorb)
  onTestFinished(async () => {
    await stop()
    await relay.close()
  })
  return {
    url: `ws://${host}`,
    relay,
    git,
    clone: ({ pubkey }, d) => git.urlOf(npubEncode(pubkey), d),
    async prepare(owner, d) {
      await git.host(npubEncode(owner.pubkey), d)
      prepared.set(`30617:${owner.pubkey}:${d}`, { owner, d })
    },
  }
}

/** Calls `absorb` again and again for a while after each push. Returns what ends that. */
function lookAfterPushes(git: GitServer, absorb: () => Promise<void>): () => Promise<void> {
  let [seen, untilMs] = [0, 0]
  let looking = Promise.resolve()
  let isLooking = false
  const timer = setInterval(() => {
    if (git.count('receive-pack') > seen) untilMs = Date.now() + SETTLES_MS
    seen = git.count('receive-pack')
    if (isLooking || Date.now() > untilMs) return
    isLooking = true
    looking = absorb().finally(() => (isLooking = false))
  }, LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    return looking
  }
}

/** The heads and tags that a state names, and its HEAD. */
function refsOfState({ tags }: NostrEvent): { refs: Map<string, string>; head?: string } {
  const refs = new Map(tags.flatMap(([name = '', id = '']) => (/^refs\/(heads|tags)\//.test(name) ? [[name, id]] : [])))
  const head = tags.find(([name]) => name === 'HEAD')?.[1]?.replace('ref: ', '')
  return { refs, ...(head === undefined ? {} : { head }) }
}

function isEqual(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): boolean {
  const own = [...found].filter(([ref]) => !ref.startsWith('refs/nostr/'))
  return own.length === wanted.size && own.every(([ref, id]) => wanted.get(ref) === id)
}

function identifierOf({ tags }: NostrEvent): string {
  return tags.find(([name]) => name === 'd')?.[1] ?? ''
}
