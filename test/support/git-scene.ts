import { npubEncode } from 'nostr-tools/nip19'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, repositoryAddress, SOME_TIME } from './builders.ts'
import { createGitRepository, type GitRepository } from './git-repository.ts'
import { startGitServer, type GitServer } from './git-server.ts'
import type { GraspRelay, GraspRelayOptions } from './grasp-relay.ts'
import { alice } from './scenes.ts'
import { signEvent, type Key } from './sign.ts'
import type { ScriptedRelay } from './scripted-relay.ts'
import type { Workbench } from './workbench.ts'

/** A GRASP relay with its git server on one port, another git server, and a source that has every event. */
export type GitScene = {
  /** The relay as announcements name it. */
  readonly relay: GraspRelay
  /** The relay and its git server, as the operator dials them. */
  readonly own: GitServer
  readonly other: GitServer
  readonly source: ScriptedRelay
  /** The target's arguments; the servers of strangers lie on loopback here. */
  readonly args: readonly string[]
  /** Announces a repository that has a commit on `main`, and its state; both lie at the source. */
  add(d: string, options?: SceneOptions): Promise<SceneRepository>
  /** The target stores these. */
  store(...events: readonly NostrEvent[]): void
}

export type SceneOptions = {
  readonly owner?: Key
  readonly maintainers?: readonly Key[]
  /** Further `clone` URLs. */
  readonly clone?: readonly string[]
  /** Changes the repository before its state is signed. */
  readonly prepare?: (repository: GitRepository) => Promise<unknown>
}

export type SceneRepository = {
  readonly d: string
  readonly npub: string
  readonly address: string
  readonly git: GitRepository
  readonly announced: NostrEvent
  readonly state: NostrEvent
}

/** Sets the scene; it ends with the test. */
export async function setGitScene(bench: Workbench, options: GraspRelayOptions = {}): Promise<GitScene> {
  const relay = await bench.grasp({ personality: '3.0.10', ...options })
  const own = await startGitServer({ relayPort: Number(new URL(relay.url).port) })
  const [other, source] = [await startGitServer(), await bench.scripted()]
  const target = own.url.replace('http:', 'ws:')
  const args = ['--source', source.url, '--target', target, '--service', relay.url, '--git-allow', 'private']
  const store = (...events: readonly NostrEvent[]): void => events.forEach((event) => relay.events.set(event.id, event))
  return {
    ...{ relay, own, other, source, args, store },
    async add(d, { owner = alice, maintainers, clone = [], prepare } = {}) {
      const git = await createGitRepository(d)
      await prepare?.(git)
      const npub = npubEncode(owner.pubkey)
      const urls = [`${relay.url.replace('ws:', 'http:')}/${npub}/${d}.git`, other.urlOf(npub, d), ...clone]
      const people = maintainers === undefined ? {} : { maintainers }
      const announced = announcement(owner, d, { clone: urls, relays: [relay.url], ...people })
      const state = signState(owner, d, await git.refs())
      for (const event of [announced, state]) source.events.set(event.id, event)
      return { d, npub, address: repositoryAddress(owner, d), git, announced, state }
    },
  }
}

/** A state event with these refs and `main` as HEAD. */
export function signState(
  owner: Key,
  d: string,
  refs: ReadonlyMap<string, string>,
  { createdAt = SOME_TIME + 60, head = 'refs/heads/main' } = {},
): NostrEvent {
  const tags = [['d', d], ...[...refs].map(([ref, id]) => [ref, id]), ['HEAD', `ref: ${head}`]]
  return signEvent(owner, { kind: 30_618, created_at: createdAt, tags, content: '' })
}
