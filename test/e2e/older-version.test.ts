import { describe, expect, it } from 'vitest'

import { announcement, deletion, graspList, issue, repositoryAddress, state } from '../support/builders.ts'
import { alice, bob } from '../support/scenes.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const SERVICE = { clone: ['https://git.example.com/x.git'], relays: ['wss://git.example.com'] }
const LISTED = ['--scope', 'listed', '--service', 'wss://git.example.com']
const address = repositoryAddress(alice, 'hello')

const older = announcement(alice, 'hello', { createdAt: START })
const newer = announcement(alice, 'hello', { createdAt: START + 100 })
const gone = deletion({ ids: [newer.id] }, alice, { createdAt: START + 200 })

const pairs = {
  'an announcement': [older, newer],
  'a state': [state(alice, 'hello', { createdAt: START }), state(alice, 'hello', { createdAt: START + 100 })],
  'a grasp list': [
    graspList(alice, ['wss://a.example'], { createdAt: START }),
    graspList(alice, ['wss://b.example'], { createdAt: START + 100 }),
  ],
} as const

describe('where an author deleted the newest version by its id', () => {
  for (const [what, [first, second]] of Object.entries(pairs)) {
    const others = what === 'an announcement' ? [] : [older]
    const deleted = deletion({ ids: [second.id] }, alice, { createdAt: START + 200 })

    for (const order of ['first', 'last'] as const) {
      it(`the older one of ${what} is copied, with the source that obeyed ${order} (no false green #27)`, async () => {
        const bench = createWorkbench()
        const obeyed = await bench.scripted({ events: [...others, first, deleted] })
        const missed = await bench.scripted({ events: [...others, second] })
        const target = await bench.real()
        const sources = order === 'first' ? [obeyed, missed] : [missed, obeyed]
        const { code } = await bench.catchup(sources, target)
        expect(idsOf(target.events())).toEqual(idsOf([...others, first]))
        expect(code).toBe(0)
        const again = await bench.catchup(sources, target, '--full')
        expect([again.code, again.report.totals.published]).toEqual([0, 0])
      })
    }
  }

  it('`check` says that the older one is missing (no false green #27)', async () => {
    const bench = createWorkbench()
    const [obeyed, missed] = [
      await bench.scripted({ events: [older, gone] }),
      await bench.scripted({ events: [newer] }),
    ]
    const target = await bench.real()
    const ends = ['--source', obeyed.url, '--source', missed.url, '--target', target.url]
    const { code } = await bench.run(['check', '--json', ...ends])
    expect(code).toBe(5)
  })

  it('the older one is copied when only the target knows of the deletion (no false green #27)', async () => {
    const bench = createWorkbench()
    const sources = [await bench.scripted({ events: [older] }), await bench.scripted({ events: [newer] })]
    const target = await bench.real({ events: [gone] })
    const { code } = await bench.catchup(sources, target)
    expect(idsOf(target.events())).toEqual(idsOf([older, gone]))
    expect(code).toBe(0)
  })

  it('the one before is taken when the older one was deleted as well (no false green #27)', async () => {
    const bench = createWorkbench()
    const middle = announcement(alice, 'hello', { createdAt: START + 50 })
    const both = deletion({ ids: [middle.id, newer.id] }, alice, { createdAt: START + 200 })
    const file = bench.file('all.jsonl', [older, middle, newer, both])
    const target = await bench.real()
    const { code } = await bench.catchup(file, target)
    expect(idsOf(target.events())).toEqual([older.id])
    expect(code).toBe(0)
  })

  it('an address deleted between the two loses the older one only (no false green #27)', async () => {
    const bench = createWorkbench()
    const between = deletion({ addresses: [address] }, alice, { createdAt: START + 50 })
    const sources = [await bench.scripted({ events: [older] }), await bench.scripted({ events: [newer, between] })]
    const target = await bench.real()
    const { code } = await bench.catchup(sources, target)
    expect(idsOf(target.events())).toEqual(idsOf([newer, between]))
    expect(code).toBe(0)
  })

  it('a target that missed the deletion gets it, and the older one after it (no false green #27)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [older, gone] })
    const target = await bench.real({ events: [newer] })
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([older, gone]))
    expect(code).toBe(0)
    const again = await bench.catchup(source, target, '--full')
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
  })

  it('a target that keeps both is left alone (no false green #27)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [older, gone] })
    const target = await bench.scripted({ events: [newer, gone] })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.published]).toEqual([0, 0])
  })

  it('what was parked gives way to the older one, which an earlier run had read (no false green #27)', async () => {
    const bench = createWorkbench()
    const [obeyed, missed] = [await bench.scripted({ events: [older] }), await bench.scripted({ events: [newer] })]
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'error: try later' }) })
    await bench.catchup([obeyed, missed], target)
    obeyed.events.set(gone.id, gone)
    delete target.behaviour.onEvent
    const { code } = await bench.catchup([obeyed, missed], target)
    expect(idsOf(target.events.values())).toEqual([older.id])
    expect(code).toBe(0)
  })

  it('what was refused for good gives way to the older one (no false green #27)', async () => {
    const bench = createWorkbench()
    const [obeyed, missed] = [await bench.scripted({ events: [older] }), await bench.scripted({ events: [newer] })]
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'invalid: no' }) })
    await bench.catchup([obeyed, missed], target)
    obeyed.events.set(gone.id, gone)
    delete target.behaviour.onEvent
    const { code } = await bench.catchup([obeyed, missed], target, '--full')
    expect(idsOf(target.events.values())).toEqual([older.id])
    expect(code).toBe(0)
  })
})

describe('where a target follows no deletions', () => {
  it('the older one is sent once and remembered as superseded (no false green #27)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [older, gone] })
    const target = await bench.scripted({ events: [newer], deletions: false })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.published]).toEqual([0, 2])
    const again = await bench.catchup(source, target, '--full')
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
  })
})

describe('where the newest version has expired', () => {
  it('the older one is copied past what the target still serves (no false green #27)', async () => {
    const bench = createWorkbench()
    const tags = [['expiration', String(START + 1_000)]]
    const stale = announcement(alice, 'hello', { createdAt: START + 100, tags })
    const source = await bench.scripted({ events: [older] })
    const target = await bench.scripted({ events: [stale] })
    const { code } = await bench.catchup(source, target)
    expect(target.countSends(older.id)).toBe(1)
    expect(code).toBe(0)
    const again = await bench.catchup(source, target, '--full')
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
    target.events.delete(stale.id)
    await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual([older.id])
  })
})

describe('where a target serves nothing at an address any more, as far as it can be seen', () => {
  it('the older one is not sent while a page brings only what was not asked for (no false green #37)', async () => {
    const bench = createWorkbench()
    const stale = announcement(alice, 'hello', {
      createdAt: START + 100,
      tags: [['expiration', String(START + 1_000)]],
    })
    const unasked = announcement(bob, 'another', { createdAt: START })
    const source = await bench.scripted({ events: [older] })
    const target = await bench.scripted({ events: [stale] })
    expect((await bench.catchup(source, target)).code).toBe(0)
    target.events.delete(stale.id)
    target.behaviour.onReq = ({ filters: [filter], answer }) =>
      filter?.['#d']?.includes('hello') === true ? { ...answer, rows: [unasked] } : answer
    await bench.catchup(source, target)
    expect(target.countSends(older.id)).toBe(1)
    delete target.behaviour.onReq
    await bench.catchup(source, target)
    expect(target.countSends(older.id)).toBe(2)
  })
})

describe('scope and membership are decided by the newest living announcement', () => {
  it('a deleted one that left the service takes nothing out (no false green #27)', async () => {
    const bench = createWorkbench()
    const home = announcement(alice, 'hello', { createdAt: START, ...SERVICE })
    const away = announcement(alice, 'hello', { createdAt: START + 100 })
    const taken = deletion({ ids: [away.id] }, alice, { createdAt: START + 200 })
    const bug = issue(address, bob, { createdAt: START + 10 })
    const obeyed = await bench.scripted({ events: [home, bug, taken] })
    const missed = await bench.scripted({ events: [away] })
    const target = await bench.real()
    const { code } = await bench.catchup([obeyed, missed], target, ...LISTED)
    expect(idsOf(target.events())).toEqual(idsOf([home, bug]))
    expect(code).toBe(0)
  })

  it('a deleted one that came to the service brings nothing in (no false green #27)', async () => {
    const bench = createWorkbench()
    const other = announcement(bob, 'other', { createdAt: START, ...SERVICE })
    const away = announcement(alice, 'hello', { createdAt: START })
    const home = announcement(alice, 'hello', { createdAt: START + 100, ...SERVICE })
    const taken = deletion({ ids: [home.id] }, alice, { createdAt: START + 200 })
    const obeyed = await bench.scripted({ events: [other, away, issue(address, bob), taken] })
    const missed = await bench.scripted({ events: [home] })
    const target = await bench.real()
    const { code } = await bench.catchup([obeyed, missed], target, ...LISTED)
    expect(idsOf(target.events())).toEqual([other.id])
    expect(code).toBe(0)
  })

  it('a deleted one that dropped a maintainer drops nobody (no false green #27)', async () => {
    const bench = createWorkbench()
    const shared = announcement(alice, 'hello', { createdAt: START, ...SERVICE, maintainers: [bob] })
    const alone = announcement(alice, 'hello', { createdAt: START + 100, ...SERVICE })
    const accepted = announcement(bob, 'hello', { createdAt: START + 20, ...SERVICE, maintainers: [alice] })
    const pushed = state(bob, 'hello', { createdAt: START + 30 })
    const taken = deletion({ ids: [alone.id] }, alice, { createdAt: START + 200 })
    const obeyed = await bench.scripted({ events: [shared, accepted, pushed, taken] })
    const missed = await bench.scripted({ events: [alone] })
    const target = await bench.real()
    await bench.catchup([obeyed, missed], target, '--repo', address)
    expect(idsOf(target.events())).toEqual(idsOf([shared, accepted, pushed]))
  })

  it('the older one decides in later quick runs as well (no false green #27)', async () => {
    const bench = createWorkbench()
    const home = announcement(alice, 'hello', { createdAt: START, ...SERVICE })
    const away = announcement(alice, 'hello', { createdAt: START + 100 })
    const taken = deletion({ ids: [away.id] }, alice, { createdAt: START + 200 })
    const obeyed = await bench.scripted({ events: [home, taken] })
    const missed = await bench.scripted({ events: [away] })
    const target = await bench.real()
    await bench.catchup([obeyed, missed], target, ...LISTED)
    const bug = issue(address, bob, { createdAt: nowSeconds() })
    obeyed.events.set(bug.id, bug)
    const { code } = await bench.catchup([obeyed, missed], target, ...LISTED)
    expect(idsOf(target.events())).toEqual(idsOf([home, bug]))
    expect(code).toBe(0)
  })
})
