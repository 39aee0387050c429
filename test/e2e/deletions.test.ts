import { describe, expect, it } from 'vitest'

import { announcement, deletion, issue } from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const LATER = START + 100_000
const mine = smallRepository({ startAt: START })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]

describe('a deletion by id', () => {
  it('of the same author keeps the event from the target, and is itself copied', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, gone] }), bench.real()])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, pushed, remark, gone]))
    expect(report.layers[1]?.dropped).toMatchObject({ deleted: 1 })
    expect(code).toBe(0)
  })

  it('takes the event from a target that holds it', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const [source, target] = await Promise.all([
      bench.real({ events: [...mine.events, gone] }),
      bench.real({ events: mine.events }),
    ])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, pushed, remark, gone]))
    expect(code).toBe(0)
  })

  it('is sent last, after everything else', async () => {
    const bench = createWorkbench()
    const other = issue(mine.address, carol, { createdAt: START + 700 })
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: START - 5_000 })
    const source = await bench.real({ events: [...mine.events, other, gone] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    expect(target.received.events.map(({ kind }) => kind)).toEqual([30617, 30618, 1621, 1111, 5])
  })

  it('by another author is ignored and not copied, but counted', async () => {
    const bench = createWorkbench()
    const attack = deletion({ ids: [bug.id] }, dave, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, attack] }), bench.real()])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.layers[2]?.dropped).toEqual({ 'deletion of others': 1 })
    expect(code).toBe(0)
  })

  it('by another author is not copied by a quick run either, which does not read the event again', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    await source.seed([deletion({ ids: [bug.id] }, dave, { createdAt: nowSeconds() })])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.layers[2]?.dropped).toEqual({ 'deletion of others': 1 })
    expect(code).toBe(0)
  })

  it('of the same author is copied by a quick run, which does not read the event again', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: nowSeconds() })
    await source.seed([gone])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, pushed, remark, gone]))
    expect(code).toBe(0)
  })

  it('with a forged signature deletes nothing', async () => {
    const bench = createWorkbench()
    const real = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const source = await bench.scripted({ events: [...mine.events, forge(real)] })
    const target = await bench.real()
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
  })

  it('is never itself deleted', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: LATER })
    const undo = deletion({ ids: [gone.id, bug.id] }, bob, { createdAt: LATER + 60 })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, gone, undo] }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, pushed, remark, gone, undo]))
  })

  it('of one of several targets of different authors deletes its own only', async () => {
    const bench = createWorkbench()
    const other = issue(mine.address, carol, { createdAt: START + 700 })
    const mixed = deletion({ ids: [bug.id, other.id] }, bob, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, other, mixed] }), bench.real()])
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([announced, pushed, remark, other, mixed]))
  })
})

describe('a deletion by address', () => {
  it('keeps what is as old from the target, and spares what is newer', async () => {
    const bench = createWorkbench()
    const address = `30618:${alice.pubkey}:hello`
    const newer = announcement(alice, 'hello', { createdAt: LATER + 60 })
    const gone = deletion({ addresses: [address, mine.address] }, alice, { createdAt: LATER })
    const [source, target] = await Promise.all([
      bench.real({ events: [newer, pushed, bug, remark, gone] }),
      bench.real({ events: [announced] }),
    ])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([newer, bug, remark, gone]))
    expect(code).toBe(0)
  })

  it('of a repository keeps its announcement and its states from the target', async () => {
    const bench = createWorkbench()
    const gone = deletion({ addresses: [mine.address] }, alice, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [announced, gone] }), bench.real()])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual([gone.id])
    expect(code).toBe(0)
  })

  it('of another author is ignored and not copied', async () => {
    const bench = createWorkbench()
    const attack = deletion({ addresses: [mine.address] }, dave, { createdAt: LATER })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, attack] }), bench.real()])
    const { report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.layers[1]?.dropped).toEqual({ 'deletion of others': 1 })
  })
})
