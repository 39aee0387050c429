import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, issue, patch, pullRequest, repositoryAddress, state } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { findClosedUrl, startMuteServer } from '../support/mute-server.ts'
import { alice, bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import type { Behaviour } from '../support/scripted-behaviour.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const SECOND = START + 10_000

/** `count` repositories of alice with announcements and states a minute apart. */
function repositories(
  count: number,
): { readonly d: string; readonly address: string; readonly events: NostrEvent[] }[] {
  return Array.from({ length: count }, (_, index) => {
    const d = `repository-${index}`
    const createdAt = START + index * 120
    const events = [announcement(alice, d, { createdAt }), state(alice, d, { createdAt: createdAt + 60 })]
    return { d, address: repositoryAddress(alice, d), events }
  })
}

describe('a page cap of 5 and 40 events in one second', () => {
  it('is read whole where the events spread over many repositories', async () => {
    const bench = createWorkbench()
    const repos = repositories(10)
    const issues = repos.flatMap(({ address }) =>
      [0, 1, 2, 3].map((n) => issue(address, bob, { createdAt: SECOND, content: `issue ${n}` })),
    )
    const events = [...repos.flatMap((repo) => repo.events), ...issues]
    const [source, target] = await Promise.all([bench.real({ events, pageCap: 5 }), bench.real()])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect([code, report.problems]).toEqual([0, []])
  })

  it('is read whole where the events spread over many threads', async () => {
    const bench = createWorkbench()
    const [repo] = repositories(1)
    const address = repo?.address ?? ''
    const issues = Array.from({ length: 20 }, (_, n) => issue(address, bob, { createdAt: START + 300 + n * 60 }))
    const remarks = issues.flatMap((root) => [
      comment(root, carol, { createdAt: SECOND, content: 'one' }),
      comment(root, carol, { createdAt: SECOND, content: 'two' }),
    ])
    const events = [...(repo?.events ?? []), ...issues, ...remarks]
    const [source, target] = await Promise.all([bench.real({ events, pageCap: 5 }), bench.real()])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })

  it('is a gap where one thread has all of them: named, exit 3, and the checkpoint of that thread stays', async () => {
    const bench = createWorkbench()
    const { address, events, issue: root } = smallRepository({ startAt: START })
    const flood = Array.from({ length: 40 }, (_, n) =>
      comment(root, bob, { createdAt: SECOND, content: `comment ${n}` }),
    )
    const [source, target] = await Promise.all([
      bench.real({ events: [...events, ...flood], pageCap: 5 }),
      bench.real(),
    ])
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(3)
    const [layer1, layer2, layer3] = report.sources[0]?.layers ?? []
    expect([layer1?.end, layer2?.end, layer3?.end]).toEqual(['drained', 'drained', 'incomplete'])
    expect(layer3?.reason).toContain(`more events in second ${SECOND} than a page holds`)
    expect(report.problems.find(({ what }) => what === 'source')).toMatchObject({ where: source.url })
    expect(
      bench
        .checkpoints(source)
        .map(({ anchor }) => anchor)
        .sort(),
    ).toEqual(['all', address, `30618:${alice.pubkey}:hello`].sort())
  })

  it('goes on below a gap: what is older arrives all the same', async () => {
    const bench = createWorkbench()
    const { events, issue: root } = smallRepository({ startAt: START })
    const flood = Array.from({ length: 40 }, (_, n) => comment(root, bob, { createdAt: SECOND, content: `${n}` }))
    const below = Array.from({ length: 12 }, (_, n) => comment(root, bob, { createdAt: START + 1_000 + n }))
    const [source, target] = await Promise.all([
      bench.real({ events: [...events, ...flood, ...below], pageCap: 5 }),
      bench.real(),
    ])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(expect.arrayContaining(idsOf([...events, ...below])))
  })

  it('finds by kind what it cannot prove to be all', async () => {
    const bench = createWorkbench()
    const [repo] = repositories(1)
    const address = repo?.address ?? ''
    const crowd = [issue, patch, pullRequest].flatMap((build) =>
      [0, 1, 2, 3].map((n) => build(address, bob, { createdAt: SECOND, content: `${n}` })),
    )
    const events = [...(repo?.events ?? []), ...crowd]
    const [source, target] = await Promise.all([bench.real({ events, pageCap: 5 }), bench.real()])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(code).toBe(3)
  })

  it('is complete in the next run once the relay shows more', async () => {
    const bench = createWorkbench()
    const { events, issue: root } = smallRepository({ startAt: START })
    const flood = Array.from({ length: 40 }, (_, n) => comment(root, bob, { createdAt: SECOND, content: `${n}` }))
    const source = await bench.scripted({ events: [...events, ...flood], pageCap: 5 })
    const target = await bench.real()
    expect((await bench.catchup(source, target)).code).toBe(3)
    source.behaviour.pageCap = 100
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...events, ...flood]))
    expect(code).toBe(0)
  })
})

describe('a page that ends within a second', () => {
  it.each([1, 2, 3, 5, 7])('loses nothing with a page cap of %i', async (pageCap) => {
    const bench = createWorkbench()
    const { events, issue: root } = smallRepository({ startAt: START })
    const pairs = Array.from({ length: 6 }, (_, n) =>
      comment(root, bob, { createdAt: SECOND + (n >> 1), content: `${n}` }),
    )
    const all = [...events, ...(pageCap === 1 ? pairs.filter((_, n) => n % 2 === 0) : pairs)]
    const [source, target] = await Promise.all([bench.real({ events: all, pageCap }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(expect.arrayContaining(idsOf(all)))
  })
})

describe('a source that fails', () => {
  const mine = smallRepository({ startAt: START })
  const theirs = smallRepository({ owner: bob, d: 'theirs', startAt: START + 1_000 })

  const foreign = issue(repositoryAddress(carol, 'foreign'), carol, { createdAt: START })

  const failures: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['drops the connection', { dropAfterRows: 0 }, /disconnected/],
    ['drops the connection in the middle of an answer', { dropAfterRows: 1, pageCap: 3 }, /disconnected/],
    ['never sends EOSE', { neverEose: true }, /idle 0\.5 s/],
    ['answers with CLOSED', { closeReq: () => 'error: shutting down' }, /closed: error: shutting down/],
    ['wants to be paid', { closeReq: () => 'restricted: members only' }, /closed: restricted: members only/],
    ['wants NIP-42', { requireAuth: ['read'] }, /closed: auth-required/],
    ['answers with a NOTICE', { noticeOnly: 'too busy' }, /idle 0\.5 s/],
    ['sends one page for ever', { ignoreUntil: true, pageCap: 1 }, /brought only what was not asked for/],
    ['sends what was not asked for', { extraRows: () => [foreign], hides: () => true }, /not asked for/],
    ['sends its events in no order', { unordered: true, pageCap: 3 }, /not in descending order/],
  ]

  it.each(failures)(
    'because it %s does not stop the others; its checkpoint stays; the next run completes',
    async (_how, behaviour, reason) => {
      const bench = createWorkbench()
      const extra = issue(mine.address, carol, { createdAt: SECOND })
      const bad = await bench.scripted({ events: [...mine.events, extra], ...behaviour })
      const [good, target] = await Promise.all([
        bench.real({ events: [...mine.events, ...theirs.events] }),
        bench.real(),
      ])
      const args = ['--idle-timeout', '500ms', '--retries', '0']
      const first = await bench.catchup([bad, good], target, ...args)
      expect(first.code).toBe(3)
      expect(idsOf(target.events())).toEqual(expect.arrayContaining(idsOf([...mine.events, ...theirs.events])))
      expect(first.report.sources.map(({ url, complete }) => [url, complete])).toEqual([
        [bad.url, false],
        [good.url, true],
      ])
      const named = first.report.problems.filter(({ what }) => what === 'source')
      expect(new Set(named.map(({ where }) => where))).toEqual(new Set([bad.url]))
      expect(named.map((problem) => problem.reason).join('\n')).toMatch(reason)
      expect(bench.checkpoints(bad).filter(({ anchor }) => anchor === mine.address)).toEqual([])
      expect(bench.checkpoints(good).length).toBeGreaterThan(5)

      for (const key of Object.keys(behaviour)) Reflect.deleteProperty(bad.behaviour, key)
      const second = await bench.catchup([bad, good], target, ...args)
      expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...theirs.events, extra]))
      expect([second.code, second.report.problems]).toEqual([0, []])
    },
  )

  it('because nothing listens at its port is named with the error of the system', async () => {
    const bench = createWorkbench()
    const dead = await findClosedUrl()
    const [good, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { code, report } = await bench.catchup([dead, good], target, '--retries', '0')
    expect(code).toBe(3)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.problems).toEqual([
      {
        what: 'source',
        where: dead,
        reason: expect.stringContaining('ECONNREFUSED') as string,
        count: 1,
        example: null,
      },
    ])
  })

  it('because its server is mute is given up after --connect-timeout', async () => {
    const bench = createWorkbench()
    const { url: mute } = await startMuteServer()
    const [good, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { code, report } = await bench.catchup([mute, good], target, '--retries', '0', '--connect-timeout', '500ms')
    expect(code).toBe(3)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.problems[0]?.reason).toContain('no connection within 500 ms')
  })

  it('after complete runs keeps its checkpoints as they were, and the next quick run covers the debt', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.real()
    await bench.catchup(source, target)
    bench.letPass(120)
    const before = bench.checkpoints(source)
    source.behaviour.closeReq = (filter) => (filter['#e'] === undefined ? undefined : 'error: index broken')
    const failed = await bench.catchup(source, target)
    expect(failed.code).toBe(3)
    const isThread = ({ layer }: { layer: string }): boolean => layer === 'threads'
    expect(bench.checkpoints(source).filter(isThread)).toEqual(before.filter(isThread))
    const others = bench.checkpoints(source).filter((row) => !isThread(row))
    expect(others.map((row) => row.drained_at)).toEqual(others.map(() => failed.report.startedAt))

    delete source.behaviour.closeReq
    source.forgetReceived()
    const { code } = await bench.catchup(source, target)
    const sinces = readingFilters(source)
      .filter((filter) => filter['#e'] !== undefined)
      .map(({ since }) => since)
    expect(new Set(sinces)).toEqual(new Set([(before.find(isThread)?.drained_at ?? 0) - 900]))
    expect(code).toBe(0)
  })

  it('while it is down leaves what it alone has to the next run', async () => {
    const bench = createWorkbench()
    const [first, second, target] = await Promise.all([
      bench.real({ events: mine.events }),
      bench.real({ events: theirs.events }),
      bench.real(),
    ])
    await second.stop()
    expect((await bench.catchup([first, second], target, '--retries', '0')).code).toBe(3)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    await second.restart()
    expect((await bench.catchup([first, second], target)).code).toBe(0)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...theirs.events]))
  })

  it('for a moment is forgiven: a REQ whose connection was lost is asked again', async () => {
    const bench = createWorkbench()
    let drops = 2
    const source = await bench.scripted({
      events: mine.events,
      onReq: ({ answer }) => ((drops -= 1) >= 0 ? { ...answer, rows: [], end: { type: 'drop' } } : 'default'),
    })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })

  it('with every other one makes it exit 3, and all are named', async () => {
    const bench = createWorkbench()
    const dead = [await findClosedUrl(), await findClosedUrl()]
    const target = await bench.real({ events: mine.events })
    const { code, report } = await bench.catchup(dead, target, '--retries', '0')
    expect([code, report.complete]).toEqual([3, false])
    expect(report.problems.map(({ where }) => where).sort()).toEqual([...dead].sort())
    expect(bench.checkpoints()).toEqual([])
  })
})

describe('a dozen sources', () => {
  it('are read without a word on standard error', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const sources = await Promise.all(Array.from({ length: 12 }, () => bench.scripted({ events })))
    const { code, stderr } = await bench.spawn(['catchup', ...endArguments(sources, await bench.scripted())])
    expect([code, stderr]).toEqual([0, ''])
  })
})

describe('a slow source', () => {
  it('is waited for: every event starts the idle timer anew', async () => {
    const bench = createWorkbench()
    const history = { repositories: 1, rootsPerRepository: 15, commentsPerRoot: 0, statuses: false }
    const events = [...generateHistory(history)]
    const source = await bench.scripted({ events, delayMs: 80 })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target, '--idle-timeout', '800ms')
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })
})

describe('what a source sends beside the truth', () => {
  const { events, issue: root, comment: remark, address } = smallRepository({ startAt: START })

  it('is left out and counted: rows that are no events, and events that were not asked for', async () => {
    const bench = createWorkbench()
    const foreign = issue(repositoryAddress(bob, 'foreign'), bob, { createdAt: START })
    const extraRows = (): unknown[] => [{ id: 'no event' }, 'text', null, foreign]
    const source = await bench.scripted({ events, extraRows: (filter) => (filter['#a'] ? extraRows() : []) })
    const target = await bench.real()
    const { report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    const reasons = report.problems.filter(({ what }) => what === 'invalid').map(({ reason }) => reason)
    expect(reasons.sort()).toEqual(['not an event', 'not asked for'])
  })

  it('does not change the exit code when it is invalid', async () => {
    const bench = createWorkbench()
    const forged = { ...remark, content: 'forged' }
    const source = await bench.scripted({ events: [...events.slice(0, 3), forged] })
    const target = await bench.real()
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events.slice(0, 3)))
    expect(report.layers.map(({ invalid }) => invalid > 0)).toEqual([false, false, true])
    expect(code).toBe(0)
  })

  it('stops at --max-bytes, which is a source that was not read to its end', async () => {
    const bench = createWorkbench()
    const big = Array.from({ length: 20 }, (_, n) =>
      issue(address, bob, { createdAt: SECOND + n, content: 'x'.repeat(10_000) }),
    )
    const [source, target] = await Promise.all([bench.real({ events: [...events, ...big], pageCap: 5 }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--max-bytes', '50kB')
    expect(code).toBe(3)
    expect(report.problems.map(({ reason }) => reason).join()).toContain('--max-bytes')
    expect(bench.checkpoints(source).filter(({ anchor }) => [address, root.id].includes(anchor))).toEqual([])
  })
})

describe('a source that ignores', () => {
  const { events } = smallRepository({ startAt: START })

  it('until and has one page only is not taken for drained when it has more', async () => {
    const bench = createWorkbench()
    const more = Array.from({ length: 6 }, (_, n) =>
      announcement(keyOf(`owner-${n}`), 'theirs', { createdAt: SECOND + n }),
    )
    const source = await bench.scripted({ events: [...events, ...more], pageCap: 3, ignoreUntil: true })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target, '--idle-timeout', '2s')
    expect(code).toBe(3)
    expect(bench.checkpoints(source).filter(({ anchor }) => anchor === 'all')).toEqual([])
  })

  it('since is read all the same, and nothing is sent twice', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events, ignoreSince: true })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    target.forgetReceived()
    const remark = comment(events[2] ?? events[0] ?? announcement(alice, 'x'), bob, { createdAt: nowSeconds() })
    source.events.set(remark.id, remark)
    await bench.catchup(source, target)
    expect(target.received.events).toEqual([remark])
  })
})
