import { describe, expect, it } from 'vitest'

import { addressOf } from '../../src/nostr/address.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, comment, issue, SOME_TIME, state } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { comparedAt, HISTORY, startAlikeRelays } from '../support/alike-relays.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { signEvent, type Key } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const REPOSITORY = firstOf(30617)
const AUTHORS = [...new Set(HISTORY.filter(({ kind }) => kind === 30617).map(({ pubkey }) => pubkey))]
const ROOT = firstOf(1621)
const FULL = ['--scope', 'all', '--full']

type Comparison = NonNullable<Report['sources'][number]['layers'][number]['reconcile']>

function askedFor({ received }: ScriptedRelay): Filter[] {
  return received.reqs.flatMap(({ filters }) => filters)
}

function idsAskedOf(relay: ScriptedRelay): string[] {
  return askedFor(relay).flatMap(({ ids = [] }) => ids)
}

function reply(tags: string[][], createdAt: number): NostrEvent {
  return signEvent(bob, { kind: 1111, created_at: createdAt, tags, content: 'a reply' })
}

function note(author: Key, createdAt: number): NostrEvent {
  return signEvent(author, { kind: 1, created_at: createdAt, tags: [], content: 'not about git' })
}

function isWhole(filter: unknown): boolean {
  return JSON.stringify(filter) === '{}'
}

function comparisons({ sources }: Report): Comparison[] {
  return sources.flatMap(({ layers }) => layers.flatMap(({ reconcile }) => reconcile ?? []))
}

function firstOf(kind: number): NostrEvent {
  const found = HISTORY.find((event) => event.kind === kind)
  if (found === undefined) throw new Error(`no event of kind ${kind} in the history`)
  return found
}

describe('a full pass over two relays that differ by little', () => {
  it('compares them as wholes and asks for no anchor', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const { code, report } = await bench.catchup(source, target, ...FULL)
    expect(code).toBe(0)
    expect(comparedAt(source)).toEqual([{}])
    expect(askedFor(source).filter((filter) => '#a' in filter || '#e' in filter)).toEqual([])
    expect(report.sources[0]?.layers.map(({ mode, end }) => [mode, end])).toEqual([
      ['reconcile', 'drained'],
      ['reconcile', 'drained'],
      ['reconcile', 'drained'],
    ])
  })

  it('has few events shown, whatever the relays hold', async () => {
    const { bench, source, target } = await startAlikeRelays()
    await bench.catchup(source, target, ...FULL)
    const ids = askedFor(target).flatMap((filter) => filter.ids ?? [])
    // Of the witnesses, the announcements (all of so few), the roots, and the sample of the source; the rest is listed.
    expect(ids.length).toBeLessThanOrEqual(6 + 20 + 6 + 6)
    // A sample of 40, and one below the bottom.
    const shown = askedFor(source).filter((filter) => Object.keys(filter).every((key) => /^(until|limit)$/.test(key)))
    expect(shown.flatMap(({ limit = 0 }) => (limit < 100 ? limit : [])).reduce((sum, limit) => sum + limit, 0)).toBe(41)
  })

  it('has all of the sample served where no checkpoint says that they were alike before', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const largest = (): number => Math.max(...askedFor(target).map(({ ids = [] }) => ids.length))
    await bench.catchup(source, target, ...FULL)
    const again = largest()
    target.forgetReceived()
    await createWorkbench().catchup(source, target, ...FULL)
    // The pages of so small a history may overlap.
    expect([again < 25, largest() >= 30]).toEqual([true, true])
  })

  it('brings what is missing of every layer, and what follows from it', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const root = issue(addressOf(REPOSITORY) ?? '', alice, { createdAt: 1_750_000_000 })
    const added = [root, comment(root, bob, { createdAt: 1_750_000_001 }), comment(ROOT, alice)]
    for (const event of added) source.events.set(event.id, event)
    const { code, report } = await bench.catchup(source, target, ...FULL)
    expect([code, report.totals.published]).toEqual([0, 3])
    expect(idsOf(target.events.values())).toEqual(idsOf([...HISTORY, ...added]))
    expect(comparedAt(source)).toEqual([{}])
  })

  it('fetches nothing twice, and asks the target about each event once', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const tags = ['e', 'E', 'q'].map((name) => [name, ROOT.id])
    const added = Array.from({ length: 30 }, (_, index) => reply(tags, 1_750_000_000 + index))
    for (const event of added) source.events.set(event.id, event)
    const { code, report } = await bench.catchup(source, target, ...FULL)
    expect([code, report.totals.published]).toEqual([0, 30])
    const newest = new Set(idsOf(added.slice(-20)))
    const [fetched, askedBefore] = [idsAskedOf(source), idsAskedOf(target)].map((ids) =>
      ids.filter((id) => added.some((event) => event.id === id)),
    )
    // The newest page of the sample has shown the others.
    expect(fetched?.filter((id) => newest.has(id))).toEqual([])
    expect(fetched).toHaveLength(10)
    // Once before they are sent; afterwards 16 are read back.
    expect(askedBefore).toHaveLength(30 + 16)
  })

  it('leaves out what no anchor of the scope leads to', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const stray = note(alice, 1_750_000_000)
    source.events.set(stray.id, stray)
    const { code, report } = await bench.catchup(source, target, ...FULL)
    expect([code, report.totals.fetched, target.received.events.length]).toEqual([0, 0, 0])
  })

  it('brings the state of a maintainer of whom only a discovered relay knows', async () => {
    const bench = createWorkbench()
    // Bob and Carol have announced it there only.
    const there = [
      announcement(bob, 'hello', { createdAt: SOME_TIME + 1, maintainers: [alice, carol] }),
      announcement(carol, 'hello', { createdAt: SOME_TIME + 2, maintainers: [bob] }),
    ]
    const discovered = await bench.scripted({ events: there, verify: false })
    const service = { relays: ['wss://git.example.com', discovered.url], clone: ['https://git.example.com/x.git'] }
    const common = [
      ...generateHistory({ repositories: 20, rootsPerRepository: 4, service: 'wss://git.example.com' }),
      announcement(alice, 'hello', { ...service, maintainers: [bob] }),
      announcement(carol, 'elsewhere', service),
      state(carol, 'elsewhere'),
    ]
    const known = state(carol, 'hello', { createdAt: SOME_TIME + 3 })
    const source = await bench.scripted({ events: [...common, known], negentropy: true, verify: false })
    const target = await bench.scripted({ events: common, negentropy: true, verify: false })
    const scope = ['--service', 'wss://git.example.com', '--scope', 'listed']
    const discover = ['--discover', '--discover-allow', 'private', '--discover-allow', 'insecure']
    const { report } = await bench.catchup(source, target, ...scope, ...discover)
    expect(comparedAt(source)).toContainEqual({})
    expect(report.sources.find(({ discovered: is }) => is)?.complete).toBe(true)
    expect(idsOf(target.events.values())).toEqual(idsOf([...common, ...there, known]))
  })

  it('counts what a since would have missed as late', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const old = comment(ROOT, alice, { createdAt: ROOT.created_at + 1 })
    source.events.set(old.id, old)
    const { report } = await bench.catchup(source, target, ...FULL)
    expect(report.layers.map(({ lateArrivals }) => lateArrivals)).toEqual([0, 0, 1])
  })

  it('says once what the comparison took', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const { report } = await bench.catchup(source, target, ...FULL)
    expect(comparisons(report).filter(({ roundTrips }) => roundTrips > 0)).toHaveLength(1)
  })

  it('moves the checkpoints of all anchors: the next run asks since then', async () => {
    const { bench, source, target } = await startAlikeRelays()
    await bench.catchup(source, target, ...FULL)
    const { report } = await bench.catchup(source, target, '--scope', 'all')
    expect(report.sources[0]?.layers.map(({ mode, anchors }) => [mode, anchors.full])).toEqual([
      ['since', 0],
      ['since', 0],
      ['since', 0],
    ])
  })

  it('lets check find the same difference', async () => {
    const lost = HISTORY.slice(-3)
    const { bench, source, target } = await startAlikeRelays()
    for (const { id } of lost) target.events.delete(id)
    const { code, json } = await bench.run(['check', '--json', ...endArguments(source, target), '--scope', 'all'])
    expect([code, json<Report>().check?.missing]).toEqual([5, 3])
    expect(comparedAt(source)).toEqual([{}])
  })
})

describe('two relays are read layer by layer', () => {
  it('when their difference costs more than that', async () => {
    const { bench, source, target } = await startAlikeRelays()
    const notes = Array.from({ length: 2_500 }, (_, index) => note(bob, 1_700_000_000 + 60 * index))
    for (const event of notes) source.events.set(event.id, event)
    const lost = HISTORY.slice(-2)
    for (const { id } of lost) target.events.delete(id)
    const { code, report } = await bench.catchup(source, target, ...FULL)
    expect([code, report.totals.published]).toEqual([0, 2])
    expect(askedFor(source).reduce((sum, { ids = [] }) => sum + ids.length, 0)).toBeLessThan(300)
    expect(comparedAt(source).filter((filter) => !isWhole(filter)).length).toBeGreaterThan(2)
  })

  it.each([
    ['--no-reconcile', ['--scope', 'all', '--no-reconcile']],
    ['--follow-ups', ['--scope', 'all', '--follow-ups']],
    ['authors who are named', AUTHORS.flatMap((author) => ['--author', author])],
  ])('with %s', async (_, args) => {
    const { bench, source, target } = await startAlikeRelays()
    const { code } = await bench.catchup(source, target, '--full', ...args)
    expect([code, comparedAt(source).filter(isWhole)]).toEqual([0, []])
  })
})
