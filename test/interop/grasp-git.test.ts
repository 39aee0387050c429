import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it, onTestFinished } from 'vitest'

import { announcement, comment, issue, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { createGitRepository, refsOf, runGit } from '../support/git-repository.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { stateOf } from '../support/repair-scene.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { idsOf } from '../support/workbench.ts'
import { startGrasp, type Grasp } from './support/grasp.ts'
import { NOTHING_TO_DO, summaryOf } from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

const REPOSITORIES = 30
const OWNER = npubEncode(alice.pubkey)

/** A repository that lies at the server only, with everything that is signed about it. */
async function addRepository(grasp: Grasp, server: GitServer, d: string) {
  const git = await createGitRepository(d)
  await git.commitOn('feature', `feature of ${d}`)
  await git.tag('v1')
  await git.git('switch', '--quiet', 'main')
  const tip = await git.commitAside(`a proposal for ${d}`)
  const refs = await git.refs()
  await server.host(OWNER, d, git, new Map([...refs, ['refs/heads/proposal', tip]]))
  const address = repositoryAddress(alice, d)
  const urls = [grasp.service.clone(alice, d), server.urlOf(OWNER, d)]
  const announced = announcement(alice, d, { createdAt: SOME_TIME, clone: urls, relays: [grasp.service.relay] })
  const bug = issue(address, bob, { createdAt: SOME_TIME + 120 })
  const tags = [
    ['a', address],
    ['subject', 'a proposal'],
    ['c', tip],
  ]
  const pull = signEvent(bob, { kind: 1618, created_at: SOME_TIME + 240, tags, content: 'please' })
  const remark = comment(bug, carol, { createdAt: SOME_TIME + 180 })
  const events = [announced, stateOf(alice, d, refs), bug, remark, pull]
  return { d, url: grasp.service.clone(alice, d), events, refs, pulls: new Map([[`refs/nostr/${pull.id}`, tip]]) }
}

/** What a whole clone of everything has: its refs, and what HEAD stands for. Throws when objects are missing. */
async function cloneWhole(url: string) {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-clone-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  await runGit(directory, 'clone', '--quiet', '--mirror', url, '.')
  await runGit(directory, 'fsck', '--connectivity-only')
  const head = await runGit(directory, 'symbolic-ref', 'HEAD')
  const [refs, pulls] = [await refsOf(directory), await refsOf(directory, 'refs/nostr')]
  return { head, refs, pulls }
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('catchup --git --settle to ngit-grasp 3.0.10', () => {
  it('brings an emptied relay back in one command: every repository clones as signed, and nothing is left to do', async () => {
    const bench = createInteropBench()
    const [grasp, server] = [await startGrasp(), await startGitServer()]
    const names = Array.from({ length: REPOSITORIES }, (_, n) => `repository-${n}`)
    const repositories = []
    for (const d of names) repositories.push(await addRepository(grasp, server, d))
    const events = repositories.flatMap((repository) => repository.events)
    const source = await bench.real({ events })
    const run = (...args: readonly string[]) =>
      bench.catchup(source, grasp, '--git', '--git-allow', 'private', '--connections', '4', ...args)

    const first = await run('--settle', '2m')
    expect([first.code, first.report.totals.parked, first.report.git?.inSync]).toEqual([0, 0, REPOSITORIES])
    expect(idsOf(await grasp.events())).toEqual(idsOf(events))
    for (const { url, refs, pulls } of repositories)
      expect(await cloneWhole(url)).toEqual({ head: 'refs/heads/main', refs, pulls })

    const fetched = server.count('fetch')
    const second = await run()
    expect(summaryOf(second)).toMatchObject(NOTHING_TO_DO)
    expect(server.count('fetch')).toBe(fetched)
  }, 600_000)
})
