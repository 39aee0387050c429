import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, issue } from '../support/builders.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import { ORPHAN, receiveGitData, startStrictGrasp } from '../support/strict-grasp.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const DAY = 86_400
const MINUTE = 60
const mine = smallRepository({ startAt: START })
const [announced, bug, remark] = [mine.announced, mine.issue, mine.comment]

describe('children that are refused as orphans', () => {
  const issues = Array.from({ length: 200 }, (_, n) =>
    issue(mine.address, bob, { createdAt: START + 1_000 + n, content: `issue ${n}` }),
  )
  const remarks = issues.map((root) => comment(root, carol, { createdAt: root.created_at + 10_000 }))

  it('stop the others of their repository, which then wait unsent and go in order, each sent once', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced, ...issues, ...remarks] })
    const target = await bench.scripted()
    target.behaviour.onEvent = ({ kind }) => (kind === 30617 ? { ok: true, store: false } : { ok: false, text: ORPHAN })
    const first = await bench.catchup(source, target)
    const sent = new Set(target.received.events.map(({ id }) => id))
    expect(sent.size).toBeLessThanOrEqual(1 + 64)
    expect(remarks.filter(({ id }) => sent.has(id))).toEqual([])
    expect([first.code, first.report.totals.parked]).toEqual([3, 401])

    delete target.behaviour.onEvent
    receiveGitData(target, announced)
    target.forgetReceived()
    const second = await bench.catchup(source, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([...issues, ...remarks].map(({ id }) => id))
    expect([second.code, second.report.totals]).toMatchObject([0, { accepted: 401, parked: 0 }])
  })

  it('do not stop the children of another repository', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ owner: carol, d: 'other', startAt: START + 500 })
    const source = await bench.real({ events: [...mine.events, ...other.events] })
    const target = await bench.scripted({
      onEvent: ({ kind, tags }) =>
        kind === 1621 && tags.some(([, value]) => value === mine.address) ? { ok: false, text: ORPHAN } : 'default',
    })
    const { report } = await bench.catchup(source, target)
    expect([...target.events.keys()]).toEqual(expect.arrayContaining(idsOf(other.events)))
    expect(report.totals.parked).toBe(2)
  })

  it('are refused with their parents once these are refused, with the reason', async () => {
    const bench = createWorkbench()
    const answer = comment(remark, bob, { root: bug, createdAt: START + 240 })
    const source = await bench.real({ events: [...mine.events, answer] })
    const why = "Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist."
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 30617 ? { ok: false, text: why } : { ok: false, text: ORPHAN }),
    })
    const { code, report } = await bench.catchup(source, target)
    expect(report.totals).toMatchObject({ accepted: 0, parked: 0, refused: 5 })
    const reasons = report.problems.map(({ what, reason }) => [what, reason])
    expect(reasons).toContainEqual(['refused', why])
    expect(reasons.filter(([, reason]) => reason !== why).every(([, reason]) => reason?.startsWith('parent '))).toBe(
      true,
    )
    expect(code).toBe(0)
  })
})

describe('a child that comes after its parent was refused', () => {
  it('is refused with it in the same run', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [announced] })
    const target = await bench.scripted({
      onEvent: ({ kind }) => ({ ok: false, text: kind === 30617 ? 'blocked: not here' : ORPHAN }),
    })
    await bench.catchup(source, target)
    bench.letPass(MINUTE)
    await source.seed([issue(mine.address, bob, { createdAt: nowSeconds() })])
    const { code, report } = await bench.catchup(source, target)
    const reason = `parent refused: blocked: not here (${mine.address})`
    expect(report.problems).toMatchObject([{ what: 'refused', reason, count: 1 }])
    expect([code, report.totals]).toMatchObject([0, { parked: 0, refused: 2 }])
  })
})

describe('a parked event', () => {
  const neverTaken = ({ kind }: NostrEvent): EventDecision =>
    kind === 1111 ? { ok: false, text: 'error: database error' } : 'default'

  it('is given up after --forget-parked, counted in every later report, and settles the run', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: neverTaken })
    expect((await bench.catchup(source, target)).code).toBe(3)
    bench.letPass(31 * DAY)
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[2]?.outcomes).toMatchObject({ 'given-up': 1 })
    expect([code, report.totals]).toMatchObject([0, { parked: 0, refused: 1 }])
    const later = await bench.catchup(source, target)
    expect([later.code, later.report.totals]).toMatchObject([0, { parked: 0, refused: 1, published: 0 }])
  })

  it('is not sent once its author has deleted it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: neverTaken })
    await bench.catchup(source, target)
    await source.seed([deletion({ ids: [remark.id] }, carol, { createdAt: nowSeconds() })])
    delete target.behaviour.onEvent
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[2]?.outcomes).toMatchObject({ deleted: 1 })
    expect([code, target.countSends(remark.id), report.totals.parked]).toEqual([0, 1, 0])
  })

  it('is sent although its source is gone by then', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: neverTaken })
    await bench.catchup(source, target)
    await source.stop()
    delete target.behaviour.onEvent
    const { code, report } = await bench.catchup(source, target, '--retries', '0')
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([code, report.totals.parked]).toEqual([3, 0])
  })

  it('does not hold back the checkpoint: the next quick run asks since', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ onEvent: neverTaken })
    const { report } = await bench.catchup(source, target)
    expect(bench.checkpoints(source).map((row) => row.drained_at)).toEqual(
      bench.checkpoints(source).map(() => report.startedAt),
    )
    expect(bench.checkpoints(source).length).toBeGreaterThanOrEqual(4)
  })

  it('shows in status, with the words of the relay', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: neverTaken })
    await bench.catchup(source, target)
    const { code, stdout } = await bench.run(['status', '--target', target.url])
    expect(code).toBe(0)
    expect(stdout).toContain('error: database error')
  })
})

describe('an announcement of an address', () => {
  it('is not replaced by an older one while the newer is pending', async () => {
    const bench = createWorkbench()
    const newer = announcement(alice, 'hello', { createdAt: START + 5_000 })
    const [first, second] = await Promise.all([
      bench.real({ events: [newer] }),
      bench.real({ events: [announced, bug] }),
    ])
    const target = await startStrictGrasp(bench)
    await bench.catchup(first, target)
    await bench.catchup(second, target)
    expect(target.received.events.filter(({ kind }) => kind === 30617)).toEqual([newer])
  })
})
