import { describe, expect, it } from 'vitest'

import { comment, issue } from '../support/builders.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { readFixture } from '../support/make-signed-fixture.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { FOREIGN_RELAYS, takes } from './support/foreign-relays.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { wantedRelays } from './support/recipes.ts'

const fixtures = [...readFixture('nip34'), ...readFixture('signed'), ...readFixture('noise')]

describe.each(wantedRelays())('%s as the source', (name) => {
  it('gives all of the fixtures that belong to git, and a second run finds nothing to send', async () => {
    const bench = createInteropBench()
    const source = await bench.foreign(name, { events: fixtures.filter((event) => takes(name, event)) })
    const target = await bench.real()
    const first = await bench.catchup(source, target, '--scope', 'all')
    const expected = expectedOfEverything(await source.events(), nowSeconds())
    expect(idsOf(target.events())).toEqual(idsOf(expected))
    expect(first.report).toMatchObject({ complete: true, totals: { accepted: expected.length, parked: 0, refused: 0 } })
    const second = await bench.catchup(source, target, '--scope', 'all')
    const full = await bench.catchup(source, target, '--scope', 'all', '--full')
    expect([first, second, full].map(({ code, report }) => [code, report.totals.published])).toEqual([
      [0, expected.length],
      [0, 0],
      [0, 0],
    ])
  })
})

describe.each(wantedRelays())('%s as the target', (name) => {
  it('takes all of the fixtures that belong to git, and a second run sends nothing', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.real({ events: fixtures }), bench.foreign(name)])
    const first = await bench.catchup(source, target, '--scope', 'all')
    const wanted = expectedOfEverything(source.events(), nowSeconds())
    const expected = wanted.filter((event) => takes(name, event))
    expect(idsOf(await target.events())).toEqual(idsOf(expected))
    expect(first.report.targetSoftware).toContain(FOREIGN_RELAYS[name].software ?? '')
    const second = await bench.catchup(source, target, '--scope', 'all')
    const full = await bench.catchup(source, target, '--scope', 'all', '--full')
    expect([first, second, full].map(({ code, report }) => [code, report.totals.published])).toEqual([
      [0, wanted.length],
      [0, 0],
      [0, 0],
    ])
  })

  it('is brought up to date after an outage', async () => {
    const bench = createInteropBench()
    const { address, events, issue: root } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.foreign(name)])
    await bench.catchup(source, target, '--scope', 'all')
    await target.stop()
    const missed = [
      issue(address, bob, { createdAt: nowSeconds() - 60 }),
      comment(root, bob, { createdAt: nowSeconds() - 30 }),
    ]
    await source.seed(missed)
    const away = await bench.run([
      'catchup',
      '--source',
      source.url,
      '--target',
      target.url,
      '--scope',
      'all',
      '--retries',
      '0',
    ])
    await target.restart()
    const back = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(await target.events())).toEqual(idsOf([...events, ...missed]))
    expect([away.code, back.code, back.report.totals.published]).toEqual([1, 0, missed.length])
  })
})
