import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, comment, issue, state, status } from '../support/builders.ts'
import { alice, bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds, type End, type Workbench } from '../support/workbench.ts'

const START = 1_700_000_000
const SINCE = START + 10_000
const UNTIL = START + 20_000
const mine = smallRepository({ startAt: START })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]
const WINDOW = ['--since', String(SINCE), '--until', String(UNTIL)]

async function backfill(bench: Workbench, source: End, target: End, ...args: readonly string[]) {
  const result = await bench.run(['backfill', '--json', ...endArguments(source, target), ...args])
  return { ...result, report: result.json<Report>() }
}

/** Comments of bob on an event, one at each of these times. */
function commentsAt(root: NostrEvent, times: readonly number[]): NostrEvent[] {
  return times.map((createdAt) => comment(root, bob, { createdAt, content: `at ${createdAt}` }))
}

describe('what lies outside the window', () => {
  it.each(['backfill', 'check'])('is not counted as held by %s (no false green #15)', async (command) => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: mine.events }),
      await bench.scripted({ events: mine.events }),
    ]
    const args = [command, ...endArguments(source, target), ...WINDOW]
    const { code, stdout } = await bench.run([...args, '--json'])
    const report = JSON.parse(stdout) as Report
    expect([code, report.totals.held, report.layers.map(({ held }) => held)]).toEqual([0, 0, [0, 0, 0]])
    expect((await bench.run(args)).stdout).toMatch(/there (is|was) nothing to (copy|compare),? in the window\./)
    expect((await bench.run([...args, '--quiet'])).stdout).toBe('')
  })

  it('leaves what lies in it to be counted (no false green #15)', async () => {
    const bench = createWorkbench()
    const events = [...mine.events, ...commentsAt(bug, [SINCE, UNTIL, UNTIL + 1])]
    const [source, target] = [await bench.scripted({ events }), await bench.scripted({ events })]
    const { stdout } = await bench.run(['backfill', ...endArguments(source, target), ...WINDOW])
    expect(stdout).toContain('complete (0): the target already held all 2 events in the window.')
  })
})

describe('backfill', () => {
  it('copies what lies in the window, its bounds included, and nothing else', async () => {
    const bench = createWorkbench()
    const inside = commentsAt(bug, [SINCE, SINCE + 1, UNTIL])
    const outside = commentsAt(bug, [SINCE - 1, UNTIL + 1])
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, ...inside, ...outside] }),
      bench.real({ events: mine.events }),
    ])
    const { code, report } = await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...inside]))
    expect(report).toMatchObject({ command: 'backfill', window: { since: SINCE, until: UNTIL }, complete: true })
    expect(report.totals).toMatchObject({ published: 3, accepted: 3 })
    expect(code).toBe(0)
  })

  it('copies the missing parents of what lies in the window, and names them', async () => {
    const bench = createWorkbench()
    const other = issue(mine.address, carol, { createdAt: START + 700 })
    const [inside] = commentsAt(bug, [SINCE + 1])
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, other, inside ?? remark] }),
      bench.real(),
    ])
    const { code, report } = await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([announced, bug, inside ?? remark]))
    const parents = report.problems.filter(({ what }) => what === 'parent')
    expect(parents.reduce((sum, { count }) => sum + count, 0)).toBe(2)
    expect([announced.id, bug.id]).toContain(parents[0]?.example)
    expect(code).toBe(0)
  })

  it('copies a missing parent that is no root: the comment that a comment in the window answers', async () => {
    const bench = createWorkbench()
    const answer = comment(remark, alice, { root: bug, createdAt: SINCE + 5 })
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, answer] }),
      bench.real({ events: [announced, pushed, bug] }),
    ])
    const { code, report } = await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, answer]))
    expect(report.problems).toMatchObject([{ what: 'parent', count: 1, example: remark.id }])
    expect(code).toBe(0)
  })

  it('copies the parents of parents, and no event that a thread only mentions', async () => {
    const bench = createWorkbench()
    const second = comment(remark, alice, { root: bug, createdAt: START + 300 })
    const elsewhere = comment(announcement(carol, 'elsewhere'), carol, { createdAt: START + 310 })
    const answer = comment(second, bob, { root: bug, createdAt: SINCE + 5, tags: [['e', elsewhere.id, '', 'mention']] })
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, second, elsewhere, answer] }),
      bench.real({ events: [announced, pushed, bug] }),
    ])
    await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, second, answer]))
  })

  it('finds a root outside the window that only a thread leads to', async () => {
    const bench = createWorkbench()
    const base = { content: 'second version', created_at: START + 400 }
    const patch = signEvent(carol, { ...base, kind: 1617, tags: [['e', bug.id, '', 'root']] })
    const [inside = remark] = commentsAt(patch, [SINCE + 4])
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, patch, inside] }),
      bench.real({ events: mine.events }),
    ])
    await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, patch, inside]))
  })

  it('does not send a parent that the target holds', async () => {
    const bench = createWorkbench()
    const [inside = remark] = commentsAt(bug, [SINCE + 1])
    const source = await bench.real({ events: [...mine.events, inside] })
    const target = await bench.scripted({ events: mine.events })
    const { report } = await backfill(bench, source, target, ...WINDOW)
    expect(target.received.events).toEqual([inside])
    expect(report.problems).toEqual([])
  })

  it('finds roots and repositories outside the window: their events in it are copied', async () => {
    const bench = createWorkbench()
    const late = smallRepository({ owner: carol, d: 'late', startAt: UNTIL + 5_000 })
    const closed = status(1632, bug, alice, { createdAt: SINCE + 9 })
    const early = issue(late.address, bob, { createdAt: SINCE + 10 })
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, ...late.events, closed, early] }),
      bench.real({ events: [...mine.events, late.announced] }),
    ])
    await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, late.announced, closed, early]))
  })

  it('may be open at one end', async () => {
    const bench = createWorkbench()
    const times = [SINCE - 1, SINCE, nowSeconds()]
    const remarks = commentsAt(bug, times)
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, ...remarks] }),
      bench.real({ events: mine.events }),
    ])
    await backfill(bench, source, target, '--since', String(SINCE))
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...remarks.slice(1)]))
    await backfill(bench, source, target, '--until', String(SINCE - 1))
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...remarks]))
  })

  it('takes a window in ISO 8601 and in durations', async () => {
    const bench = createWorkbench()
    const now = nowSeconds()
    const remarks = commentsAt(bug, [now - 5 * 86_400, now - 36 * 3_600, now - 60])
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, ...remarks] }),
      bench.real({ events: mine.events }),
    ])
    const until = new Date((now - 3_600) * 1_000).toISOString()
    const { report } = await backfill(bench, source, target, '--since', '2d', '--until', until)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...remarks.slice(1, 2)]))
    expect(report.window?.until).toBe(now - 3_600)
  })

  it('reads no checkpoint and moves none', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    bench.letPass(60)
    const before = bench.checkpoints()
    const [inside = remark] = commentsAt(bug, [SINCE + 1])
    source.events.set(inside.id, inside)
    source.forgetReceived()
    const { code } = await backfill(bench, source, target, ...WINDOW)
    expect(bench.checkpoints()).toEqual(before)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, inside]))
    const sinces = new Set(readingFilters(source).map(({ since }) => since))
    expect(sinces).toEqual(new Set([undefined, SINCE]))
    expect(code).toBe(0)
  })

  it('creates no checkpoint in an empty state', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await backfill(bench, source, target, '--since', String(START))
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(bench.checkpoints()).toEqual([])
  })

  it('keeps states in the window with the newest of them only', async () => {
    const bench = createWorkbench()
    const inside = state(alice, 'hello', { createdAt: SINCE + 3 })
    const [source, target] = await Promise.all([
      bench.real({ events: [announced, inside] }),
      bench.real({ events: [announced, pushed] }),
    ])
    await backfill(bench, source, target, ...WINDOW)
    expect(idsOf(target.events())).toEqual(idsOf([announced, inside]))
  })

  it('never replaces what the target has by an older version from the window', async () => {
    const bench = createWorkbench()
    const inside = announcement(alice, 'hello', { createdAt: SINCE + 3 })
    const newest = announcement(alice, 'hello', { createdAt: UNTIL + 3 })
    const source = await bench.real({ events: [inside] })
    const target = await bench.scripted({ events: [newest] })
    await backfill(bench, source, target, ...WINDOW)
    expect(target.received.events).toEqual([])
  })

  it('without a window is wrong usage', async () => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run(['backfill', ...endArguments('a.jsonl', 'b.jsonl')])
    expect(code).toBe(2)
    expect(stderr).toContain('no window: give --since, --until or both')
  })
})
