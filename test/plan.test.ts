import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { advanceCheckpoint } from '../src/checkpoint/advance.ts'
import { LAYERS, type Layer } from '../src/checkpoint/layers.ts'
import type { Filter } from '../src/nostr/filter.ts'
import {
  decideRead,
  planRequests,
  type Checkpoint,
  type PlannedAnchor,
  type PlannedRequest,
  type SincePolicy,
} from '../src/checkpoint/plan.ts'
import type { LayerName } from '../src/layer-name.ts'
import type { TargetState } from '../src/store/target-state.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const NOW = 1_750_000_000
const MINUTE = 60
const HOUR = 3_600
const SOURCE = 'ws://source.example'
const PUBKEYS = ['a', 'b', 'c'].map((digit) => digit.repeat(64))
const ROOTS = ['1', '2'].map((digit) => digit.repeat(64))

/** The defaults of the program, at `NOW`. */
function policyOf(changes: Partial<SincePolicy> = {}): SincePolicy {
  return {
    startedAt: NOW,
    quickWindowSeconds: 15 * MINUTE,
    fullEverySeconds: 24 * HOUR,
    overlapSeconds: 15 * MINUTE,
    full: false,
    since: undefined,
    until: undefined,
    windowOnly: false,
    ...changes,
  }
}

/** A checkpoint so many seconds old. */
function drained(ago: number, fullAgo = ago): Checkpoint {
  return { drainedAt: NOW - ago, fullAt: NOW - fullAgo }
}

function sinceOf(
  checkpoint: Checkpoint | undefined,
  changes: Partial<SincePolicy> = {},
  held = true,
): number | undefined {
  return decideRead({ anchor: 'all', checkpoint, held }, policyOf(changes)).since
}

function layerNamed(name: LayerName): Layer {
  const layer = LAYERS.find((each) => each.name === name)
  if (layer === undefined) throw new Error(`no layer ${name}`)
  return layer
}

type Limits = { readonly maxCount?: number; readonly maxBytes?: number }

function plan(name: LayerName, anchors: readonly PlannedAnchor[], changes = {}, limits: Limits = {}): PlannedRequest[] {
  return [...planRequests(layerNamed(name), anchors, policyOf(changes), { maxCount: 100, maxBytes: 48_000, ...limits })]
}

function filtersOf(name: LayerName, anchors: readonly string[], changes: Partial<SincePolicy> = {}): Filter[] {
  return plan(name, anchors.map(fresh), changes).map(({ filter }) => filter)
}

function fresh(anchor: string): PlannedAnchor {
  return { anchor, checkpoint: undefined, held: false }
}

describe('the since table', () => {
  it('reads everything of an anchor that was never drained here', () => {
    expect(decideRead(fresh('all'), policyOf())).toEqual({ mode: 'full', since: undefined, lateBefore: undefined })
  })

  it('reads everything of an anchor that was never drained here, held or not', () => {
    expect(sinceOf(undefined, {}, true)).toBeUndefined()
  })

  it('reads an anchor that was not drained last time from its old checkpoint', () => {
    expect(sinceOf(drained(10 * MINUTE))).toBe(NOW - 25 * MINUTE)
  })

  it('reads everything of an anchor whose debt is older than the quick window', () => {
    expect(sinceOf(drained(20 * MINUTE))).toBeUndefined()
  })

  it('reads since the last drain less the overlap when drained and full are recent', () => {
    expect(decideRead({ anchor: 'all', checkpoint: drained(MINUTE, 23 * HOUR), held: false }, policyOf())).toEqual({
      mode: 'since',
      since: NOW - 16 * MINUTE,
      lateBefore: undefined,
    })
  })

  it('takes the overlap of the operator', () => {
    expect(sinceOf(drained(MINUTE), { overlapSeconds: 5 * MINUTE })).toBe(NOW - 6 * MINUTE)
  })

  it.each([
    ['exactly the quick window ago', drained(15 * MINUTE), true],
    ['a second more', drained(15 * MINUTE + 1), false],
    ['in full exactly a day ago', drained(MINUTE, 24 * HOUR), true],
    ['in full a second more', drained(MINUTE, 24 * HOUR + 1), false],
    ['in this very second', drained(0), true],
  ])('drained %s: since is used %s', (_, checkpoint, isUsed) => {
    expect(sinceOf(checkpoint) !== undefined).toBe(isUsed)
  })

  it('reads everything when the last drain is longer ago than the quick window', () => {
    expect(sinceOf(drained(12 * HOUR))).toBeUndefined()
  })

  it('reads everything when the last full pass is longer ago than a day', () => {
    expect(sinceOf(drained(MINUTE, 25 * HOUR))).toBeUndefined()
  })

  it('takes the windows of the operator', () => {
    const windows = { quickWindowSeconds: HOUR, fullEverySeconds: 48 * HOUR }
    expect(sinceOf(drained(50 * MINUTE, 47 * HOUR), windows)).toBe(NOW - 65 * MINUTE)
  })

  it('never asks for a full pass with `--full-every never`', () => {
    expect(sinceOf(drained(MINUTE, 9_000 * HOUR), { fullEverySeconds: Infinity })).toBe(NOW - 16 * MINUTE)
  })

  it('reads everything with `--full`', () => {
    expect(sinceOf(drained(MINUTE), { full: true })).toBeUndefined()
  })

  it('reads since T with `--since T` what the target already holds', () => {
    const read = decideRead({ anchor: 'all', checkpoint: undefined, held: true }, policyOf({ since: 5 }))
    expect(read).toEqual({ mode: 'since', since: 5, lateBefore: undefined })
  })

  it('reads everything with `--since T` of what the target does not hold', () => {
    expect(sinceOf(undefined, { since: 5 }, false)).toBeUndefined()
  })

  it('lets `--since T` stand before a checkpoint', () => {
    expect(sinceOf(drained(MINUTE), { since: NOW - 10 })).toBe(NOW - 10)
  })

  it.each([
    ['drained', { drainedAt: NOW + 1, fullAt: NOW - 60 }],
    ['full', { drainedAt: NOW - 60, fullAt: NOW + 1 }],
  ])('counts a checkpoint whose %s time is in the future as never drained', (_, checkpoint) => {
    expect(decideRead({ anchor: 'all', checkpoint, held: true }, policyOf())).toEqual({
      mode: 'full',
      since: undefined,
      lateBefore: undefined,
    })
  })

  it('never asks for a negative time', () => {
    expect(sinceOf({ drainedAt: 30, fullAt: 30 }, { startedAt: 60 })).toBe(0)
  })

  it('knows what a full pass finds that `since` would have missed', () => {
    expect(decideRead({ anchor: 'all', checkpoint: drained(12 * HOUR), held: true }, policyOf()).lateBefore).toBe(
      NOW - 12 * HOUR - 15 * MINUTE,
    )
  })
})

describe('a since filter', () => {
  const time = fc.integer({ min: 0, max: NOW + 2 * HOUR })
  const checkpoint = fc.option(fc.record({ drainedAt: time, fullAt: time }), { nil: undefined })
  const anchors = fc.uniqueArray(
    fc.record({ anchor: fc.constantFrom(...ROOTS, ...PUBKEYS), checkpoint, held: fc.boolean() }),
    { selector: ({ anchor }) => anchor, minLength: 1 },
  )
  const policy = fc.record({
    full: fc.boolean(),
    quickWindowSeconds: fc.constantFrom(0, 15 * MINUTE, HOUR),
    fullEverySeconds: fc.constantFrom(HOUR, 24 * HOUR, Infinity),
    overlapSeconds: fc.constantFrom(0, 15 * MINUTE, HOUR),
    until: fc.option(time, { nil: undefined }),
  })

  it('never asks for less than what came after the last drain of any of its anchors', () => {
    fc.assert(
      fc.property(anchors, policy, (planned, changes) => {
        const known = new Map(planned.map((each) => [each.anchor, each.checkpoint]))
        for (const { filter, anchors: names } of plan('threads', planned, changes)) {
          for (const name of filter.since === undefined ? [] : names) {
            const { drainedAt = -1, fullAt = Infinity } = known.get(name) ?? {}
            expect(filter.since).toBeLessThanOrEqual(Math.max(0, drainedAt - changes.overlapSeconds))
            expect(Math.max(drainedAt, fullAt)).toBeLessThanOrEqual(NOW)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('covers each anchor in every variant exactly once', () => {
    fc.assert(
      fc.property(anchors, policy, fc.integer({ min: 1, max: 3 }), (planned, changes, maxCount) => {
        const requests = plan('threads', planned, changes, { maxCount })
        for (const tag of ['#e', '#E', '#q'] as const) {
          const asked = requests.flatMap(({ filter }) => filter[tag] ?? [])
          expect([...asked].sort()).toEqual(planned.map(({ anchor }) => anchor).sort())
        }
      }),
    )
  })
})

describe('the filters of a layer', () => {
  it('announcements of everything are all announcements and all grasp lists', () => {
    expect(filtersOf('announcements', ['all'])).toEqual([{ kinds: [30617] }, { kinds: [10317] }])
  })

  it('announcements of a service are all announcements', () => {
    expect(filtersOf('announcements', ['listed:git.example.com:443'])).toEqual([{ kinds: [30617] }])
  })

  it('announcements of authors, of maintainers and their grasp lists are asked by name', () => {
    const [a = '', b = '', c = ''] = PUBKEYS
    expect(
      filtersOf('announcements', [`author:${a}`, `30617:${b}:my:repo`, `30617:${b}:other`, `10317:${c}:`]),
    ).toEqual([
      { kinds: [30617], authors: [a] },
      { kinds: [30617], authors: [b], '#d': ['my:repo', 'other'] },
      { kinds: [10317], authors: [c] },
    ])
  })

  it('repositories are asked for states by author and identifier, and for what refers to them in #a, #A and #q', () => {
    const [a = '', b = ''] = PUBKEYS
    const address = `30617:${a}:repo`
    expect(filtersOf('repositories', [address, `30618:${a}:repo`, `30618:${b}:repo`])).toEqual([
      { kinds: [30618], authors: [a, b], '#d': ['repo'] },
      { '#a': [address] },
      { '#A': [address] },
      { '#q': [address] },
    ])
  })

  it('threads are asked for what refers to their roots in #e, #E and #q, of any kind', () => {
    expect(filtersOf('threads', ROOTS)).toEqual([{ '#e': ROOTS }, { '#E': ROOTS }, { '#q': ROOTS }])
  })

  it('carry `--until`', () => {
    expect(filtersOf('announcements', ['all'], { until: 77 }).map(({ until }) => until)).toEqual([77, 77])
  })

  it('are apart for anchors that are read differently', () => {
    const planned = [fresh('new'), { anchor: 'quick', checkpoint: drained(MINUTE), held: true }]
    const bySince = plan('threads', planned).map(({ anchors, filter }) => [anchors, filter.since])
    expect(bySince).toEqual([
      ...Array.from({ length: 3 }, () => [['new'], undefined]),
      ...Array.from({ length: 3 }, () => [['quick'], NOW - 16 * MINUTE]),
    ])
  })
})

describe('chunking', () => {
  const ids = Array.from({ length: 250 }, (_, index) => index.toString(16).padStart(64, '0'))

  it('puts at most 100 values into a tag', () => {
    const sizes = filtersOf('threads', ids).map((filter) => (filter['#e'] ?? filter['#E'] ?? filter['#q'] ?? []).length)
    expect(sizes).toEqual([100, 100, 50, 100, 100, 50, 100, 100, 50])
  })

  it('keeps the values of a filter below the bytes that the relay allows', () => {
    const requests = plan('threads', ids.map(fresh), {}, { maxBytes: 1_000 })
    for (const { filter } of requests) expect(Buffer.byteLength(JSON.stringify(filter))).toBeLessThan(1_020)
    expect(requests.flatMap(({ filter }) => filter['#e'] ?? [])).toEqual(ids)
  })

  it('counts long identifiers by their bytes', () => {
    const long = Array.from({ length: 4 }, (_, index) => `30617:${PUBKEYS[0]}:${'ü'.repeat(300)}${index}`)
    const sizes = plan('repositories', long.map(fresh), {}, { maxBytes: 1_500 }).map(({ anchors }) => anchors.length)
    expect(sizes).toEqual([2, 2, 2, 2, 2, 2])
  })

  it('names the anchors of each request', () => {
    const [first] = plan('threads', ids.map(fresh))
    expect(first).toMatchObject({ layer: 'threads', anchors: ids.slice(0, 100), mode: 'full' })
  })
})

describe('the window of a backfill', () => {
  const window = { windowOnly: true, since: 10, until: 20 }

  it('does not bound announcements: they are read to find anchors', () => {
    expect(filtersOf('announcements', ['all'], window)).toEqual([{ kinds: [30617] }, { kinds: [10317] }])
  })

  it('does not bound roots, but everything else that refers to a repository', () => {
    const address = `30617:${PUBKEYS[0]}:repo`
    const roots = { kinds: [1617, 1618, 1621] }
    const bounds = { since: 10, until: 20 }
    expect(filtersOf('repositories', [address, `30618:${PUBKEYS[0]}:repo`], window)).toEqual([
      { kinds: [30618], authors: [PUBKEYS[0]], '#d': ['repo'], ...bounds },
      ...(['#a', '#A', '#q'] as const).flatMap((tag) => [
        { [tag]: [address], ...roots },
        { [tag]: [address], ...bounds },
      ]),
    ])
  })

  it('bounds threads, but not the roots that only a thread leads to', () => {
    expect(filtersOf('threads', ROOTS, window)).toEqual(
      ['#e', '#E', '#q'].flatMap((tag) => [
        { [tag]: ROOTS, kinds: [1617, 1618, 1621] },
        { [tag]: ROOTS, since: 10, until: 20 },
      ]),
    )
  })

  it('may be open at either side', () => {
    expect(filtersOf('threads', ROOTS, { windowOnly: true, since: 10 })[1]).toEqual({ '#e': ROOTS, since: 10 })
    expect(filtersOf('threads', ROOTS, { windowOnly: true, until: 20 })[1]).toEqual({ '#e': ROOTS, until: 20 })
  })

  it('reads no checkpoint', () => {
    expect(sinceOf(drained(MINUTE), window)).toBeUndefined()
  })
})

describe('a row of the table is left behind', () => {
  const anchors = ['one', 'two']

  /** Plans both anchors in all variants and notes each filter as it ended. */
  function runAt(state: TargetState, startedAt: number, hasDrained: (request: PlannedRequest) => boolean): void {
    const planned = anchors.map((anchor) => ({
      anchor,
      checkpoint: state.checkpoints.load(SOURCE, 'threads', anchor),
      held: true,
    }))
    for (const request of plan('threads', planned, { startedAt }, { maxCount: 1 })) {
      state.checkpoints.plan(SOURCE, 'threads', request.anchors, request)
      state.checkpoints.note(SOURCE, 'threads', request.anchors, { drained: hasDrained(request), events: false })
    }
  }

  /** What the end of a run writes down. */
  function checkpoint(state: TargetState, startedAt: number): void {
    for (const read of state.checkpoints.reads(SOURCE)) {
      const after = advanceCheckpoint(read, read.before, { startedAt, overlapSeconds: 15 * MINUTE })
      if (after !== undefined) state.checkpoints.save(SOURCE, read.layer, read.anchor, { ...after, hadEvents: false })
    }
  }

  function coverageOf(state: TargetState): (number | undefined)[] {
    return anchors.map((anchor) => state.checkpoints.load(SOURCE, 'threads', anchor)?.drainedAt)
  }

  /** A complete run a minute ago, in a file that a later run opens. */
  function afterCompleteRun(): { file: string } {
    const { state, file } = openTemporaryState()
    runAt(state, NOW - MINUTE, () => true)
    checkpoint(state, NOW - MINUTE)
    return { file }
  }

  it('moves when every filter was drained', () => {
    const { state } = openTemporaryState(afterCompleteRun())
    runAt(state, NOW, () => true)
    checkpoint(state, NOW)
    expect(coverageOf(state)).toEqual([NOW, NOW])
  })

  it('stays for the anchor of which one filter ended idle, and only for that one', () => {
    const { state } = openTemporaryState(afterCompleteRun())
    runAt(state, NOW, ({ filter }) => filter['#E']?.[0] !== 'one')
    checkpoint(state, NOW)
    expect(coverageOf(state)).toEqual([NOW - MINUTE, NOW])
  })

  it('is a debt from the old checkpoint in the next run', () => {
    const { file } = afterCompleteRun()
    const second = openTemporaryState({ file }).state
    runAt(second, NOW, ({ filter }) => filter['#E']?.[0] !== 'one')
    checkpoint(second, NOW)
    const third = openTemporaryState({ file }).state
    const sinces = anchors.map((anchor) => sinceOf(third.checkpoints.load(SOURCE, 'threads', anchor)))
    expect(sinces).toEqual([NOW - 16 * MINUTE, NOW - 15 * MINUTE])
  })

  it('stays for all anchors of a source that failed', () => {
    const { state } = openTemporaryState(afterCompleteRun())
    runAt(state, NOW, () => true)
    state.checkpoints.noteAllOpen(SOURCE)
    checkpoint(state, NOW)
    expect(coverageOf(state)).toEqual([NOW - MINUTE, NOW - MINUTE])
  })

  it('stays when the run crashed before the checkpoint', () => {
    const { file } = afterCompleteRun()
    runAt(openTemporaryState({ file }).state, NOW, () => true)
    const { state } = openTemporaryState({ file })
    checkpoint(state, NOW)
    expect(coverageOf(state)).toEqual([NOW - MINUTE, NOW - MINUTE])
  })

  it('does not come to be when a first run crashed before the checkpoint', () => {
    const { state, file } = openTemporaryState()
    runAt(state, NOW, () => true)
    expect(coverageOf(openTemporaryState({ file }).state)).toEqual([undefined, undefined])
  })

  it('does not come to be for an anchor of which a filter was not drained', () => {
    const { state } = openTemporaryState()
    runAt(state, NOW, ({ filter }) => filter['#q']?.[0] !== 'two')
    checkpoint(state, NOW)
    expect(coverageOf(state)).toEqual([NOW, undefined])
  })
})
