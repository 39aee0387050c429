import { describe, expect, it } from 'vitest'

import { comment, issue } from '../support/builders.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { readFixture } from '../support/make-signed-fixture.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { idsOf, nowSeconds, type Outcome } from '../support/workbench.ts'
import { FOREIGN_RELAYS, takes } from './support/foreign-relays.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { plainRelays } from './support/installation.ts'
import type { PlainRelayName } from './support/recipes.ts'

const FIXTURES = [...readFixture('nip34'), ...readFixture('signed'), ...readFixture('noise')]
const ALL = ['--scope', 'all'] as const
const relays = plainRelays()

/** Every relay, and the next one in the list to copy to. */
const NEIGHBOURS = relays.map((name, index) => [name, relays[(index + 1) % relays.length] ?? name] as const)

function takenBy(name: PlainRelayName) {
  return FIXTURES.filter((event) => takes(name, event, nowSeconds()))
}

function sent({ code, report }: Outcome): readonly [code: number | null, published: number] {
  return [code, report.totals.published]
}

describe.each(relays)('%s as the source', (name) => {
  it('gives all of the fixtures that belong to git, and later runs find nothing to send', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.foreign(name), bench.real()])
    await source.offer(takenBy(name))
    const first = await bench.catchup(source, target, ...ALL)
    const expected = expectedOfEverything(await source.events(), nowSeconds())
    expect(idsOf(target.events())).toEqual(idsOf(expected))
    expect(first.report).toMatchObject({
      complete: true,
      problems: [],
      totals: { accepted: expected.length, parked: 0 },
    })
    const runs = [
      first,
      await bench.catchup(source, target, ...ALL),
      await bench.catchup(source, target, ...ALL, '--full'),
    ]
    expect(runs.map(sent)).toEqual([
      [0, expected.length],
      [0, 0],
      [0, 0],
    ])
  })

  it('gives in a quick run what has come since, and in a full one what is dated earlier', async () => {
    const bench = createInteropBench()
    const { address, events, issue: root } = smallRepository()
    const [source, target] = await Promise.all([bench.foreign(name, { events }), bench.real()])
    await bench.catchup(source, target, ...ALL)
    const late = comment(root, bob, { content: 'signed long ago, sent now' })
    await source.seed([issue(address, bob, { createdAt: nowSeconds() - 30 }), late])
    const quick = await bench.catchup(source, target, ...ALL)
    bench.letPass(3_600)
    const full = await bench.catchup(source, target, ...ALL)
    expect([quick, full].map(sent)).toEqual([
      [0, 1],
      [0, 1],
    ])
    expect(full.report.layers.map(({ lateArrivals }) => lateArrivals)).toEqual([0, 0, 1])
    expect(target.events().map(({ id }) => id)).toContain(late.id)
  })
})

describe.each(relays)('%s as the target', (name) => {
  it('takes all of the fixtures that belong to git, and later runs send nothing', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.real({ events: FIXTURES }), bench.foreign(name)])
    const first = await bench.catchup(source, target, ...ALL)
    const wanted = expectedOfEverything(source.events(), nowSeconds())
    const accepted = wanted.filter((event) => takes(name, event, nowSeconds()))
    expect(idsOf(await target.events())).toEqual(idsOf(accepted))
    expect(first.report.targetSoftware).toBe(FOREIGN_RELAYS[name].software)
    const refused = wanted.length - accepted.length
    expect(first.report.totals).toMatchObject({ accepted: accepted.length, parked: 0, refused })
    expect(first.report.problems.map(({ what }) => what)).toEqual(refused === 0 ? [] : ['protected'])
    const runs = [
      first,
      await bench.catchup(source, target, ...ALL),
      await bench.catchup(source, target, ...ALL, '--full'),
    ]
    expect(runs.map(sent)).toEqual([
      [0, wanted.length],
      [0, 0],
      [0, 0],
    ])
  })

  it('is brought up to date after an outage, and check says so', async () => {
    const bench = createInteropBench()
    const { address, events, issue: root } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.foreign(name)])
    const check = () => bench.spawn(['check', '--source', source.url, '--target', target.url, ...ALL])
    await bench.catchup(source, target, ...ALL)
    await target.stop()
    const missed = [
      issue(address, bob, { createdAt: nowSeconds() - 60 }),
      comment(root, bob, { createdAt: nowSeconds() - 30 }),
    ]
    await source.seed(missed)
    const ends = ['--source', source.url, '--target', target.url]
    const away = await bench.spawn(['catchup', ...ends, ...ALL, '--retries', '0'])
    await target.restart()
    const before = await check()
    const back = await bench.catchup(source, target, ...ALL)
    const after = await check()
    const { restart } = FOREIGN_RELAYS[name]
    const lost = restart === 'overwrites' ? events.slice(-1) : []
    const held = [...events, ...missed].filter((event) => !lost.includes(event))
    expect(idsOf(await target.events())).toEqual(idsOf(held))
    const missing = restart === 'forgets' ? held.length : missed.length
    expect([away.code, before.code, sent(back), after.code]).toEqual([1, 5, [0, missing], lost.length > 0 ? 5 : 0])
  })
})

const overwriting = relays.filter((name) => FOREIGN_RELAYS[name].restart === 'overwrites')

describe.each(overwriting)('%s, which overwrites an event after a restart', (name) => {
  it('is found out by the next run', async () => {
    const bench = createInteropBench()
    const { address, events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.foreign(name)])
    await bench.catchup(source, target, ...ALL)
    await target.restart()
    await target.seed([issue(address, bob, { createdAt: nowSeconds() - 30 })])
    const { code, report } = await bench.catchup(source, target, ...ALL)
    expect(report.notes.join()).toContain('no longer serves 1 of the events that it held')
    // It takes the event for one that it has, and serves another one in its place.
    expect([code, report.complete]).toEqual([3, false])
  })
})

describe.each(NEIGHBOURS)('from %s to %s', (from, to) => {
  it('everything arrives once', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.foreign(from), bench.foreign(to)])
    await source.offer(takenBy(from))
    const first = await bench.catchup(source, target, ...ALL)
    const expected = expectedOfEverything(await source.events(), nowSeconds())
    const accepted = expected.filter((event) => takes(to, event, nowSeconds()))
    expect(idsOf(await target.events())).toEqual(idsOf(accepted))
    expect([first, await bench.catchup(source, target, ...ALL, '--full')].map(sent)).toEqual([
      [0, expected.length],
      [0, 0],
    ])
  })
})
