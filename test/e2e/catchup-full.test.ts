import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, graspList, reaction, repositoryAddress } from '../support/builders.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { createRandom, generateHistory, historySize } from '../support/generate.ts'
import { readFixture } from '../support/make-signed-fixture.ts'
import { alice, bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import { forge, signEvent } from '../support/sign.ts'
import { createWorkbench, differenceOf, idsOf, nowSeconds } from '../support/workbench.ts'

describe('the first catchup', () => {
  it('brings everything from one real relay to another, layer by layer', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real()])
    const { code, report, stderr } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(report).toMatchObject({ command: 'catchup', exit: 0, complete: true, problems: [], target: target.url })
    expect(report.layers.map(({ layer, published, outcomes }) => [layer, published, outcomes])).toEqual([
      ['announcements', 1, { accepted: 1 }],
      ['repositories', 2, { accepted: 2 }],
      ['threads', 1, { accepted: 1 }],
    ])
    expect([code, stderr]).toEqual([0, ''])
  })

  it('asks for everything: no filter of it has a since', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: smallRepository().events })
    const { report } = await bench.catchup(source, await bench.scripted())
    expect(readingFilters(source).filter(({ since }) => since !== undefined)).toEqual([])
    expect(report.range).toEqual({ completeSince: null, fullAt: report.startedAt })
    expect(report.sources[0]).toMatchObject({ complete: true, lastDrained: null })
    expect(report.sources[0]?.layers.map(({ mode, since, end }) => [mode, since, end])).toEqual([
      ['full', null, 'drained'],
      ['full', null, 'drained'],
      ['full', null, 'drained'],
    ])
  })

  it('asks with every tag variant of every layer', async () => {
    const bench = createWorkbench()
    const { address, events, issue } = smallRepository()
    const source = await bench.scripted({ events })
    await bench.catchup(source, await bench.scripted())
    const asked = readingFilters(source).map(({ limit: _limit, until: _until, ...filter }) => JSON.stringify(filter))
    expect([...new Set(asked)].sort()).toEqual(
      [
        { kinds: [30617] },
        { kinds: [10317] },
        { kinds: [30618], authors: [alice.pubkey], '#d': ['hello'] },
        ...['#a', '#A', '#q'].map((tag) => ({ [tag]: [address] })),
        ...['#e', '#E', '#q'].map((tag) => ({ [tag]: [issue.id] })),
      ]
        .map((filter) => JSON.stringify(filter))
        .sort(),
    )
  })

  it('reads every page of a history that is much longer than a page', async () => {
    const bench = createWorkbench()
    const history = { repositories: 5, rootsPerRepository: 8, commentsPerRoot: 4 }
    const events = [...generateHistory(history)]
    const [source, target] = await Promise.all([bench.real({ events, pageCap: 7 }), bench.real({ pageCap: 9 })])
    const { code, report } = await bench.catchup(source, target)
    expect(report.totals).toMatchObject({ accepted: historySize(history), parked: 0 })
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })

  it('sends parents before children, the oldest first', async () => {
    const bench = createWorkbench()
    const { announced, state, issue, comment: first } = smallRepository()
    const answer = comment(first, bob, { root: issue, createdAt: first.created_at - 1_000 })
    const source = await bench.scripted({ events: [answer, first, issue, state, announced] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    expect(target.received.events).toEqual([announced, state, issue, first, answer])
  })

  it('copies a thread that depends on an event which only a thread leads to', async () => {
    const bench = createWorkbench()
    const { events, issue } = smallRepository()
    const base = { content: 'a patch for it', created_at: issue.created_at + 600 }
    const patch = signEvent(carol, { ...base, kind: 1617, tags: [['e', issue.id]] })
    const remark = comment(patch, alice, { createdAt: patch.created_at + 60 })
    const [source, target] = await Promise.all([bench.real({ events: [...events, patch, remark] }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...events, patch, remark]))
  })

  it('copies an event that is dated in the future', async () => {
    const bench = createWorkbench()
    const { events, issue } = smallRepository()
    const future = comment(issue, bob, { createdAt: nowSeconds() + 86_400 })
    const [source, target] = await Promise.all([bench.real({ events: [...events, future] }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toContain(future.id)
  })

  it('has compared nothing between two empty relays, and says so (no false green #2)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real(), bench.real()])
    const { code, report } = await bench.catchup(source, target)
    expect(report).toMatchObject({ complete: false, totals: { fetched: 0, published: 0 } })
    expect([code, report.problems.map(({ reason }) => reason)]).toEqual([
      3,
      ['it serves no event at all, nor does the target: nothing was compared'],
    ])
  })
})

describe('the events of the fixtures', () => {
  it('arrive complete in an empty target, and none besides', async () => {
    const bench = createWorkbench()
    const all = [...readFixture('nip34'), ...readFixture('signed'), ...readFixture('noise')]
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real()])
    const expected = expectedOfEverything(source.events(), nowSeconds())
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events())).toEqual(idsOf(expected))
    expect(report.totals).toMatchObject({ accepted: expected.length, parked: 0, refused: 0 })
    expect(code).toBe(0)
  })

  it('are neither all in scope nor all of nip34.jsonl: the expected set is a real choice', () => {
    const all = [...readFixture('nip34'), ...readFixture('signed'), ...readFixture('noise')]
    const expected = expectedOfEverything(all, nowSeconds())
    expect(expected.length).toBeGreaterThan(50)
    expect(expected.length).toBeLessThan(all.length - 60)
  })

  it('leave what is foreign on the source', async () => {
    const bench = createWorkbench()
    const { events, comment: remark } = smallRepository()
    const noise = readFixture('noise')
    const elsewhere = comment(announcement(bob, 'elsewhere'), carol)
    const ofComment = reaction(remark, bob, { createdAt: remark.created_at + 60 })
    const [source, target] = await Promise.all([
      bench.real({ events: [...noise, ...events, elsewhere, ofComment] }),
      bench.real(),
    ])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
  })
})

describe('two sources', () => {
  it('are merged: what both have is sent once', async () => {
    const bench = createWorkbench()
    const events = [...generateHistory({ repositories: 3, rootsPerRepository: 4, commentsPerRoot: 3 })]
    const a = events.filter((_, index) => index % 3 !== 0)
    const b = events.filter((_, index) => index % 3 !== 1)
    const [first, second] = await Promise.all([bench.real({ events: a }), bench.real({ events: b })])
    const target = await bench.scripted()
    const { code, report } = await bench.catchup([first, second], target)
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    expect(target.received.events).toHaveLength(events.length)
    expect(report.totals).toMatchObject({ unique: events.length, published: events.length })
    expect([code, report.sources.map(({ complete }) => complete)]).toEqual([0, [true, true]])
  })

  it('give an announcement of one the history that only the other has', async () => {
    const bench = createWorkbench()
    const { announced, state, issue, comment: remark } = smallRepository()
    const [first, second, target] = await Promise.all([
      bench.real({ events: [announced, issue] }),
      bench.real({ events: [state, remark] }),
      bench.real(),
    ])
    await bench.catchup([first, second], target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, state, issue, remark]))
  })

  it('do not let a forged copy of the one hide the true event of the other', async () => {
    const bench = createWorkbench()
    const { announced, state, issue, comment: remark, events } = smallRepository()
    const otherSignature = { ...state, sig: remark.sig }
    const liar = await bench.scripted({ events: [forge(announced), forge(issue), otherSignature, remark] })
    const honest = await bench.scripted({ events, delayMs: 20 })
    const target = await bench.real()
    const { code, report } = await bench.catchup([liar, honest], target)
    expect(target.events().find(({ id }) => id === issue.id)).toEqual(issue)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    const forged = report.problems.filter(({ what, where }) => what === 'invalid' && where === liar.url)
    expect(forged.map(({ reason, count }) => [reason, count])).toEqual([
      ['wrong id', 2],
      ['wrong signature', 1],
    ])
    expect(code).toBe(0)
  })
})

describe('any split of a history', () => {
  it.each([1, 2, 3, 4])(
    'over three sources with any page caps ends with the union in the target (%i)',
    async (seed) => {
      const bench = createWorkbench()
      const random = createRandom(seed)
      const events = [...generateHistory({ repositories: 4, rootsPerRepository: 4, commentsPerRoot: 3, seed })]
      const share = (): NostrEvent[] => events.filter(() => random() < 0.5)
      const parts = [share(), share(), share()]
      const held = events.filter(() => random() < 0.2)
      const cap = (): number => 2 + Math.floor(random() * 20)
      const sources = await Promise.all(parts.map((part) => bench.scripted({ events: part, pageCap: cap() })))
      const target = await bench.scripted({ events: held, pageCap: cap() })
      const { code } = await bench.catchup(sources, target)
      // What depends on a repository or an issue that nobody has leads nowhere; all else must be there.
      const expected = expectedOfEverything([...parts.flat(), ...held], nowSeconds())
      expect(differenceOf(target.events.values(), [...expected, ...held])).toEqual({ missing: [], extra: [] })
      const heldIds = new Set(idsOf(held))
      expect(target.received.events.filter(({ id }) => heldIds.has(id))).toEqual([])
      expect(new Set(idsOf(target.received.events)).size).toBe(target.received.events.length)
      expect(code).toBe(0)
    },
  )
})

describe('conflicting versions of one address', () => {
  it('end with the newest of all sources', async () => {
    const bench = createWorkbench()
    const { address } = smallRepository()
    const versions = [100, 300, 200].map((at) => announcement(alice, 'hello', { createdAt: at, content: `v${at}` }))
    const [old, newest, middle] = await Promise.all(versions.map((event) => bench.real({ events: [event] })))
    const target = await bench.scripted()
    const { report } = await bench.catchup(
      [old, newest, middle].flatMap((relay) => relay ?? []),
      target,
    )
    expect(target.received.events).toEqual([versions[1]])
    expect(report.layers[0]).toMatchObject({ unique: 3, published: 1, dropped: { superseded: 2 } })
    expect(address).toBe(repositoryAddress(alice, 'hello'))
  })

  it('end with the target, unsent, where the target has the newest', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const newer = announcement(alice, 'hello', { createdAt: nowSeconds(), content: 'only the target has it' })
    const [source, target] = await Promise.all([bench.real({ events }), bench.real({ events: [newer] })])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([newer, ...events.slice(1)]))
    expect(report.layers[0]).toMatchObject({ published: 0, dropped: { superseded: 1 } })
    expect(code).toBe(0)
  })

  it('replace what the target has by what is newer', async () => {
    const bench = createWorkbench()
    const older = announcement(alice, 'hello', { createdAt: 1_700_000_000 })
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real({ events: [older] })])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
  })

  it.each(['source', 'target'] as const)('end, on a tie, with the lowest id, which a %s has', async (place) => {
    const bench = createWorkbench()
    const versions = ['x', 'y', 'z'].map((content) => graspList(alice, ['wss://a.example'], { content }))
    const [lowest = [], second = [], third = []] = versions.sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => [one])
    const target = await bench.scripted({ events: place === 'target' ? lowest : second })
    const source = await bench.scripted({ events: place === 'source' ? lowest : second })
    const other = await bench.scripted({ events: third })
    await bench.catchup([source, other], target)
    expect([...target.events.values()]).toEqual(lowest)
    expect(target.received.events).toEqual(place === 'source' ? lowest : [])
  })
})

describe('a run right after a complete one', () => {
  it('sends nothing, with a quick run and with a full one', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: generateHistory({ repositories: 3, rootsPerRepository: 3 }) })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    target.forgetReceived()
    const quick = await bench.catchup(source, target)
    const full = await bench.catchup(source, target, '--full')
    expect(target.received.events).toEqual([])
    expect([quick, full].map(({ code, report }) => [code, report.totals.published])).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(full.report.totals).toMatchObject({ unique: full.report.totals.held })
  })

  it('sends nothing although it remembers nothing', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: generateHistory({ repositories: 2, rootsPerRepository: 3 }) })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    target.forgetReceived()
    const { code } = await createWorkbench().catchup(source, target)
    expect([code, target.received.events]).toEqual([0, []])
  })

  it('sends what came since to a target that was restarted in between', async () => {
    const bench = createWorkbench()
    const { events, issue } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real()])
    await bench.catchup(source, target)
    await target.restart()
    const remark = comment(issue, bob, { createdAt: nowSeconds() })
    await source.seed([remark])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...events, remark]))
    expect([code, report.totals.published, report.notes]).toEqual([0, 1, []])
  })
})
