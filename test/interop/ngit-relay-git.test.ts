import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { gitAccess, named } from '../git/git-scene.ts'
import { announcement, SOME_TIME } from '../support/builders.ts'
import { runGit } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import { branchedRepository, stateOf } from '../support/repair-scene.ts'
import { alice } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { idsOf, type Outcome } from '../support/workbench.ts'
import { NOTHING_TO_DO, summaryOf } from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { startNgitRelay, type NgitRelayOptions } from './support/ngit-relay.ts'
import { addRepository, cloneWhole, OWNER, type SignedRepository } from './support/signed-repository.ts'

const MAIN = 'refs/heads/main'

/** An empty ngit-relay, and a source and a git server that have everything. */
async function setScene(options: NgitRelayOptions = {}) {
  const bench = createInteropBench()
  const [relay, server, source] = [await startNgitRelay(options), await startGitServer(), await bench.scripted()]
  const add = async (d: string): Promise<SignedRepository> => {
    const repository = await addRepository(relay.service, server, d)
    for (const event of repository.events) source.events.set(event.id, event)
    return repository
  }
  const ends = ['--source', source.url, '--target', relay.url, '--git', '--git-allow', 'private']
  const catchup = (...args: readonly string[]) =>
    bench.catchup(source, relay, '--git', '--git-allow', 'private', '--rate', 'none', ...args)
  const check = async () => (await bench.run(['check', ...ends])).code
  return { relay, server, source, add, catchup, check }
}

/** The repairs, and what is left to do, of the only repository. */
function onlyOf({ report }: Outcome) {
  const [only] = report.git?.list ?? []
  return { repair: only?.repair, remedy: only?.remedy }
}

describe.skipIf(!wantedRelays().includes('ngit-relay'))('catchup --git to ngit-relay', () => {
  it.each<[what: string, options: NgitRelayOptions]>([
    ['takes only pushes', {}],
    ['fetches and tidies up itself at the same time', { mayFetch: true, mayTidy: true }],
    ['makes its repositories long after it took their announcements', { gitSeconds: 1 }],
  ])('brings an emptied relay back that %s, and then finds nothing to do', async (_, options) => {
    const { relay, server, source, add, catchup, check } = await setScene(options)
    const repositories = [await add('one'), await add('two'), await add('three')]
    const first = await catchup('--settle', '1m')
    expect([first.code, first.report.totals.parked, first.report.git?.inSync]).toEqual([0, 0, 3])
    expect(idsOf(await relay.events())).toEqual(idsOf(source.events.values()))
    for (const { url, refs, pulls } of repositories) expect(await cloneWhole(url)).toEqual({ head: MAIN, refs, pulls })

    const fetched = server.count('fetch')
    expect(summaryOf(await catchup())).toMatchObject(NOTHING_TO_DO)
    expect([server.count('fetch'), await check()]).toEqual([fetched, 0])
  })

  it('pushes the refs of a state that it serves before its git data', async () => {
    const { relay, server, source, add, catchup } = await setScene()
    const { git, url, refs, pulls } = await add('one')
    await catchup()
    const tip = await git.commitOn('main', 'more')
    const newer = stateOf(alice, 'one', new Map([...refs, [MAIN, tip]]), SOME_TIME + 600)
    await server.host(OWNER, 'one', git)
    source.events.set(newer.id, newer)
    await relay.offer([newer])
    const outcome = await catchup()
    expect([outcome.code, onlyOf(outcome).repair?.outcome]).toEqual([0, 'released'])
    expect(await cloneWhole(url)).toEqual({ head: MAIN, refs: new Map([...refs, [MAIN, tip]]), pulls })
  })

  it('gives commands that mend what no push does: a stale ref, HEAD, a lost repository', async () => {
    const { relay, add, catchup, check } = await setScene()
    const { url, refs, pulls } = await add('one')
    await catchup()
    const directory = relay.git.directoryOf(OWNER, 'one')
    await runGit(directory, 'update-ref', 'refs/heads/old', refs.get(MAIN) ?? '')
    await runGit(directory, 'symbolic-ref', 'HEAD', 'refs/heads/feature')
    const stale = await catchup('--prune-refs')
    expect([stale.code, onlyOf(stale)]).toMatchObject([
      3,
      { repair: { outcome: 'already' }, remedy: { type: 'operator' } },
    ])
    await relay.operate(onlyOf(stale).remedy)
    expect(await check()).toBe(0)

    rmSync(directory, { recursive: true })
    const lost = await catchup()
    expect([lost.code, onlyOf(lost)]).toMatchObject([3, { remedy: { type: 'operator' } }])
    await relay.operate(onlyOf(lost).remedy)
    expect([await check(), await cloneWhole(url)]).toEqual([0, { head: MAIN, refs, pulls }])
  })

  it('tidies up itself when it is sent the state again, and makes a lost repository for its announcement', async () => {
    const { relay, add, catchup } = await setScene()
    const { announced, events, refs } = await add('one')
    await catchup()
    const directory = relay.git.directoryOf(OWNER, 'one')
    await runGit(directory, 'update-ref', 'refs/heads/old', refs.get(MAIN) ?? '')
    await runGit(directory, 'symbolic-ref', 'HEAD', 'refs/heads/feature')
    await relay.offer(events.slice(1, 2))
    const isTidy = async (): Promise<boolean> =>
      (await runGit(directory, 'symbolic-ref', 'HEAD')) === MAIN &&
      !(await relay.git.refsOf(OWNER, 'one')).has('refs/heads/old')
    await waitFor(isTidy, { timeoutMs: 10_000, what: 'the end of the stale ref' })
    rmSync(directory, { recursive: true })
    await relay.offer([announced])
    await waitFor(() => existsSync(join(directory, 'hooks', 'post-receive')), { timeoutMs: 10_000, what: directory })
  })

  it('takes pushes into a repository that the command made, by the same rules', async () => {
    const { relay, add, catchup } = await setScene()
    const { git, url } = await add('one')
    await catchup()
    rmSync(relay.git.directoryOf(OWNER, 'one'), { recursive: true })
    await relay.operate(onlyOf(await catchup()).remedy)
    await expect(git.pushRefs(url, 'main:refs/heads/other')).rejects.toThrow(
      'not found in our latest nostr state event',
    )
    await git.pushRefs(url, `main:refs/nostr/${'e'.repeat(64)}`)
  })

  it('pushes what is left when a state names a branch that may not be pushed', async () => {
    const { relay, server, source, catchup } = await setScene()
    const git = await branchedRepository('one')
    await git.git('branch', 'pr/one', 'feature')
    const refs = await git.refs()
    await server.host(OWNER, 'one', git)
    const clone = [relay.service.clone(alice, 'one'), server.urlOf(OWNER, 'one')]
    const announced = announcement(alice, 'one', { createdAt: SOME_TIME, clone, relays: [relay.url] })
    for (const event of [announced, stateOf(alice, 'one', refs)]) source.events.set(event.id, event)
    const outcome = await catchup()
    expect([outcome.code, onlyOf(outcome)]).toMatchObject([
      3,
      { repair: { outcome: 'released' }, remedy: { type: 'operator' } },
    ])
    expect([...(await relay.git.refsOf(OWNER, 'one')).keys()]).toEqual(
      [...refs.keys()].filter((ref) => !ref.includes('/pr/')),
    )
  })

  it('shows the words of its hook when that takes no push', async () => {
    // It finds no event by an identifier of more than 100 characters.
    const d = 'x'.repeat(101)
    const { relay, server, source, catchup } = await setScene()
    const git = await branchedRepository('one')
    await server.host(OWNER, d, git)
    const clone = [relay.service.clone(alice, d), server.urlOf(OWNER, d)]
    const announced = announcement(alice, d, { createdAt: SOME_TIME, clone, relays: [relay.url] })
    for (const event of [announced, stateOf(alice, d, await git.refs())]) source.events.set(event.id, event)
    const outcome = await catchup()
    expect([outcome.code, onlyOf(outcome).repair]).toMatchObject([
      3,
      { outcome: 'denied', reason: expect.stringContaining('state event not on internal relay') as string },
    ])
  })

  it('does not host what does not name it, and is complete', async () => {
    const { relay, source, add, catchup } = await setScene()
    await add('one')
    const elsewhere = announcement(alice, 'elsewhere', {
      clone: ['http://git.example/x.git'],
      relays: ['ws://relay.example'],
    })
    source.events.set(elsewhere.id, elsewhere)
    const outcome = await catchup('--scope', 'all')
    expect([outcome.code, outcome.report.totals.refused, outcome.report.git?.repositories]).toEqual([0, 1, 1])
    expect(JSON.stringify(outcome.report)).toContain(
      "repository announcement doesn't list ngit-relay in tags: clones and relays",
    )
    expect(idsOf(await relay.events())).not.toContain(elsewhere.id)
  })

  it('says object by object what it has: also what no ref reaches any more', async () => {
    const { relay, add, catchup } = await setScene()
    const { git, url, refs } = await add('one')
    await catchup()
    const directory = relay.git.directoryOf(OWNER, 'one')
    await runGit(directory, 'update-ref', '-d', 'refs/heads/feature')
    const [absent, forsaken] = ['d'.repeat(40), refs.get('refs/heads/feature') ?? '']
    expect([...(await gitAccess().probe(named(url), [absent, forsaken, git.commit]))]).toEqual([
      [absent, 'lacks it'],
      [forsaken, 'has it'],
      [git.commit, 'has it'],
    ])
  })
})
