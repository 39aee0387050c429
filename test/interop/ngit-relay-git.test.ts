import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it, onTestFinished } from 'vitest'

import { announcement, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { refsOf, runGit } from '../support/git-repository.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { branchedRepository, stateOf } from '../support/repair-scene.ts'
import { alice, bob } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { idsOf } from '../support/workbench.ts'
import { NOTHING_TO_DO, summaryOf } from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { startNgitRelay, type NgitRelay, type NgitRelayOptions } from './support/ngit-relay.ts'

const OWNER = npubEncode(alice.pubkey)

async function addRepository(relay: NgitRelay, server: GitServer, d: string) {
  const git = await branchedRepository(d)
  const tip = await git.commitAside(`a proposal for ${d}`)
  const refs = await git.refs()
  await server.host(OWNER, d, git, new Map([...refs, ['refs/heads/proposal', tip]]))
  const address = repositoryAddress(alice, d)
  const urls = [relay.service.clone(alice, d), server.urlOf(OWNER, d)]
  const announced = announcement(alice, d, { createdAt: SOME_TIME, clone: urls, relays: [relay.service.relay] })
  const tags = [
    ['a', address],
    ['subject', 'a proposal'],
    ['c', tip],
  ]
  const pull = signEvent(bob, { kind: 1618, created_at: SOME_TIME + 240, tags, content: 'please' })
  const state = stateOf(alice, d, refs)
  const events = [announced, state, pull]
  return { d, git, url: urls[0] ?? '', events, announced, state, refs, pulls: new Map([[`refs/nostr/${pull.id}`, tip]]) }
}

async function cloneWhole(url: string) {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-clone-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  await runGit(directory, 'clone', '--quiet', '--mirror', url, '.')
  await runGit(directory, 'fsck', '--connectivity-only')
  const head = await runGit(directory, 'symbolic-ref', 'HEAD')
  const [refs, pulls] = [await refsOf(directory), await refsOf(directory, 'refs/nostr')]
  return { head, refs, pulls }
}

async function setScene(options: NgitRelayOptions = {}, names: readonly string[] = ['one']) {
  const bench = createInteropBench()
  const [relay, server] = [await startNgitRelay(options), await startGitServer()]
  const repositories = []
  for (const d of names) repositories.push(await addRepository(relay, server, d))
  const events = repositories.flatMap((repository) => repository.events)
  const source = await bench.real({ events })
  const catchup = (...args: readonly string[]) =>
    bench.catchup(source, relay, '--git', '--git-allow', 'private', '--rate', 'none', ...args)
  return { bench, relay, server, repositories, events, source, catchup }
}

describe.skipIf(!wantedRelays().includes('ngit-relay'))('catchup --git to ngit-relay', () => {
  it.each([
    ['only what is pushed to it', {}],
    ['what it fetches itself too', { mayFetch: true, mayTidy: true }],
  ])('brings an emptied relay that has %s back', async (_, options) => {
    const { bench, relay, repositories, events, catchup, source, server } = await setScene(options, ['one', 'two', 'three'])
    const first = await catchup('--settle', '1m')
    expect([first.code, first.report.totals.parked, first.report.git?.inSync]).toEqual([0, 0, 3])
    expect(idsOf(await relay.events())).toEqual(idsOf(events))
    for (const { url, refs, pulls } of repositories)
      expect(await cloneWhole(url)).toEqual({ head: 'refs/heads/main', refs, pulls })
    const fetched = server.count('fetch')
    expect(summaryOf(await catchup())).toMatchObject(NOTHING_TO_DO)
    expect(server.count('fetch')).toBe(fetched)
    const check = await bench.run(['check', '--git', '--git-allow', 'private', '--source', source.url, '--target', relay.url])
    expect(check.code).toBe(0)
  })
  it('explores', async () => {
    const { relay, repositories, catchup, source, bench } = await setScene({}, ['one'])
    const [one] = repositories
    if (one === undefined) throw new Error('x')
    const show = async (what: string, ...args: string[]) => {
      const out = await bench.run(['catchup', '--git', '--git-allow', 'private', '--rate', 'none', '--source', source.url, '--target', relay.url, '--max-duration', '60s', ...args])
      console.log('=====', what, args, out.code, '\n' + out.stdout, out.stderr.slice(0, 2000))
      const check = await bench.run(['check', '--git', '--git-allow', 'private', '--source', source.url, '--target', relay.url])
      console.log('== check', check.code, '\n' + check.stdout, await relay.git.refsOf(OWNER, 'one'))
    }
    expect((await catchup()).code).toBe(0)
    const dir = relay.git.directoryOf(OWNER, 'one')
    await runGit(dir, 'update-ref', 'refs/heads/old', one.refs.get('refs/heads/main') ?? '')
    await show('stale')
    await show('stale', '--prune-refs')
    await runGit(dir, 'update-ref', '-d', 'refs/heads/old')
    await runGit(dir, 'symbolic-ref', 'HEAD', 'refs/heads/feature')
    await show('head')
    rmSync(dir, { recursive: true })
    await show('lost')
  }, 400_000)
})
