import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { fingerprintOf } from '../../src/relay/negentropy/fingerprint.ts'
import { LocalResponder } from '../../src/relay/negentropy/local-responder.ts'
import { decodeMessage, encodeMessage, END, START, type Range } from '../../src/relay/negentropy/negentropy-message.ts'
import { NO_FINGERPRINT } from '../../src/relay/negentropy/negentropy-question.ts'
import { idOf, makeItems, toIdSet } from '../support/id-items.ts'
import { createReference, overTheWire } from '../support/test-responders.ts'

const everything: Range = { type: 'fingerprint', upper: END, fingerprint: NO_FINGERPRINT }
const listAll: Range = { type: 'ids', upper: END, ids: [] }

/** Questions about the first 2,000 seconds: any ranges, some of their fingerprints right. */
const questions = fc
  .array(
    fc.record({ length: fc.integer({ min: 1, max: 700 }), type: fc.constantFrom('skip', 'right', 'wrong', 'list') }),
    {
      maxLength: 12,
    },
  )
  .map((ranges) => {
    let seconds = 0
    return ranges.map(({ length, type }) => ({ from: seconds, to: (seconds += length), type }))
  })

describe('LocalResponder', () => {
  it('answers in the same bytes as the reference implementation', async () => {
    const property = fc.asyncProperty(
      fc.nat(1_500),
      fc.constantFrom(1, 3, 900),
      questions,
      async (size, perSecond, asked) => {
        const items = makeItems(size, { startAt: 0, perSecond })
        const ranges = asked.map(({ from, to, type }): Range => {
          const upper = { timestamp: to, id: '' }
          if (type === 'skip') return { type, upper }
          if (type === 'list') return { type: 'ids', upper, ids: [idOf(0)] }
          const ids = items.filter(({ createdAt }) => createdAt >= from && createdAt < to).map(({ id }) => id)
          return { type: 'fingerprint', upper, fingerprint: type === 'right' ? fingerprintOf(ids) : NO_FINGERPRINT }
        })
        const message = encodeMessage(ranges)
        const answer = await overTheWire(new LocalResponder(toIdSet(items)))(message)
        expect(answer).toBe(await createReference(items, 0)(message))
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  it('stops at 60 kB with a fingerprint of the rest', () => {
    const items = makeItems(5_000)
    const [listed, rest, ...more] = new LocalResponder(toIdSet(items)).answer([listAll])
    expect(more).toEqual([])
    expect(listed).toMatchObject({ type: 'ids', ids: items.slice(0, 1_875).map(({ id }) => id) })
    const fingerprint = fingerprintOf(items.slice(1_875).map(({ id }) => id))
    expect(rest).toEqual({ type: 'fingerprint', upper: END, fingerprint })
  })

  it('answers for the events of its window only, both ends included', () => {
    const items = makeItems(100, { startAt: 0 })
    const responder = new LocalResponder(toIdSet(items), { since: 10, until: 19 })
    const ids = items.slice(10, 20).map(({ id }) => id)
    expect(responder.answer([everything])).toEqual([{ type: 'ids', upper: END, ids }])
    expect(new LocalResponder(toIdSet(items), { since: 90 }).answer([everything])).toMatchObject([
      { ids: { length: 10 } },
    ])
    expect(new LocalResponder(toIdSet(items), { until: 4 }).answer([everything])).toMatchObject([
      { ids: { length: 5 } },
    ])
    expect(new LocalResponder(toIdSet(items), { since: 200 }).answer([everything])).toMatchObject([{ ids: [] }])
  })

  it('has an empty answer where all is equal', () => {
    const items = makeItems(100)
    const fingerprint = fingerprintOf(items.map(({ id }) => id))
    expect(new LocalResponder(toIdSet(items)).answer([{ ...everything, fingerprint }])).toEqual([])
  })
})

describe('IdSet', () => {
  it('holds what was added once, in order of time and id', () => {
    const items = makeItems(100_000, { perSecond: 3 })
    const shuffled = items.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const set = toIdSet([...shuffled, ...items.slice(0, 1_000)])
    const sorted = items.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    expect(set.size).toBe(100_000)
    const held = Array.from({ length: set.size }, (_, position) => ({
      createdAt: set.time(position),
      id: set.id(position),
    }))
    expect(held).toEqual(sorted)
  })

  it('knows the fingerprint of any stretch', () => {
    const items = makeItems(1_200)
    const set = toIdSet(items)
    const stretches: [number, number][] = [
      [0, 0],
      [0, 1_200],
      [255, 257],
      [256, 512],
      [1, 1_199],
      [1_200, 1_200],
    ]
    for (const [from, to] of stretches) {
      expect(set.fingerprint(from, to)).toBe(fingerprintOf(items.slice(from, to).map(({ id }) => id)))
    }
  })

  it('finds positions by time and by prefix', () => {
    const set = toIdSet([1, 5, 5, 9].map((createdAt, index) => ({ createdAt, id: `0${index}`.repeat(32) })))
    const bounds = [START, { timestamp: 5, id: '' }, { timestamp: 5, id: '02' }, { timestamp: 5, id: '03' }, END]
    expect(bounds.map((bound) => set.lowerBound(bound))).toEqual([0, 1, 2, 3, 4])
  })

  it('may be empty', () => {
    expect(new LocalResponder(toIdSet([])).answer([everything])).toEqual([{ type: 'ids', upper: END, ids: [] }])
  })

  it('has the fingerprint of nothing that the reference has', async () => {
    const empty = '61' + '000001' + fingerprintOf([])
    expect(decodeMessage(await createReference([])(empty))).toEqual([])
  })
})
