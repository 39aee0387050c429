import { describe, expect, it } from 'vitest'

import { announcement, issue, state } from '../support/builders.ts'
import { afterFirstRun, allSinces } from '../support/first-run.ts'
import { alice, bob, carol, sincesOf, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const OVERLAP = 900
const HOUR = 3_600
const old = smallRepository()

describe('a checkpoint is not made by a clock that relays contradict', () => {
  it('of ours, when source and target agree against it: what came meanwhile is copied (no false green #29)', async () => {
    const bench = createWorkbench()
    const dateOffsetSeconds = -54 * 60
    const source = await bench.scripted({ events: old.events, dateOffsetSeconds })
    const target = await bench.scripted({ dateOffsetSeconds })
    const first = await bench.catchup(source, target)
    expect([first.code, bench.checkpoints()]).toEqual([0, []])
    expect(first.report.notes).toContain('The clock of this machine may be wrong: no checkpoint moves.')
    for (const relay of [source, target]) relay.behaviour.dateOffsetSeconds = 0
    const late = issue(old.address, bob, { createdAt: nowSeconds() - 40 * 60 })
    source.events.set(late.id, late)
    const { code } = await bench.catchup(source, target)
    expect([code, target.countSends(late.id)]).toEqual([0, 1])
  })

  it.each([
    ['no other relay tells the time', 'none'],
    ['the target says so as well, otherwise', 500],
  ] as const)('of ours, when %s (no false green #29)', async (_, ofTarget) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: old.events, dateOffsetSeconds: -3_240 })
    const target = await bench.scripted({ dateOffsetSeconds: ofTarget })
    const { code } = await bench.catchup(source, target)
    expect([code, bench.checkpoints()]).toEqual([0, []])
  })

  it('of ours, when two sources agree against it and the target does not (no false green #29)', async () => {
    const bench = createWorkbench()
    const sources = [
      await bench.scripted({ events: old.events, dateOffsetSeconds: 3_240 }),
      await bench.scripted({ events: old.events, dateOffsetSeconds: 3_200 }),
    ]
    await bench.catchup(sources, await bench.scripted())
    expect(bench.checkpoints()).toEqual([])
  })

  it('of one source, for that source alone (no false green #29)', async () => {
    const bench = createWorkbench()
    const right = await bench.scripted({ events: old.events })
    const wrong = await bench.scripted({ events: old.events, dateOffsetSeconds: 3_240 })
    const { code, report } = await bench.catchup([right, wrong], await bench.scripted())
    expect([code, bench.checkpoints(wrong)]).toEqual([0, []])
    expect(bench.checkpoints(right)).not.toEqual([])
    expect(report.notes).toContain(`The checkpoints of ${wrong.url} stay as they were, because of its clock.`)
  })

  it('and an earlier one stays as it was (no false green #29)', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.letPass(60)
    const before = bench.checkpoints()
    source.behaviour.dateOffsetSeconds = -3_240
    await bench.catchup(source, target)
    expect(bench.checkpoints()).toEqual(before)
  })

  it('and one in the future is void (no false green #29)', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.letPass(-54 * 60)
    source.forgetReceived()
    const { code } = await bench.catchup(source, target)
    expect([code, allSinces(source)]).toEqual([0, [undefined]])
  })
})

describe('--since T', () => {
  it('reads since T what the target holds, and says that the run is complete since T', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.letPass(HOUR)
    const since = nowSeconds() - 2 * HOUR
    const { code, report } = await bench.catchup(source, target, '--since', String(since))
    expect(allSinces(source)).toEqual([since])
    expect(report.range.completeSince).toBe(since)
    expect(code).toBe(0)
  })

  it('reads everything of a repository and a thread that the target does not hold', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const history = smallRepository({ owner: carol, d: 'new' })
    const announced = announcement(carol, 'new', { createdAt: nowSeconds() })
    for (const event of [...history.events.slice(1), announced]) source.events.set(event.id, event)
    const since = nowSeconds() - HOUR
    await bench.catchup(source, target, '--since', String(since))
    expect(new Set(sincesOf(source, '#a', history.address))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#e', history.issue.id))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#e', old.issue.id))).toEqual(new Set([since]))
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, ...history.events.slice(1), announced]))
  })

  it('moves a checkpoint that it leaves no gap behind', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    bench.letPass(HOUR)
    const drained = firstRun - HOUR
    const { report } = await bench.catchup(source, target, '--since', String(drained - OVERLAP))
    const times = bench.checkpoints(source).map((row) => [row.drained_at, row.full_at])
    expect(times).toEqual(Array(times.length).fill([report.startedAt, drained]))
  })

  it('moves no checkpoint that lies further back', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    bench.letPass(HOUR)
    const before = bench.checkpoints(source)
    await bench.catchup(source, target, '--since', String(firstRun - HOUR - OVERLAP + 1))
    expect(bench.checkpoints(source)).toEqual(before)
  })

  it('creates no checkpoint where there was none', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: old.events }), bench.real({ events: old.events })])
    const { code } = await bench.catchup(source, target, '--since', '1h')
    const held = ['all', old.address, `30618:${alice.pubkey}:hello`, old.issue.id]
    expect(bench.checkpoints(source).filter(({ anchor }) => held.includes(anchor))).toEqual([])
    expect(code).toBe(0)
  })
})

describe('--until T', () => {
  it('copies nothing newer and moves no checkpoint', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: old.events }), bench.real()])
    const { code } = await bench.catchup(source, target, '--until', String(old.issue.created_at))
    expect(idsOf(target.events())).toEqual(idsOf([old.announced, old.state, old.issue]))
    expect(bench.checkpoints()).toEqual([])
    expect(code).toBe(0)
  })
})

describe('a maintainer who joins later', () => {
  it('brings an old announcement, old states and old issues with a quick run of a named scope', async () => {
    const bench = createWorkbench()
    const theirs = smallRepository({ owner: bob, startAt: 1_650_000_000 })
    const [source, target] = await Promise.all([
      bench.real({ events: [...old.events, ...theirs.events] }),
      bench.real(),
    ])
    await bench.catchup(source, target, '--repo', old.address)
    expect(idsOf(target.events())).toEqual(idsOf(old.events))
    const joined = announcement(alice, 'hello', { createdAt: nowSeconds(), maintainers: [bob] })
    await source.seed([joined])
    const { code, report } = await bench.catchup(source, target, '--repo', old.address)
    expect(idsOf(target.events())).toEqual(idsOf([joined, ...old.events.slice(1), ...theirs.events]))
    expect(report.sources[0]?.layers[0]?.mode).toBe('since')
    expect(code).toBe(0)
  })

  it('brings old states once they announce the repository', async () => {
    const bench = createWorkbench()
    const theirs = state(bob, 'hello', { createdAt: 1_650_000_000 })
    const [source, target] = await Promise.all([bench.real({ events: [...old.events, theirs] }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(old.events))
    await source.seed([announcement(alice, 'hello', { createdAt: nowSeconds(), maintainers: [bob] })])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).not.toContain(theirs.id)
    await source.seed([announcement(bob, 'hello', { createdAt: nowSeconds() })])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toContain(theirs.id)
  })
})
