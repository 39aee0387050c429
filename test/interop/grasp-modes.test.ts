import { nsecEncode, npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, SOME_TIME, state } from '../support/builders.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { idsOf } from '../support/workbench.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGrasp } from './support/grasp.ts'
import {
  hostedRepository,
  NOTHING_TO_DO,
  pushGitData,
  summaryOf,
  waitUntilServed,
} from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

/** 1618 of bob. */
function pullRequestOf(commit: string, repository: string, clone: string): NostrEvent {
  const tags = [
    ['a', repository],
    ['c', commit],
    ['clone', clone],
  ]
  return signEvent(bob, { kind: 1618, created_at: SOME_TIME, tags, content: clone })
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('ngit-grasp 3.0.10', () => {
  it('is a target below a base path: what names the root of the host is not its own', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_BASE_PATH: '/grasp' })
    const mine = await hostedRepository(grasp)
    const root = grasp.url.replace('/grasp', '')
    const foreign = announcement(bob, 'elsewhere', {
      clone: [`${root.replace('ws:', 'http:')}/${npubEncode(bob.pubkey)}/elsewhere.git`],
      relays: [root],
    })
    const source = await bench.real({ events: [...mine.events, foreign] })
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual({ code: 3, published: 2, parked: 4, refused: 0 })
    await pushGitData(grasp, mine)
    const last = await bench.catchup(source, grasp)
    expect(summaryOf(last)).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(last.report.scope).toMatchObject({ kind: 'listed', repositories: 1 })
    expect(idsOf(await grasp.events())).toEqual(idsOf(mine.events))
  })

  it('is an archive: it takes what does not name it', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_ARCHIVE_ALL: 'true' })
    const git = await createGitRepository('archived')
    const address = repositoryAddress(alice, 'archived')
    const events = [
      announcement(alice, 'archived', { clone: ['https://git.invalid/archived.git'], relays: ['wss://relay.invalid'] }),
      state(alice, 'archived', { commit: git.commit }),
      issue(address, bob),
    ]
    const source = await bench.real({ events })
    const first = await bench.catchup(source, grasp)
    expect(first.report.scope).toMatchObject({ kind: 'all', repositories: 1 })
    await git.push(grasp.service.clone(alice, 'archived'))
    await waitUntilServed(grasp, events.slice(0, 2))
    await bench.catchup(source, grasp)
    expect(idsOf(await grasp.events())).toEqual(idsOf(events))
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual(NOTHING_TO_DO)
  })

  it('is an archive of some: what it refuses one by one never stops the rest', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_ARCHIVE_WHITELIST: npubEncode(alice.pubkey) })
    const others = Array.from({ length: 12 }, (_, n) =>
      announcement(n % 2 === 0 ? bob : carol, `other-${n}`, {
        clone: ['https://git.invalid/x.git'],
        relays: ['wss://relay.invalid'],
      }),
    )
    const mine = announcement(alice, 'archived', {
      clone: ['https://git.invalid/a.git'],
      relays: ['wss://relay.invalid'],
    })
    const source = await bench.real({ events: [...others, mine] })
    const { code, report } = await bench.catchup(source, grasp)
    expect([code, report.totals.refused]).toEqual([3, others.length])
    expect(report.layers[0]?.outcomes).toMatchObject({ refused: others.length })
  })

  it('hosts pull requests of repositories that do not name it', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_GRASP06_ENABLE: 'true' })
    const foreign = repositoryAddress(alice, 'my repo')
    const git = await createGitRepository('a change')
    const directory = `${grasp.url.replace('ws:', 'http:')}/prs/${npubEncode(bob.pubkey)}/my%20repo.git`
    const hosted = pullRequestOf(git.commit, foreign, directory)
    const remark = comment(hosted, carol)
    const other = pullRequestOf(git.commit, foreign, `${directory}/x.git`)
    const announced = announcement(alice, 'my repo', {
      clone: ['https://git.invalid/x.git'],
      relays: ['wss://relay.invalid'],
    })
    const source = await bench.real({ events: [announced, hosted, remark, other] })
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual({ code: 3, published: 1, parked: 2, refused: 0 })
    expect(bench.spool().map(({ reason }) => reason)).toContainEqual(
      `purgatory: PR event stored, waiting for git push with commit ${git.commit}`,
    )
    await git.push(directory, `refs/nostr/${hosted.id}`)
    await waitUntilServed(grasp, [hosted])
    await bench.catchup(source, grasp)
    expect(idsOf(await grasp.events())).toEqual(idsOf([hosted, remark]))
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual(NOTHING_TO_DO)
  })

  it('is a private service: a member reads and writes, nobody else', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_PRIVATE_MODE: 'true', NGIT_PRIVATE_MEMBERS: npubEncode(alice.pubkey) })
    const repository = await hostedRepository(grasp)
    const source = await bench.real({ events: repository.events })
    const member = { env: { NGIT_SYNC_KEY: nsecEncode(alice.secret) } }
    const stranger = { env: { NGIT_SYNC_KEY: nsecEncode(bob.secret) } }
    const args = ['catchup', '--json', '--source', source.url, '--target', grasp.url, '--scope', 'listed']
    const without = await bench.spawn(args)
    expect([without.code, without.stdout + without.stderr]).toEqual([1, expect.stringContaining('auth-required')])
    const refused = await bench.spawn(args, stranger)
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining('not whitelisted')])
    expect((await bench.spawn(args, member)).code).toBe(3)
  })
})
