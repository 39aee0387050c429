import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import { comment, issue } from '../support/builders.ts'
import { createRandom, generateHistory } from '../support/generate.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

// 120 s apart: 930 events, two pages, are 31 hours.
const HISTORY = [
  ...generateHistory({ repositories: 10, rootsPerRepository: 13, commentsPerRoot: 5, spacingSeconds: 120 }),
]
const DAY = 86_400

/** What the target lacks, by name. The same seed leaves out the same events. */
const GAPS: Readonly<Record<string, (event: NostrEvent, index: number) => boolean>> = {
  'an empty target': () => true,
  'equal sets': () => false,
  'one missing event': (_event, index) => index === 777,
  '500 scattered missing events': scattered(500),
  'a contiguous day missing': ({ created_at }) => isWithin(created_at, (HISTORY[0]?.created_at ?? 0) + 3 * 3_600, DAY),
}

const PAIRS = [
  { source: true, target: true, name: 'NIP-77 at both ends' },
  { source: true, target: false, name: 'NIP-77 at the source only' },
  { source: false, target: true, name: 'NIP-77 at the target only' },
  { source: false, target: false, name: 'paging at both ends' },
]

function scattered(count: number): (event: NostrEvent) => boolean {
  const random = createRandom(7)
  const order = HISTORY.map(({ id }) => ({ id, key: random() })).sort((a, b) => a.key - b.key)
  const chosen = new Set(order.slice(0, count).map(({ id }) => id))
  return ({ id }) => chosen.has(id)
}

function isWithin(time: number, start: number, seconds: number): boolean {
  return time >= start && time < start + seconds
}

function comparisons({ sources }: Report): NonNullable<Report['sources'][number]['layers'][number]['reconcile']>[] {
  return sources.flatMap(({ layers }) => layers.flatMap(({ reconcile }) => reconcile ?? []))
}

describe.each(PAIRS)('a full pass with $name', ({ source: atSource, target: atTarget }) => {
  it.each(Object.keys(GAPS))('repairs %s', async (gap) => {
    const bench = createWorkbench()
    const isMissing = GAPS[gap] ?? (() => false)
    const missing = HISTORY.filter(isMissing)
    const held = HISTORY.filter((event, index) => !isMissing(event, index))
    const source = await bench.scripted({ events: HISTORY, negentropy: atSource, verify: false })
    const target = await bench.scripted({ events: held, negentropy: atTarget, verify: false })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events.values())).toEqual(idsOf(HISTORY))
    expect(report.totals).toMatchObject({ published: missing.length, accepted: missing.length, parked: 0 })
    expect(idsOf(target.received.events)).toEqual(idsOf(missing))
    const modes = new Set(report.sources[0]?.layers.map(({ mode }) => mode))
    expect(modes).toEqual(new Set([atSource ? 'reconcile' : 'full']))
    expect(code).toBe(0)
  })
})

/** Named authors: relays are then compared layer by layer, not as wholes. */
const NAMED = [...new Set(HISTORY.filter(({ kind }) => kind === 30617).map(({ pubkey }) => pubkey))].flatMap(
  (author) => ['--author', author],
)

describe('reconciling', () => {
  it('costs a fraction of the bytes of paging when nothing is missing, and says what it took', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, negentropy: true })
    const target = await bench.scripted({ events: HISTORY, negentropy: true })
    const received = async (...args: string[]): Promise<number> => {
      const { report } = await bench.catchup(source, target, ...NAMED, '--full', ...args)
      return report.sources[0]?.layers.reduce((sum, { bytes }) => sum + bytes, 0) ?? NaN
    }
    await bench.catchup(source, target, ...NAMED)
    const paged = await received('--no-reconcile')
    source.forgetReceived()
    const { report } = await bench.catchup(source, target, ...NAMED, '--full')
    expect(comparisons(report)).toHaveLength(3)
    for (const { roundTrips, missing, receivedFromSource, receivedFromTarget } of comparisons(report)) {
      expect(missing).toBe(0)
      expect(Math.min(roundTrips, receivedFromSource, receivedFromTarget)).toBeGreaterThan(0)
    }
    expect(await received()).toBeLessThan(paged * 0.1)
    expect(source.received.negs.length).toBeGreaterThan(0)
  })

  it('is never tried with --no-reconcile', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const source = await bench.scripted({ events, negentropy: true })
    const target = await bench.scripted({ negentropy: true })
    await bench.catchup(source, target, '--scope', 'all', '--no-reconcile')
    expect([...source.received.negs, ...target.received.negs]).toEqual([])
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
  })

  it('falls back to paging at once when a relay refuses it', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const source = await bench.scripted({ events })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(source.received.negs).toHaveLength(1)
    expect(report.sources[0]?.layers.map(({ mode, reconcile }) => [mode, reconcile])).toEqual([
      ['full', null],
      ['full', null],
      ['full', null],
    ])
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })

  it('goes on in halves of the time when a relay compares only so many events at once', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, negentropy: true, negentropyMax: 300, verify: false })
    const target = await bench.scripted({ events: HISTORY.slice(0, 1_500), negentropy: true, verify: false })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events.values())).toEqual(idsOf(HISTORY))
    expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['reconcile', 'reconcile', 'reconcile'])
    expect(code).toBe(0)
  })

  it('is not complete while a source lists events by NIP-77 that it never serves', async () => {
    const bench = createWorkbench()
    const { events, comment: hidden } = smallRepository()
    const source = await bench.scripted({ events, negentropy: true, hides: ({ id }) => id === hidden.id })
    const target = await bench.scripted({ negentropy: true })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(report.sources[0]?.layers.at(-1)).toMatchObject({ end: 'incomplete' })
    expect(report.sources[0]?.layers.at(-1)?.reason).toContain('listed by NIP-77 but not served')
    expect(code).toBe(3)
  })

  it('finds anchors that only the target knows: comments on an issue that the source holds without the issue', async () => {
    const bench = createWorkbench()
    const { events, address } = smallRepository()
    const late = issue(address, bob, { content: 'only here' })
    const answer = comment(late, alice)
    const source = await bench.scripted({ events: [...events, answer], negentropy: true })
    const target = await bench.scripted({ events, negentropy: true })
    await bench.catchup(source, target, '--scope', 'all')
    target.events.set(late.id, late)
    const { code } = await bench.catchup(source, target, '--scope', 'all', '--full')
    expect(target.events.has(answer.id)).toBe(true)
    expect(code).toBe(0)
  })
})

describe('an event with an old created_at that reaches the source after the last run', () => {
  it.each([[true], [false]])(
    'is missed by a quick run, and a late arrival of the full one (NIP-77: %s)',
    async (negentropy) => {
      const bench = createWorkbench()
      const { events, issue: root } = smallRepository()
      const source = await bench.scripted({ events, negentropy })
      const target = await bench.scripted({ negentropy })
      await bench.catchup(source, target, '--scope', 'all')
      const late = comment(root, bob, { content: 'signed long ago' })
      source.events.set(late.id, late)
      const quick = await bench.catchup(source, target, '--scope', 'all')
      expect([quick.code, target.events.has(late.id), quick.report.range.completeSince]).toEqual([
        0,
        false,
        expect.any(Number),
      ])
      const full = await bench.catchup(source, target, '--scope', 'all', '--full')
      expect([full.code, target.events.has(late.id)]).toEqual([0, true])
      expect(full.report.layers.map(({ lateArrivals }) => lateArrivals)).toEqual([0, 0, 1])
    },
  )
})
