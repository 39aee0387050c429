import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { CopyTally } from '../src/check/copy-tally.ts'
import { isNewerVersion } from '../src/nostr/address.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const ENDS = 5

/** An event at some ends, by their numbers; `address`: one of few, so that versions meet. */
type Placed = {
  readonly event: NostrEvent
  readonly at: readonly number[]
  readonly address: string | undefined
  readonly repository: string | undefined
}

const anyPlaced: fc.Arbitrary<Placed> = fc
  .record({
    id: fc.integer({ min: 1, max: 2 ** 31 }),
    createdAt: fc.integer({ min: 1, max: 3 }),
    at: fc.uniqueArray(fc.integer({ min: 0, max: ENDS - 1 }), { minLength: 1 }),
    address: fc.option(fc.constantFrom('30618:a:x', '30618:a:y'), { nil: undefined }),
    repository: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  })
  .map(({ id, createdAt, at, address, repository }) => ({
    ...{ at, address, repository },
    event: {
      ...{ id: id.toString(16).padStart(64, '0'), pubkey: 'a'.repeat(64), created_at: createdAt, kind: 1 },
      ...{ tags: [], content: '', sig: '' },
    },
  }))
const anyPlaces = fc.uniqueArray(anyPlaced, { selector: ({ event }) => event.id, maxLength: 30 })

function isNewest({ event, address }: Placed, all: readonly Placed[]): boolean {
  return address === undefined || all.every((each) => each.address !== address || !isNewerVersion(each.event, event))
}

function ends(unread: readonly number[]) {
  return Array.from({ length: ENDS }, (_, number) => {
    return { url: `ws://${number}`, isTarget: number === 0, number, reason: unread.includes(number) ? 'idle' : null }
  })
}

describe('CopyTally over CopyTable', () => {
  it('counts what a naive count does, whatever was not read to its end', () => {
    const { state, db } = openTemporaryState()
    const anyUnread = fc.uniqueArray(fc.integer({ min: 0, max: ENDS - 1 }))
    fc.assert(
      fc.property(anyPlaces, anyUnread, fc.integer({ min: 1, max: ENDS }), (placed, unread, wanted) => {
        db.exec('DELETE FROM temp.copy')
        for (const { event, at, address, repository } of placed) {
          state.copies.add(event, { address, repository, counts: true })
          for (const end of [...at, ...at]) state.copies.hold([event.id], end)
        }
        const tally = new CopyTally(wanted, ends(unread))
        for (const group of state.copies.groups()) tally.add(group)
        const found = tally.summarize()
        const counted = placed.filter((each) => isNewest(each, placed))
        const most = ({ at }: Placed): number => new Set([...at, ...unread]).size
        const scarce = counted.filter(({ at }) => at.length < wanted)
        const below = scarce.filter((each) => most(each) < wanted)
        expect([found.events, found.below, found.undecided]).toEqual([
          counted.length,
          below.length,
          scarce.length - below.length,
        ])
        expect(found.withoutRepository).toBe(counted.filter(({ repository }) => repository === undefined).length)
        expect(found.histogram.map(({ copies, events }) => [copies, events])).toEqual(
          Array.from({ length: ENDS }, (_, n) => [n + 1, counted.filter(({ at }) => at.length === n + 1).length]),
        )
        expect(found.ends.map(({ events }) => events)).toEqual(
          ends([]).map(({ number }) => counted.filter(({ at }) => at.includes(number)).length),
        )
        expect(found.ends.map(({ lacks }) => lacks)).toEqual(
          ends([]).map(({ number }) =>
            unread.includes(number) ? 0 : scarce.filter(({ at }) => !at.includes(number)).length,
          ),
        )
        for (const row of found.repositories) {
          const own = counted.filter(({ repository = null }) => repository === row.repository)
          expect([row.events, row.below + row.undecided]).toEqual([
            own.length,
            own.filter((each) => scarce.includes(each)).length,
          ])
          expect(row.fewest).toBe(Math.min(...own.map(({ at }) => at.length)))
        }
        expect(found.repositories).toHaveLength(new Set(scarce.map(({ repository }) => repository)).size)
        expect([...state.copies.scarce(wanted)]).toHaveLength(scarce.length)
      }),
      { numRuns: Number(process.env['COPIES_RUNS'] ?? 100) },
    )
  })

  it('lists the worst 10,000 repositories, and says how many more there are', () => {
    const tally = new CopyTally(2, ends([]))
    for (let number = 0; number < 25_000; number += 1) {
      const repository = String(number).padStart(6, '0')
      tally.add({ repository, at: [0], events: number === 24_000 ? 9 : 1, example: 'ab' })
      tally.add({ repository, at: [0, 1], events: 5, example: 'cd' })
    }
    const { repositories, repositoriesLeftOut, below } = tally.summarize()
    expect([repositories.length, repositoriesLeftOut, below]).toEqual([10_000, 15_000, 25_008])
    expect(repositories[0]).toMatchObject({ repository: '024000', below: 9, events: 14, fewest: 1, example: 'ab' })
  })

  it('has room for fifty ends', () => {
    const { state } = openTemporaryState()
    const event = {
      id: 'ab'.repeat(32),
      pubkey: 'a'.repeat(64),
      created_at: 1,
      kind: 1,
      tags: [],
      content: '',
      sig: '',
    }
    state.copies.add(event, { address: undefined, repository: undefined, counts: true })
    for (let end = 0; end < 50; end += 2) state.copies.hold([event.id], end)
    const where = Array.from({ length: 50 }, (_, end) => state.copies.isAt(event.id, end))
    expect(where).toEqual(where.map((_, end) => end % 2 === 0))
    expect([...state.copies.groups()].map(({ at }) => at)).toEqual([
      Array.from({ length: 25 }, (_, index) => 2 * index),
    ])
  })
})
