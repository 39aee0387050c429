import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { npubEncode } from 'nostr-tools/nip19'
import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, SOME_TIME } from '../../support/builders.ts'
import { refsOf, runGit, type GitRepository } from '../../support/git-repository.ts'
import type { GitServer } from '../../support/git-server.ts'
import { branchedRepository, stateOf } from '../../support/repair-scene.ts'
import { alice, bob, carol } from '../../support/scenes.ts'
import { signEvent, type Key } from '../../support/sign.ts'

/** A repository of alice, with everything that is signed about it. */
export type SignedRepository = {
  readonly d: string
  readonly git: GitRepository
  /** At the relay. */
  readonly url: string
  readonly announced: NostrEvent
  readonly events: readonly NostrEvent[]
  /** The heads and tags of its state. */
  readonly refs: ReadonlyMap<string, string>
  /** `refs/nostr/<event id>` of its pull request. */
  readonly pulls: ReadonlyMap<string, string>
}

/** How announcements name a relay. */
export type Service = { clone(owner: Key, d: string): string; readonly relay: string }

/** The name that the repository's owner has in URLs. */
export const OWNER = npubEncode(alice.pubkey)

/** A repository with two branches, a tag, an issue and a pull request, whose git data lies at the server only. */
export async function addRepository(service: Service, server: GitServer, d: string): Promise<SignedRepository> {
  const git = await branchedRepository(d)
  const tip = await git.commitAside(`a proposal for ${d}`)
  const refs = await git.refs()
  await server.host(OWNER, d, git, new Map([...refs, ['refs/heads/proposal', tip]]))
  const address = repositoryAddress(alice, d)
  const url = service.clone(alice, d)
  const clone = [url, server.urlOf(OWNER, d)]
  const announced = announcement(alice, d, { createdAt: SOME_TIME, clone, relays: [service.relay] })
  const bug = issue(address, bob, { createdAt: SOME_TIME + 120 })
  const tags = [
    ['a', address],
    ['subject', 'a proposal'],
    ['c', tip],
  ]
  const pull = signEvent(bob, { kind: 1618, created_at: SOME_TIME + 240, tags, content: 'please' })
  const remark = comment(bug, carol, { createdAt: SOME_TIME + 180 })
  const events = [announced, stateOf(alice, d, refs), bug, remark, pull]
  return { d, git, url, announced, events, refs, pulls: new Map([[`refs/nostr/${pull.id}`, tip]]) }
}

/** What a whole clone of everything has: its refs, and what HEAD stands for. Throws when objects are missing. */
export async function cloneWhole(url: string) {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-clone-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  await runGit(directory, 'clone', '--quiet', '--mirror', url, '.')
  await runGit(directory, 'fsck', '--connectivity-only')
  const head = await runGit(directory, 'symbolic-ref', 'HEAD')
  const [refs, pulls] = [await refsOf(directory), await refsOf(directory, 'refs/nostr')]
  return { head, refs, pulls }
}
