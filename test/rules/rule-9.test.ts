import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { createLookup, guardResolver } from '../../src/relay/socket/guarded-lookup.ts'
import { classifyAddress } from '../../src/relay/socket/public-address.ts'
import { announcement, comment, issue } from '../support/builders.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint, pageOf } from '../support/memory-endpoint.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import type { ReqAnswer } from '../support/scripted-behaviour.ts'
import { runCli } from '../support/run-cli.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'
import { waitFor } from '../support/wait-for.ts'
import { startWsDouble, useRelay } from '../support/ws-double.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

/*
 * Rule 9. What strangers control is bounded: message, page, bytes per source, spool, NIP-11 document, rounds; past a
 * bound the filter is not drained. What announcements name is asked little, and only where it may be. The key signs
 * only for relays that the operator named, with the URL that was dialled. State files are 0600 in a 0700 directory.
 */

const MIB = 1_024 ** 2
const scene = smallRepository()

/** A run with a healthy source and one that answers the question for announcements in its own way. */
async function runWith(answer: (usual: ReqAnswer) => ReqAnswer, ...args: readonly string[]) {
  const bench = createWorkbench()
  const healthy = await bench.scripted({ events: scene.events })
  const excessive = await bench.scripted({
    events: scene.events,
    onReq: ({ filters, answer: usual }) => (filters[0]?.kinds?.[0] === 30617 ? answer(usual) : 'default'),
  })
  const target = await bench.scripted()
  const { code, report } = await bench.catchup([excessive, healthy], target, '--retries', '0', ...args)
  const reasons = report.problems.filter(({ where }) => where === excessive.url).map(({ reason }) => reason)
  return { bench, code, report, reasons, excessive, target }
}

describe('past a bound a filter is not drained', () => {
  it.each<[string, (usual: ReqAnswer) => ReqAnswer, RegExp]>([
    [
      'a message of 17 MiB',
      (usual) => ({ ...usual, rows: [{ ...scene.announced, content: 'x'.repeat(17 * MIB) }] }),
      /max payload size exceeded|1009/i,
    ],
    [
      'a page of more than 10,000 rows',
      (usual) => ({ ...usual, rows: Array<NostrEvent>(10_001).fill(scene.announced) }),
      /page over 10000 rows/,
    ],
    [
      'a page of more than 32 MiB',
      (usual) => ({ ...usual, rows: Array<unknown>(5).fill({ ...scene.announced, content: 'x'.repeat(8 * MIB) }) }),
      /page over \d+ bytes/,
    ],
  ])('by %s, and the others are', async (_, answer, reason) => {
    const { bench, code, report, reasons, excessive, target } = await runWith(answer)
    expect([code, report.sources.map(({ complete }) => complete)]).toEqual([3, [false, true]])
    expect(reasons.join('\n')).toMatch(reason)
    expect(bench.checkpoints(excessive).map(({ anchor }) => anchor)).not.toContain('all')
    expect(idsOf(target.events.values())).toEqual(idsOf(scene.events))
  })

  it('by more bytes than --max-bytes, whatever they are spent on', async () => {
    const bench = createWorkbench()
    const many = Array.from({ length: 400 }, (_, n) =>
      comment(scene.issue, bob, { createdAt: 1_700_000_000 + n, content: 'x'.repeat(2_000) }),
    )
    const source = await bench.scripted({ events: [...scene.events, ...many], pageCap: 20 })
    const { code, report } = await bench.catchup(source, await bench.scripted(), '--max-bytes', '200kB')
    const bytes = report.sources[0]?.layers.reduce((sum, layer) => sum + layer.bytes, 0)
    expect([code, report.sources[0]?.complete]).toEqual([3, false])
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(
      /more than the 200000 bytes that --max-bytes allows/,
    )
    // Four filters are read at a time: each may have a page under way when the bound is met.
    expect(bytes).toBeLessThan(200_000 + 4 * 20 * 3_000)
    expect(bench.checkpoints(source).filter(({ layer }) => layer === 'threads')).toEqual([])
  })

  it('by more bytes than --max-bytes, and then it is asked for deletions no more', async () => {
    const source = createMemoryEndpoint({ url: 'ws://source.example', events: scene.events })
    const { state } = openTemporaryState()
    const options = { maxBytesPerSource: 100 }
    const report = await runInProcess({ sources: [source], target: createMemoryEndpoint(), state, options })
    expect([report.exit, report.totals.accepted]).toEqual([3, 1])
    expect(source.filters.filter(({ kinds }) => kinds?.includes(5))).toEqual([])
  })

  it('by a spool without room', async () => {
    const { state } = openTemporaryState({ maxSpoolBytes: 1 })
    const target = createMemoryEndpoint()
    const source = createMemoryEndpoint({ url: 'ws://source.example', events: scene.events })
    const report = await runInProcess({ sources: [source], target, state })
    expect([report.exit, report.sources[0]?.complete]).toEqual([3, false])
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(/the spool is full/)
  })

  it('by what is read for an identifier that no relay indexes, which takes nothing from what else is read', async () => {
    const spam = announcement(bob, 'x'.repeat(600))
    const note = { ...spam, kind: 1, tags: [], content: 'n'.repeat(100_000) }
    const notes = Array.from({ length: 200 }, (_, index) => ({
      ...note,
      id: index.toString(16).padStart(64, '0'),
      created_at: index,
    }))
    const events = [...scene.events, spam, ...notes]
    const source = createMemoryEndpoint({ url: 'ws://source.example', events, cap: 10 })
    const { state, db } = openTemporaryState()
    const target = createMemoryEndpoint()
    const options = { maxBytesPerSource: 2 * MIB }
    const report = await runInProcess({ sources: [source], target, state, options })
    const [, repositories] = report.sources[0]?.layers ?? []
    expect([report.exit, report.problems.length, repositories?.end]).toEqual([3, 1, 'incomplete'])
    expect(repositories?.bytes).toBeLessThan(10 * MIB)
    const rows = db.prepare<[], { anchor: string }>('SELECT anchor FROM coverage').all()
    const covered = rows.map(({ anchor }) => anchor)
    expect([covered.includes(scene.address), covered.includes(scene.issue.id)]).toEqual([true, true])
  })

  it('by threads that lead to new threads without end', async () => {
    const endless = createMemoryEndpoint({
      url: 'ws://endless.example',
      events: [announcement(alice, 'hello'), issue(scene.address, bob, { createdAt: 1_700_000_000 })],
      onRequest: ({ '#e': roots, until, since }, page) => {
        const [root] = roots?.slice(-1) ?? []
        if (root === undefined || until !== undefined || since !== undefined) return page
        return pageOf([issue(scene.address, bob, { createdAt: 1_600_000_000, tags: [['e', root]] })])
      },
    })
    const { state, db } = openTemporaryState()
    const report = await runInProcess({ sources: [endless], target: createMemoryEndpoint(), state })
    expect(report.exit).toBe(3)
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(/new anchors kept appearing for 100 rounds/)
    expect(db.prepare('SELECT anchor FROM coverage').all()).toEqual([])
  })
})

describe('the NIP-11 document', () => {
  it.each([
    ['is larger than 64 KiB', { body: `{"name":"${'x'.repeat(65_536)}"}` }],
    ['never ends', { body: '{}', delayMs: 60_000 }],
  ])('is left alone when it %s', async (_, document) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted({ onDocument: () => document })
    const startedMs = performance.now()
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.targetSoftware, idsOf(target.events.values())]).toEqual([0, null, idsOf(scene.events)])
    expect(performance.now() - startedMs).toBeLessThan(40_000)
  })

  it('is not looked for elsewhere: redirects are not followed', async () => {
    const bench = createWorkbench()
    const elsewhere = await bench.scripted({ document: { software: 'elsewhere' } })
    const source = await bench.scripted({ events: scene.events })
    const location = elsewhere.url.replace(/^ws/, 'http')
    const target = await bench.scripted({ onDocument: () => ({ status: 302, body: '', headers: { location } }) })
    const { report } = await bench.catchup(source, target, '--scope', 'all')
    expect([elsewhere.received.documents, elsewhere.received.connections, report.targetSoftware]).toEqual([0, 0, null])
  })
})

describe('the key', () => {
  it('signs for the URL that was dialled, whatever the relay says it is', async () => {
    const double = await startWsDouble({
      onConnection: ({ send }) => send('AUTH', 'challenge'),
      onFrame: ([label, id], { send }) => label === 'REQ' && send('CLOSED', id, 'auth-required: who are you?'),
    })
    const relay = useRelay(double.url, { key: alice.secret, okTimeoutMs: 200 })
    void relay.request({})
    const auth = await waitFor(() => double.frames.find(([label]) => label === 'AUTH')?.[1])
    expect((auth as NostrEvent).tags).toEqual([
      ['relay', double.url],
      ['challenge', 'challenge'],
    ])
  })
})

describe('a relay that an announcement names', () => {
  const anywhere = ['--discover', '--discover-allow', 'private']

  /** A run with a source whose announcement names these relays. */
  async function discover(relays: readonly string[], ...args: readonly string[]) {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: smallRepository({ relays }).events })
    const { code, report } = await bench.catchup(source, await bench.scripted(), ...args)
    return { code, urls: report.sources.slice(1).map(({ url }) => url), notes: report.notes.join() }
  }

  it('gets no signature, although there is a key', async () => {
    const other = await createWorkbench().scripted({ requireAuth: ['read'] })
    const keyFile = join(temporaryDirectory(), 'key')
    writeFileSync(keyFile, Buffer.from(alice.secret).toString('hex'), { mode: 0o600 })
    const { code, urls } = await discover([other.url], ...anywhere, '--key-file', keyFile)
    expect([code, urls, other.received.auths]).toEqual([3, [other.url], []])
  })

  it('is not asked at loopback unless that is allowed', async () => {
    const other = await createWorkbench().scripted()
    const { code, urls, notes } = await discover([other.url], '--discover', '--discover-allow', 'insecure')
    expect([code, urls, other.received.connections]).toEqual([0, [], 0])
    expect(notes).toContain(other.url)
  })

  it('is asked only about the repositories that name it', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const named = smallRepository({ relays: [other.url] })
    const foreign = smallRepository({ owner: bob, d: 'elsewhere', startAt: 1_700_000_000 })
    const source = await bench.scripted({ events: [...named.events, ...foreign.events] })
    await bench.catchup(source, await bench.scripted(), ...anywhere)
    const asked = JSON.stringify(other.received.reqs)
    expect(asked).toContain(named.address)
    for (const value of [foreign.address, foreign.issue.id]) expect(asked).not.toContain(value)
  })

  it('is one of at most --discover-max', async () => {
    const bench = createWorkbench()
    const others = await Promise.all([bench.scripted(), bench.scripted(), bench.scripted()])
    const { urls, notes } = await discover(
      others.map(({ url }) => url),
      ...anywhere,
      '--discover-max',
      '2',
    )
    expect([urls.length, others.filter(({ received }) => received.connections > 0).length]).toEqual([2, 2])
    expect(notes).toContain('left out 1')
  })

  it('is not dialled where its name leads elsewhere at the second time', async () => {
    const other = await createWorkbench().scripted()
    const resolve = guardResolver(
      async () => [{ address: '127.0.0.1', family: 4 }],
      (address) => classifyAddress(address) === 'public',
    )
    const relay = useRelay(`ws://relay.example.org:${other.port}`, { lookup: createLookup(resolve), retries: 0 })
    await expect(relay.open()).rejects.toThrow('relay.example.org resolves to 127.0.0.1')
    expect(other.received.connections).toBe(0)
  })
})

describe('state files', () => {
  it('are 0600 in directories of 0700, whatever the umask', async () => {
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: scene.events }), bench.scripted()])
    const stateDir = bench.path('state home')
    mkdirSync(stateDir)
    let modes: string[] = []
    target.behaviour.onEvent = () => {
      modes = modesBelow(join(stateDir, 'ngit-sync'))
      return 'default'
    }
    expect((await runCli(['catchup', ...endArguments(source, target)], { stateDir })).code).toBe(0)
    expect(modes.length).toBeGreaterThanOrEqual(6)
    expect(
      [...modes, ...modesBelow(join(stateDir, 'ngit-sync'))].filter((mode) => !/ (d700|f600)$/.test(mode)),
    ).toEqual([])
  })
})

/** Each file and directory from here down as `name d700` or `name f600`. */
function modesBelow(directory: string): string[] {
  const names = ['.', ...readdirSync(directory, { recursive: true }).map(String)]
  return names.map((name) => {
    const stat = statSync(join(directory, name))
    return `${name} ${stat.isDirectory() ? 'd' : 'f'}${(stat.mode & 0o777).toString(8)}`
  })
}
