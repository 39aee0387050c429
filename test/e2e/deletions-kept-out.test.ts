import { describe, expect, it } from 'vitest'

import { announcement, comment, deletion, graspList, issue, state } from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const LATER = START + 100_000
const mine = smallRepository({ startAt: START })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]

describe('nothing deleted returns', () => {
  it('when only the target knows of the deletion of an issue', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ events: [gone] })
    const { code, report } = await bench.catchup(source, target)
    expect(target.countSends(bug.id)).toBe(0)
    expect(report.layers[1]?.dropped).toMatchObject({ deleted: 1 })
    expect(code).toBe(0)
  })

  it('when only the target knows of the deletion of a comment, which no layer leads to', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [remark.id] }, carol, { createdAt: LATER })
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ events: [gone] })
    await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf([announced, pushed, bug, gone]))
    expect(target.countSends(remark.id)).toBe(0)
  })

  it('when only the target knows of the deletion of an address', async () => {
    const bench = createWorkbench()
    const list = graspList(alice, ['wss://a.example'], { createdAt: START })
    const addresses = [`10317:${alice.pubkey}:`, `30618:${alice.pubkey}:hello`]
    const gone = deletion({ addresses }, alice, { createdAt: LATER })
    const source = await bench.real({ events: [...mine.events, list] })
    const target = await bench.scripted({ events: [gone] })
    await bench.catchup(source, target)
    expect([list, pushed].map(({ id }) => target.countSends(id))).toEqual([0, 0])
  })

  it('when one source has the event and only the other the deletion', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [remark.id] }, carol, { createdAt: LATER })
    const [first, second, target] = await Promise.all([
      bench.real({ events: mine.events }),
      bench.real({ events: [gone] }),
      bench.real(),
    ])
    await bench.catchup([first, second], target)
    expect(idsOf(target.events())).not.toContain(remark.id)
  })

  it('in a later quick run, when the deletion is older than its since', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: [announced, pushed, bug] }), bench.scripted()])
    await bench.catchup(source, target)
    const fresh = comment(bug, carol, { createdAt: nowSeconds() })
    const gone = deletion({ ids: [fresh.id] }, carol, { createdAt: START })
    target.events.set(gone.id, gone)
    await source.seed([fresh])
    await bench.catchup(source, target)
    expect(target.countSends(fresh.id)).toBe(0)
  })

  it('and the next run agrees: a second one sends nothing', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, gone] }), bench.real()])
    await bench.catchup(source, target)
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, report.totals.published]).toEqual([0, 0])
  })
})

describe('--deletions skip', () => {
  it('neither copies nor applies them, and moves no checkpoint', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, gone] }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--deletions', 'skip')
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.layers[2]?.dropped).toEqual({ 'deletion skipped': 1 })
    expect([code, bench.checkpoints()]).toEqual([0, []])
  })

  it('leaves a checkpoint of earlier runs as it was', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    bench.letPass(60)
    const before = bench.checkpoints()
    await bench.catchup(source, target, '--deletions', 'skip')
    expect(bench.checkpoints()).toEqual(before)
  })
})

describe('what is left out', () => {
  it('are events that have expired; those that will are copied', async () => {
    const bench = createWorkbench()
    const stale = comment(bug, carol, { createdAt: START + 700, tags: [['expiration', String(START + 800)]] })
    const fresh = comment(bug, carol, { createdAt: START + 710, tags: [['expiration', String(nowSeconds() + 86_400)]] })
    const source = await bench.scripted({ events: [...mine.events, stale, fresh] })
    const target = await bench.real()
    const { report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, fresh]))
    expect(report.layers[2]?.dropped).toEqual({ expired: 1 })
  })

  it('are ephemeral events', async () => {
    const bench = createWorkbench()
    const ephemeral = signEvent(carol, { kind: 20_001, created_at: LATER, tags: [['a', mine.address]], content: '' })
    const source = await bench.scripted({ events: [...mine.events, ephemeral] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target)
    expect(target.countSends(ephemeral.id)).toBe(0)
    expect(report.layers[1]?.dropped).toEqual({ ephemeral: 1 })
    expect(code).toBe(0)
  })

  it('are events of the GRASP audit, whatever their kind', async () => {
    const bench = createWorkbench()
    const tags = [['t', 'grasp-audit-test-event']]
    const audit = [
      announcement(dave, 'audit', { createdAt: START, tags }),
      state(alice, 'hello', { createdAt: LATER, tags }),
      issue(mine.address, dave, { createdAt: LATER, tags }),
      comment(bug, dave, { createdAt: LATER, tags }),
    ]
    const [source, target] = await Promise.all([bench.scripted({ events: [...mine.events, ...audit] }), bench.real()])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.layers.map(({ dropped }) => dropped['audit'])).toEqual([1, 2, 1])
    expect(code).toBe(0)
  })
})
