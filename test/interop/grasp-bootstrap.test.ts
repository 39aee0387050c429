import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, issue, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { alice, bob, carol, dave } from '../support/scenes.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { startGrasp, type Grasp } from './support/grasp.ts'
import {
  hostedRepository,
  NOTHING_TO_DO,
  pushGitData,
  summaryOf,
  waitUntilServed,
  type HostedRepository,
} from './support/hosted-repository.ts'
import { directoryOf, wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

const [PUSHED, HUNTED, ABSENT] = [20, 5, 5]
// It looks for git data three minutes after an event of a client, and then every 20 to 120 seconds.
const HUNT_MS = 420_000
const stranger = keyOf('stranger')

/** Repositories of which the relay finds the git data at another server. */
async function huntedRepositories(grasp: Grasp, elsewhere: Grasp): Promise<HostedRepository[]> {
  const names = Array.from({ length: HUNTED }, (_, n) => `hunted-${n}`)
  const repositories = await Promise.all(
    names.map((d) => hostedRepository(grasp, { d, clone: [elsewhere.service.clone(alice, d)] })),
  )
  for (const repository of repositories) {
    await elsewhere.offer([repository.announced, repository.state])
    await pushGitData(elsewhere, repository)
  }
  return repositories
}

function namedRepositories(grasp: Grasp, name: string, count: number): Promise<HostedRepository[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => hostedRepository(grasp, { d: `${name}-${n}` })))
}

/** What strangers, the vanished and the long-winded add, none of which the relay can serve. */
function unservable(grasp: Grasp, { address, issue: root }: HostedRepository): NostrEvent[] {
  const long = 'd'.repeat(600)
  const [createdAt, tags] = [SOME_TIME + 900, [['a', address]]]
  return [
    signEvent(stranger, { kind: 0, created_at: createdAt, tags, content: '{"name":"stranger"}' }),
    signEvent(stranger, { kind: 10_002, created_at: createdAt, tags, content: '' }),
    announcement(alice, long, { clone: [grasp.service.clone(alice, long)], relays: [grasp.service.relay] }),
    issue(repositoryAddress(alice, long), bob),
    issue(address, dave, { content: 'before I left' }),
    comment(root, dave, { content: 'so long' }),
    signEvent(dave, { kind: 62, created_at: SOME_TIME + 999, tags: [['relay', 'ALL_RELAYS']], content: '' }),
  ]
}

/** How often each id went out as EVENT, counted on the wire. */
function countSends(proxy: TcpProxy): ReadonlyMap<string, number> {
  const sends = new Map<string, number>()
  proxy.onFrame(([label, event], from) => {
    const id = from === 'client' && label === 'EVENT' ? (event as NostrEvent).id : undefined
    if (id !== undefined) sends.set(id, (sends.get(id) ?? 0) + 1)
    return undefined
  })
  return sends
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('a bootstrap of ngit-grasp 3.0.10', () => {
  it('ends with everything served that can be, sends nothing more often than needed, and is green from then on', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp({ NGIT_SYNC_ALLOW_NON_GLOBAL_TARGETS: 'true' })
    const elsewhere = await startGrasp({ NGIT_ARCHIVE_ALL: 'true', NGIT_ARCHIVE_READ_ONLY: 'false' })
    const [pushed, hunted, absent] = [
      await namedRepositories(grasp, 'pushed', PUSHED),
      await huntedRepositories(grasp, elsewhere),
      await namedRepositories(grasp, 'absent', ABSENT),
    ]
    const all = [...pushed, ...hunted, ...absent]
    const [first, second] = pushed
    if (first === undefined || second === undefined) throw new Error('there are twenty')
    const unused = deletion({ ids: ['e'.repeat(64)] }, carol, { tags: [['q', first.address]] })
    const others = unservable(grasp, first)
    const source = await bench.real({ events: [...all.flatMap(({ events }) => events), unused, ...others] })
    const proxy = await startTcpProxy(grasp.url)
    const sends = countSends(proxy)
    const run = (...args: readonly string[]) =>
      bench.catchup(source, { url: proxy.url }, '--service', grasp.url, '--connections', '4', ...args)

    // The first night: nothing has its git data.
    expect((await run()).code).toBe(3)
    for (const repository of pushed) await pushGitData(grasp, repository)
    expect((await run()).code).toBe(3)
    const afterPush = await grasp.events()
    expect(idsOf(afterPush)).toEqual(idsOf([...pushed.flatMap(({ events }) => events), unused]))

    // A deletion that has something to delete.
    const withdrawn = deletion({ ids: [second.comment.id] }, carol, {
      createdAt: nowSeconds() - 5,
      tags: [['q', second.address]],
    })
    await source.seed([withdrawn])
    await waitUntilServed(
      grasp,
      hunted.flatMap(({ announced, state }) => [announced, state]),
      HUNT_MS,
    )
    const third = await run('--full')
    const isThere = (event: NostrEvent): boolean => event !== second.comment
    const served = [...pushed, ...hunted].flatMap(({ events }) => events).filter(isThere)
    expect(idsOf(await grasp.events())).toEqual(idsOf([...served, unused, withdrawn]))
    // Only what is truly missing is waited for: five announcements, five states, and what depends on them.
    expect(summaryOf(third)).toMatchObject({ code: 3, parked: absent.length * 4 })

    for (const repository of absent) await pushGitData(grasp, repository)
    const last = await run('--full')
    expect([last.code, last.report.totals.parked]).toEqual([0, 0])
    const expected = [...all.flatMap(({ events }) => events).filter(isThere), unused, withdrawn]
    expect(idsOf(await grasp.events())).toEqual(idsOf(expected))
    expect([...sends].filter(([, count]) => count > 1)).toEqual([])
    expect(summaryOf(await run())).toMatchObject({ ...NOTHING_TO_DO, refused: last.report.totals.refused })
    for (let night = 1; night <= 3; night += 1) {
      bench.letPass(86_400)
      expect(summaryOf(await run())).toMatchObject({ ...NOTHING_TO_DO, refused: last.report.totals.refused })
    }
    await proxy.close()
    expect(await probe(grasp)).toEqual({
      connect_websocket: true,
      nip11_fetch: true,
      serves_latest_announcement: true,
      git_fetch_refs: true,
      git_refs_match_state: true,
    })
  }, 600_000)
})

/**
 * What grasp-audit 0.2.0 sees of the relay from outside: which of its checks passed. Throws when it fails as a whole.
 */
async function probe({ url }: Grasp): Promise<Readonly<Record<string, boolean>>> {
  const program = join(directoryOf('ngit-grasp'), 'bin', 'grasp-audit')
  const { stdout } = await promisify(execFile)(program, ['probe', '--relay', url, '--json'], { timeout: 60_000 })
  const { checks } = JSON.parse(stdout) as { checks: { name: string; passed: boolean; skipped: boolean }[] }
  return Object.fromEntries(checks.map(({ name, passed, skipped }) => [name, passed && !skipped]))
}
