import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { reconcile, type Reconciled, type ReconcileOptions } from '../../src/relay/negentropy/bridge.ts'
import { LocalResponder } from '../../src/relay/negentropy/local-responder.ts'
import { decodeMessage, encodeMessage, END, type Range } from '../../src/relay/negentropy/negentropy-message.ts'
import type { Responder } from '../../src/relay/negentropy/responder.ts'
import { idOf, idsWithout, makeItems, toIdSet, type IdItem } from '../support/id-items.ts'
import { createReference, createRemote, overTheWire, type Answerer } from '../support/test-responders.ts'

type Found = { readonly result: Reconciled; readonly missing: string[]; readonly extra: string[] }

/** Compares two responders and collects what is found, sorted. */
async function compare(
  source: Responder,
  target: Responder,
  options: Partial<ReconcileOptions> & { readonly both?: boolean } = {},
): Promise<Found> {
  const missing: string[] = []
  const extra: string[] = []
  const { both = false, ...rest } = options
  const result = await reconcile({
    source,
    target,
    onMissing: async (ids) => void missing.push(...ids),
    ...(both && { onExtra: async (ids) => void extra.push(...ids) }),
    ...rest,
  })
  return { result, missing: missing.sort(), extra: extra.sort() }
}

const reference = (items: readonly IdItem[], frameLimit?: number) => createRemote(createReference(items, frameLimit))
const local = (items: readonly IdItem[]) => new LocalResponder(toIdSet(items))
/** A remote relay with our own responder: as fast as that, with times that the reference cannot read. */
const wired = (items: readonly IdItem[]) => createRemote(overTheWire(local(items)))

/** Two sets out of one universe: few or many, in few or many seconds, with blocks that one side lacks. */
const sets = fc
  .record({
    size: fc.oneof(fc.constantFrom(0, 1, 2, 31, 32, 33, 64, 1_000), fc.nat(400)),
    perSecond: fc.constantFrom(1, 2, 40, 5_000),
    lacking: fc.constantFrom('nothing', 'few', 'many', 'block', 'all'),
    extra: fc.constantFrom('nothing', 'few', 'many', 'block', 'all'),
    seed: fc.nat(1_000),
    frameLimit: fc.constantFrom(4_096, 8_192, 60_000),
  })
  .map(({ size, perSecond, lacking, extra, seed, frameLimit }) => {
    const universe = makeItems(size, { perSecond, first: seed * 10_000 })
    const source = universe.filter((_, index) => !isOut(extra, index, size, seed))
    const target = universe.filter((_, index) => !isOut(lacking, index, size, seed + 1))
    return { source, target, frameLimit }
  })

function isOut(how: 'nothing' | 'few' | 'many' | 'block' | 'all', index: number, size: number, seed: number): boolean {
  const chance = parseInt(idOf(`${seed} ${index}`).slice(0, 4), 16) / 0x10000
  const from = size * ((seed % 7) / 7)
  if (how === 'block') return index >= from && index < from + size / 3
  return chance < { nothing: 0, few: 0.02, many: 0.5, all: 1 }[how]
}

function expectDifference(
  { result, missing, extra }: Found,
  source: readonly IdItem[],
  target: readonly IdItem[],
): void {
  expect(result).toMatchObject({ type: 'done', missing: missing.length })
  expect(missing).toEqual(idsWithout(source, target))
  expect(extra).toEqual(idsWithout(target, source))
}

describe('reconcile', () => {
  it('finds exactly what the source has and the target has not, whatever the sets and the frame limits', async () => {
    const property = fc.asyncProperty(sets, sets, async ({ source, target, frameLimit }, { frameLimit: other }) => {
      const found = await compare(reference(source, frameLimit), reference(target, other))
      expectDifference({ ...found, extra: idsWithout(target, source) }, source, target)
    })
    await fc.assert(property, { numRuns: 60 })
  })

  it('finds the same without asking the source for a list', async () => {
    const property = fc.asyncProperty(sets, sets, async ({ source, target, frameLimit }, { frameLimit: other }) => {
      const found = await compare(reference(source, frameLimit), reference(target, other), { isThrifty: true })
      expectDifference({ ...found, extra: idsWithout(target, source) }, source, target)
    })
    await fc.assert(property, { numRuns: 60 })
  })

  it('is not sent a long list before it may stop, when it asks for none', async () => {
    const items = makeItems(20_000)
    const source = reference(items, 500_000)
    const few = reference(items.filter((_, index) => index % 1_000 === 0))
    const shouldStop = (_: number, bytes: number): string | undefined => (bytes > 20_000 ? 'too much' : undefined)
    const { result } = await compare(source, few, { isThrifty: true, shouldStop })
    expect(result).toMatchObject({ type: 'failed', kind: 'stopped' })
    expect(source.traffic.received).toBeLessThan(20_000)
  })

  it('finds what only the target has as well when that is wanted', async () => {
    const property = fc.asyncProperty(sets, sets, async ({ source, target, frameLimit }, { frameLimit: other }) => {
      const found = await compare(reference(source, frameLimit), reference(target, other), { both: true })
      expectDifference(found, source, target)
    })
    await fc.assert(property, { numRuns: 60 })
  })

  it('finds the same with a local set on either side or both', async () => {
    const property = fc.asyncProperty(sets, async ({ source, target, frameLimit }) => {
      const both = { both: true }
      expectDifference(await compare(local(source), reference(target, frameLimit), both), source, target)
      expectDifference(await compare(reference(source, frameLimit), local(target), both), source, target)
      expectDifference(await compare(local(source), local(target), both), source, target)
    })
    await fc.assert(property, { numRuns: 40 })
  })

  it('compares events of any time', async () => {
    const times = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER - 1]
    const items = times.flatMap((startAt, index) => makeItems(40, { first: index * 1_000, startAt, perSecond: 50 }))
    const target = items.filter((_, index) => index % 9 !== 0)
    expectDifference(await compare(wired(items), wired(target)), items, target)
  })

  it('needs one answer of each side when both have the same', async () => {
    const items = makeItems(10_000)
    const [source, target] = [reference(items), reference(items)]
    const { result } = await compare(source, target)
    expect(result).toMatchObject({ type: 'done', roundTrips: 2, listed: 0 })
    expect([source.messages.length, target.messages.length]).toEqual([1, 1])
  })

  it('costs next to nothing when both have the same 100,000', async () => {
    const items = makeItems(100_000)
    const [source, target] = [wired(items), wired(items)]
    await compare(source, target)
    const bytes = [source, target].map(({ traffic }) => traffic.sent + traffic.received)
    expect(bytes[0]).toBeLessThan(1_500)
    expect(bytes[1]).toBeLessThan(1_500)
  })

  it('lists little more than the difference when the newest are missing', async () => {
    const items = makeItems(100_000)
    const [source, target] = [wired(items), wired(items.slice(0, -100))]
    const { result, missing } = await compare(source, target)
    expect(missing).toHaveLength(100)
    expect(result.listed).toBeLessThan(250)
    expect(source.traffic.received + target.traffic.received).toBeLessThan(25_000)
  })

  it('does not list what the target has and the source has not', async () => {
    const items = makeItems(20_000)
    const [source, target] = [wired(items.slice(0, 5_000)), wired(items)]
    const { result, missing } = await compare(source, target)
    expect(missing).toEqual([])
    expect(result.listed).toBeLessThan(1_000)
    expect(target.traffic.received).toBeLessThan(20_000)
  })

  it('hands out missing ids in pieces and waits for each', async () => {
    const source = reference(makeItems(10_000), 4_096)
    let [pieces, busy] = [0, 0]
    const onMissing = async (ids: readonly string[]): Promise<void> => {
      expect(busy).toBe(0)
      expect(ids.length).toBeLessThan(200)
      const before = source.messages.length
      busy += 1
      await new Promise((resolve) => setTimeout(resolve, 1))
      busy -= 1
      pieces += 1
      expect(source.messages).toHaveLength(before)
    }
    const { result } = await compare(source, reference([]), { onMissing })
    expect(result).toMatchObject({ type: 'done', missing: 10_000 })
    expect(pieces).toBeGreaterThan(50)
  })

  it('finds the same when the last list just fills its frame', async () => {
    for (let count = 110; count < 140; count += 1) {
      const items = makeItems(count)
      expect((await compare(reference(items, 4_096), reference([]))).missing).toEqual(idsWithout(items, []))
    }
  })

  it('keeps its messages within what each side takes', async () => {
    const items = makeItems(3_000, { perSecond: 1_000 })
    const source = createRemote(createReference(items.filter((_, index) => index % 3 !== 0)), 4_000)
    const target = createRemote(createReference(items.filter((_, index) => index % 5 !== 0)))
    const { result } = await compare(source, target, { both: true })
    expect(result.type).toBe('done')
    expect(Math.max(...source.messages.map((hex) => hex.length))).toBeLessThanOrEqual(4_000 - 96)
    expect(Math.max(...target.messages.map((hex) => hex.length))).toBeLessThanOrEqual(60_000)
  })

  it('does not believe the fingerprint that stands for what an answer had no room for', async () => {
    const middle = { timestamp: 5, id: '' }
    const [low, high, rest] = ['11', '22', '33'].map((byte) => byte.repeat(16)) as [string, string, string]
    const opening: Range[] = [
      { type: 'fingerprint', upper: middle, fingerprint: low },
      { type: 'fingerprint', upper: END, fingerprint: high },
    ]
    const source = answering((_, count) => (count === 1 ? opening : [{ type: 'ids', upper: middle, ids: [idOf(1)] }]))
    const asked: (readonly Range[])[] = []
    const target = answering((ranges, count) => {
      asked.push(ranges)
      if (count > 1) return []
      const listed: Range = { type: 'ids', upper: middle, ids: [idOf(2)] }
      return [listed, { type: 'fingerprint', upper: END, fingerprint: rest }]
    })
    const { result, missing } = await compare(source, target)
    expect(asked).toEqual([opening, [{ type: 'skip', upper: middle }, opening[1]]])
    expect(missing).toEqual([idOf(1)])
    expect(result.type).toBe('done')
  })
})

/** A responder that answers each message with these ranges, or this hex. */
function answering(answer: (ranges: readonly Range[], count: number) => readonly Range[] | string): Responder {
  let count = 0
  const answerer: Answerer = (hex) => {
    const answered = answer(decodeMessage(hex), (count += 1))
    return typeof answered === 'string' ? answered : encodeMessage(answered)
  }
  return createRemote(answerer)
}

describe('reconcile with a hostile side', () => {
  const items = makeItems(500)
  const honest = () => reference(items)
  const fingerprint = 'ab'.repeat(16)

  it.each([
    ['a message that is cut off', '610000', 'ends too early'],
    ['another version', '62', 'version 0x62'],
    ['nothing at all', '', 'ends too early'],
    ['bounds that go backwards', '610101ac000101ab00', 'backwards'],
    ['a huge number', '61' + 'ff'.repeat(20), '2^53'],
    ['an id twice', '6100000202' + idOf(1).repeat(2), 'an id twice'],
    ['that it has nothing to say', '61', 'answers nothing'],
    ['megabytes', '61' + '010000'.repeat(2_000_000), 'too long'],
  ])('fails as wrong when the source answers %s', async (_, hex, reason) => {
    const { result } = await compare(
      answering(() => hex),
      honest(),
    )
    expect(result).toMatchObject({ type: 'failed', kind: 'wrong', side: 'source' })
    expect(result.type === 'failed' && result.reason).toContain(reason)
  })

  it('fails as wrong when the target answers what was not asked', async () => {
    const target = answering(() => [{ type: 'ids', upper: END, ids: [idOf('x')] }])
    const { result } = await compare(honest(), target)
    expect(result).toMatchObject({
      type: 'failed',
      kind: 'wrong',
      side: 'target',
      reason: 'it answers what was not asked',
    })
  })

  it('fails as wrong when a side answers with what it was asked', async () => {
    const { result } = await compare(
      answering((ranges) => ranges),
      honest(),
    )
    expect(result).toMatchObject({ type: 'failed', kind: 'wrong', side: 'source', reason: 'it answers nothing' })
  })

  it('fails as wrong when a side does not list what it must', async () => {
    const target = answering(() => [{ type: 'ids', upper: END, ids: [] }])
    const source = answering((_, count) => (count === 1 ? [{ type: 'fingerprint', upper: END, fingerprint }] : []))
    const { result } = await compare(source, target)
    expect(result).toMatchObject({ type: 'failed', kind: 'wrong' })
  })

  it('fails as wrong when ranges are split without end', async () => {
    const split = (ranges: readonly Range[]): Range[] => {
      const [lower, upper] =
        ranges[0]?.type === 'skip' ? [ranges[0].upper, ranges[1]?.upper] : [undefined, ranges[0]?.upper]
      const middle = { timestamp: (lower?.timestamp ?? 0) + 1, id: '' }
      const skip: Range[] = lower === undefined ? [] : [{ type: 'skip', upper: lower }]
      return [
        ...skip,
        { type: 'fingerprint', upper: middle, fingerprint },
        { type: 'fingerprint', upper: upper ?? END, fingerprint },
      ]
    }
    const { result } = await compare(answering(split), answering(split))
    expect(result).toMatchObject({ type: 'failed', kind: 'wrong', reason: 'it splits ranges without end' })
  })

  it('ends after so many round trips', async () => {
    const { result } = await compare(reference(items), reference([]), { maxRoundTrips: 2 })
    expect(result).toMatchObject({ type: 'failed', kind: 'endless', reason: 'no end after 2 round trips' })
  })

  it('ends when it is told to', async () => {
    const { result } = await compare(reference(items), reference([]), {
      shouldStop: (bytes) => (bytes > 500 ? `${bytes} bytes are enough` : undefined),
    })
    expect(result).toMatchObject({ type: 'failed', kind: 'stopped' })
    expect(result.type === 'failed' && result.reason).toMatch(/^\d+ bytes are enough$/)
  })

  it.each(['source', 'target'] as const)(
    'survives anything that the %s may answer, from any message on',
    async (side) => {
      const property = fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(anyAnswer, { minLength: 1 }),
        async (from, garbage) => {
          const honestly = createReference(items.slice(0, 400))
          let count = 0
          const liar = createRemote((hex) => {
            count += 1
            return count < from ? honestly(hex) : (garbage[count % garbage.length] ?? '')
          })
          const pair = side === 'source' ? ([liar, honest()] as const) : ([honest(), liar] as const)
          const { result } = await compare(...pair, { maxRoundTrips: 50, both: from % 2 === 0 })
          expect(['done', 'failed']).toContain(result.type)
        },
      )
      await fc.assert(property, { numRuns: 100 })
    },
  )
})

/** Random bytes behind the version, or ranges that make sense one by one. */
const anyAnswer = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map((bytes) => '61' + Buffer.from(bytes).toString('hex')),
  fc
    .array(
      fc.record({
        seconds: fc.constantFrom(0, 1, 50, 300),
        type: fc.constantFrom('skip', 'fingerprint', 'ids', 'end'),
      }),
    )
    .map((steps) => {
      let timestamp = 1_700_000_000
      const ranges = steps.map(({ seconds, type }, index): Range => {
        const upper = type === 'end' ? END : { timestamp: (timestamp += seconds), id: '' }
        if (type === 'ids') return { type, upper, ids: [idOf(index), idOf(index + 1)] }
        return type === 'skip' ? { type, upper } : { type: 'fingerprint', upper, fingerprint: '12'.repeat(16) }
      })
      return encodeMessage(ranges)
    }),
)
