import { describe, expect, it } from 'vitest'

import { announcement, comment, issue, state, status } from '../support/builders.ts'
import { afterFirstRun, allSinces } from '../support/first-run.ts'
import { alice, bob, carol, readingFilters, sincesOf, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const OVERLAP = 900
const HOUR = 3_600
const DAY = 86_400
const old = smallRepository()

describe('a quick run', () => {
  it('asks since the start of the last run less the overlap, in every filter', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    bench.letPass(60)
    const { code, report } = await bench.catchup(source, target)
    expect(allSinces(source)).toEqual([firstRun - 60 - OVERLAP])
    expect(readingFilters(source).length).toBeGreaterThanOrEqual(9)
    expect(report.range).toEqual({ completeSince: firstRun - 60 - OVERLAP, fullAt: firstRun - 60 })
    expect(report.sources[0]?.layers.map(({ mode, since }) => [mode, since])).toEqual(
      Array(3).fill(['since', firstRun - 60 - OVERLAP]),
    )
    expect(code).toBe(0)
  })

  it('takes the overlap that it is given', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    await bench.catchup(source, target, '--overlap', '2h')
    expect(allSinces(source)).toEqual([firstRun - 2 * HOUR])
  })

  it('moves the checkpoint to its own start and leaves the time of the full pass', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    bench.letPass(60)
    const { report } = await bench.catchup(source, target)
    const times = bench.checkpoints(source).map((row) => [row.drained_at, row.full_at])
    expect(times).toEqual(Array(times.length).fill([report.startedAt, firstRun - 60]))
    expect(times.length).toBeGreaterThanOrEqual(4)
  })

  it('finds a comment of today on an old issue', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const remark = comment(old.issue, bob, { createdAt: nowSeconds() })
    source.events.set(remark.id, remark)
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, remark]))
    expect(report.layers.map(({ published }) => published)).toEqual([0, 0, 1])
    expect(code).toBe(0)
  })

  it('replaces announcement and state by what is newer', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const newer = [announcement, state].map((build) => build(alice, 'hello', { createdAt: nowSeconds() }))
    for (const event of newer) source.events.set(event.id, event)
    const { report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...newer, ...old.events.slice(2)]))
    expect(report.totals).toMatchObject({ published: 2, accepted: 2 })
  })

  it('reads a repository that is new in full, and everything else since', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    const history = smallRepository({ owner: carol, d: 'new', startAt: 1_600_000_000 })
    const announced = announcement(carol, 'new', { createdAt: nowSeconds() })
    for (const event of [...history.events.slice(1), announced]) source.events.set(event.id, event)
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, ...history.events.slice(1), announced]))
    expect(new Set(sincesOf(source, '#a', history.address))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#a', old.address))).toEqual(new Set([firstRun - OVERLAP]))
    expect(report.sources[0]?.layers[1]?.anchors).toMatchObject({ full: 2, since: 2 })
    expect(code).toBe(0)
  })

  it('reads the thread of an issue that is new in full: all its comments, however old', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    const late = issue(old.address, carol, { createdAt: nowSeconds() })
    const remarks = [1_600_000_000, 1_700_000_000].map((at) => comment(late, bob, { createdAt: at }))
    for (const event of [late, ...remarks]) source.events.set(event.id, event)
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, late, ...remarks]))
    expect(new Set(sincesOf(source, '#E', late.id))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#E', old.issue.id))).toEqual(new Set([firstRun - OVERLAP]))
  })

  it('misses what was signed before and arrives now, until the next full pass, which counts it as late', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const late = status(1632, old.issue, alice, { createdAt: old.issue.created_at + 7 * DAY })
    source.events.set(late.id, late)
    const quick = await bench.catchup(source, target)
    expect(quick.report.totals.published).toBe(0)
    const full = await bench.catchup(source, target, '--full')
    expect(full.report.layers.map(({ lateArrivals }) => lateArrivals).reduce((a, b) => a + b)).toBe(1)
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, late]))
  })

  it('reads a source in full that is new to it', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const remark = comment(old.issue, bob, { createdAt: 1_650_000_000 })
    const other = await bench.scripted({ events: [remark] })
    const { report } = await bench.catchup([source, other], target)
    expect(allSinces(other)).toEqual([undefined])
    expect(idsOf(target.events())).toContain(remark.id)
    expect(report.sources.map(({ layers }) => layers[2]?.mode)).toEqual(['since', 'full'])
  })

  it('keeps the checkpoints of each target apart', async () => {
    const bench = createWorkbench()
    const { source } = await afterFirstRun(bench, old)
    const other = await bench.real()
    await bench.catchup(source, other)
    expect(allSinces(source)).toEqual([undefined])
    expect(idsOf(other.events())).toEqual(idsOf(old.events))
  })

  it('goes on asking for anchors that the source no longer shows', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    source.events.delete(old.announced.id)
    source.events.delete(old.issue.id)
    const remark = comment(old.issue, bob, { createdAt: nowSeconds() })
    source.events.set(remark.id, remark)
    await bench.catchup(source, target)
    expect(new Set(sincesOf(source, '#a', old.address))).toEqual(new Set([firstRun - OVERLAP]))
    expect(idsOf(target.events())).toContain(remark.id)
  })
})
