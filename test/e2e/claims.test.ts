import { describe, expect, it } from 'vitest'

import { comment, issue } from '../support/builders.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const mine = smallRepository()

/** A thread of so many comments, a minute apart. */
function longThread(comments: number) {
  const remarks = Array.from({ length: comments }, (_, index) =>
    comment(mine.issue, bob, { createdAt: 1_750_001_000 + 60 * index, content: `remark ${index}` }),
  )
  return [...mine.events, ...remarks]
}

describe('a target that lists by NIP-77 what it does not serve', () => {
  it.each([
    ['compared', true],
    ['paged', false],
  ])('is not believed, with a source that is %s (no false green #38)', async (_, negentropy) => {
    const bench = createWorkbench()
    const events = longThread(18)
    const hidden = new Set(idsOf(events.slice(2, 12)))
    const source = await bench.scripted({ events, negentropy })
    const target = await bench.scripted({ events, negentropy: true, hides: ({ id }) => hidden.has(id) })
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(3)
    expect(report.notes.join()).toMatch(/listed by NIP-77 is not borne out by what is served/)
  })

  it('gets what it has lost when it takes that again', async () => {
    const bench = createWorkbench()
    const events = longThread(18)
    const lost = new Set(idsOf(events.slice(2, 12)))
    const source = await bench.scripted({ events, negentropy: true })
    const target = await bench.scripted({
      events,
      negentropy: true,
      hides: ({ id }) => lost.has(id),
      onEvent: ({ id }) => (lost.delete(id) ? { ok: true, text: '' } : 'default'),
    })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.published, lost.size]).toEqual([0, 10, 0])
  })

  it('is asked for its announcements in pages', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ owner: bob, d: 'other', startAt: 1_700_000_000 })
    const hidden = issue(other.address, alice, { createdAt: 1_750_002_000 })
    const source = await bench.scripted({ events: [...mine.events, hidden], negentropy: true })
    const target = await bench.scripted({ events: [...mine.events, other.announced], negentropy: true })
    await bench.catchup(source, target)
    target.behaviour.hides = ({ id }) => id === other.announced.id
    const { report } = await bench.catchup(source, target)
    expect(report.notes.join()).toMatch(/no longer serves 1 of the events/)
  })
})

describe('a source that lists its newest events late by NIP-77', () => {
  it('is read in pages as far back as that, beyond the sample', async () => {
    const bench = createWorkbench()
    const old = longThread(18)
    const young = Array.from({ length: 60 }, (_, index) =>
      comment(mine.issue, bob, { createdAt: nowSeconds() - 500 + 5 * index, content: `young ${index}` }),
    )
    const isYoung = new Set(idsOf(young))
    const events = [...old, ...young]
    const source = await bench.scripted({ events, negentropy: true, unlisted: ({ id }) => isYoung.has(id) })
    const target = await bench.scripted({ events: old, negentropy: true })
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(events)])
  })
})

describe('a target that lists its witnesses by NIP-77', () => {
  it('is not believed when it does not serve some of them', async () => {
    const bench = createWorkbench()
    const events = longThread(18)
    const hidden = new Set(idsOf(events.slice(8, 14)))
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ negentropy: true })
    await bench.catchup(source, target)
    target.behaviour.hides = ({ id }) => hidden.has(id)
    const { report } = await bench.catchup(source, target)
    expect(report.notes.join()).toMatch(/no longer serves 6 of the events that it held/)
  })
})

describe('a source that lists the oldest only', () => {
  it('is read in pages: what it left out arrives (no false green #38)', async () => {
    const bench = createWorkbench()
    const events = longThread(300)
    const source = await bench.scripted({ events, negentropy: true, negentropyCutsNewest: 101 })
    const target = await bench.scripted({ events: [mine.announced], negentropy: true, verify: false })
    const { code, report } = await bench.catchup(source, target)
    expect([code, target.events.size]).toEqual([0, events.length])
    expect(report.notes.join()).toMatch(/listed by NIP-77 is not borne out by what is served/)
    const again = await bench.catchup(source, target, '--full')
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
  })
})

describe('a source that lists the oldest only and will not be tried', () => {
  it('is read in pages as well (no false green #38)', async () => {
    const bench = createWorkbench()
    const events = longThread(300)
    const source = await bench.scripted({
      events,
      negentropy: true,
      negentropyCutsNewest: 101,
      // The question by which a claim is tried, and no other, asks for so many.
      onReq: ({ filters: [filter] }) =>
        filter?.limit === 20 ? { rows: [], end: { type: 'closed', reason: 'error: busy' } } : 'default',
    })
    const target = await bench.scripted({ negentropy: true, verify: false })
    await bench.catchup(source, target)
    expect(target.events.size).toBe(events.length)
  })
})

describe('an honest comparison', () => {
  it('into which an event falls stays one, and the event arrives', async () => {
    const bench = createWorkbench()
    const events = longThread(30)
    const source = await bench.scripted({ events, negentropy: true })
    const target = await bench.scripted({ events, negentropy: true })
    const late = comment(mine.issue, alice, { createdAt: Math.floor(Date.now() / 1000) })
    let asked = 0
    source.behaviour.onReq = ({ filters }) => {
      const isSample = filters.some(({ limit, kinds }) => limit === 20 && kinds !== undefined)
      if (isSample && (asked += 1) === 1) source.events.set(late.id, late)
      return 'default'
    }
    const { code, report } = await bench.catchup(source, target)
    expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['reconcile', 'reconcile', 'reconcile'])
    expect([code, report.notes, target.events.has(late.id)]).toEqual([0, [], true])
  })
})
