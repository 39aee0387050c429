import { npubEncode } from 'nostr-tools/nip19'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, SOME_TIME } from './builders.ts'
import { createGitRepository, type GitRepository } from './git-repository.ts'
import { startGitServer, type GitServer } from './git-server.ts'
import { startGraspWithGit, type GraspWithGit } from './grasp-with-git.ts'
import { alice, bob, carol } from './scenes.ts'
import { signEvent, type Key } from './sign.ts'
import type { ScriptedRelay } from './scripted-relay.ts'
import type { Outcome, Workbench } from './workbench.ts'

/** An empty GRASP relay, and a source relay and a git server that have everything. */
export type RepairScene = {
  readonly target: GraspWithGit
  readonly source: ScriptedRelay
  readonly server: GitServer
  /** A repository with two branches, a tag, an issue with a comment, and a pull request. */
  add(d: string, options?: AddOptions): Promise<RepairRepository>
  /** `catchup --git --json` with further arguments. */
  catchup(...args: readonly string[]): Promise<Outcome>
  /** The arguments of the two ends and of a scene on loopback. */
  readonly args: readonly string[]
}

/** What may be chosen of a repository. */
export type AddOptions = {
  /** Git servers beside the scene's own, each with only these refs. */
  readonly at?: readonly (readonly [server: GitServer, refs: ReadonlyMap<string, string>])[]
  /** Whether the scene's server has it. @default true */
  readonly isHosted?: boolean
  /** Further `clone` URLs. */
  readonly clone?: readonly string[]
  readonly git?: GitRepository
  /** What the state says instead of what the repository has. */
  readonly refs?: ReadonlyMap<string, string>
}

export type RepairRepository = {
  readonly d: string
  readonly address: string
  readonly git: GitRepository
  readonly announced: NostrEvent
  readonly state: NostrEvent
  readonly pull: NostrEvent
  readonly events: readonly NostrEvent[]
  /** The heads and tags of its state, and the tip of the pull request. */
  readonly expected: ReadonlyMap<string, string>
}

export const OWNER = npubEncode(alice.pubkey)

/** Sets the scene; it ends with the test. */
export async function setRepairScene(bench: Workbench): Promise<RepairScene> {
  const target = await startGraspWithGit()
  const [source, server] = [await bench.scripted(), await startGitServer()]
  const args = ['--source', source.url, '--target', target.url, '--git-allow', 'private', '--rate', 'none']
  return {
    ...{ target, source, server, args },
    add: (d, options = {}) => addRepository({ target, source, server }, d, options),
    catchup: async (...more) => {
      const result = await bench.run(['catchup', '--git', '--json', ...args, ...more])
      return {
        ...result,
        get report() {
          if (result.stdout === '') throw new Error(`no report; exit ${result.code}\n${result.stderr}`)
          return result.json<Outcome['report']>()
        },
      }
    },
  }
}

/** A repository with two branches and a tag. */
export async function branchedRepository(text: string): Promise<GitRepository> {
  const git = await createGitRepository(text)
  await git.commitOn('feature', `feature of ${text}`)
  await git.tag('v1')
  await git.git('switch', '--quiet', 'main')
  return git
}

/** A state event with these refs and `main` as HEAD. */
export function stateOf(
  owner: Key,
  d: string,
  refs: ReadonlyMap<string, string>,
  createdAt = SOME_TIME + 60,
): NostrEvent {
  const tags = [['d', d], ...[...refs].map(([ref, id]) => [ref, id]), ['HEAD', 'ref: refs/heads/main']]
  return signEvent(owner, { kind: 30_618, created_at: createdAt, tags, content: '' })
}

async function addRepository(
  { target, source, server }: Pick<RepairScene, 'target' | 'source' | 'server'>,
  d: string,
  { at = [], isHosted = true, clone = [], git: given, refs }: AddOptions,
): Promise<RepairRepository> {
  const git = given ?? (await branchedRepository(d))
  const address = repositoryAddress(alice, d)
  const tip = await git.commitAside(`a proposal for ${d}`)
  if (isHosted) await server.host(OWNER, d, git, new Map([...(await git.refs()), ['refs/heads/proposal', tip]]))
  for (const [other, some] of at) await other.host(OWNER, d, git, some)
  const servers = [...(isHosted ? [server] : []), ...at.map(([other]) => other)]
  await target.prepare(alice, d)
  const urls = [target.clone(alice, d), ...servers.map((one) => one.urlOf(OWNER, d)), ...clone]
  const announced = announcement(alice, d, { createdAt: SOME_TIME, clone: urls, relays: [target.url] })
  const wanted = refs ?? (await git.refs())
  const state = stateOf(alice, d, wanted)
  const bug = issue(address, bob, { createdAt: SOME_TIME + 120 })
  const remark = comment(bug, carol, { createdAt: SOME_TIME + 180 })
  const pull = signEvent(bob, {
    kind: 1618,
    created_at: SOME_TIME + 240,
    tags: [
      ['a', address],
      ['subject', 'a proposal'],
      ['c', tip],
    ],
    content: 'please',
  })
  const events = [announced, state, bug, remark, pull]
  for (const event of events) source.events.set(event.id, event)
  const expected = new Map([...wanted, [`refs/nostr/${pull.id}`, tip]])
  return { d, address, git, announced, state, pull, events, expected }
}
