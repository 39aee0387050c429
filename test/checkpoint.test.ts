import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { advanceCheckpoint, type AnchorRead } from '../src/checkpoint/advance.ts'
import type { Checkpoint } from '../src/checkpoint/plan.ts'

const run = { startedAt: 10_000, overlapSeconds: 900 }
const before: Checkpoint = { drainedAt: 9_000, fullAt: 5_000 }

function full(drained = true): AnchorRead {
  return { mode: 'full', since: undefined, drained }
}

function since(time: number, drained = true): AnchorRead {
  return { mode: 'since', since: time, drained }
}

describe('advanceCheckpoint', () => {
  it('creates checkpoint of both kinds at the start of a run that read everything', () => {
    expect(advanceCheckpoint(full(), undefined, run)).toEqual({ drainedAt: 10_000, fullAt: 10_000 })
  })

  it('moves both times after a full read', () => {
    expect(advanceCheckpoint(full(), before, run)).toEqual({ drainedAt: 10_000, fullAt: 10_000 })
  })

  it('moves only the last drain after a read since the last drain less the overlap', () => {
    expect(advanceCheckpoint(since(8_100), before, run)).toEqual({ drainedAt: 10_000, fullAt: 5_000 })
  })

  it.each([
    ['a full read', full(false)],
    ['a read since a time', since(8_100, false)],
  ])('keeps the old checkpoint when %s was not drained', (_, read) => {
    expect(advanceCheckpoint(read, before, run)).toBeUndefined()
  })

  it('creates nothing from a bounded read on top of nothing', () => {
    expect(advanceCheckpoint(since(0), undefined, run)).toBeUndefined()
  })

  it('keeps the old checkpoint when a later `--since` leaves a gap', () => {
    expect(advanceCheckpoint(since(8_101), before, run)).toBeUndefined()
  })

  it('moves when an earlier `--since` leaves no gap', () => {
    expect(advanceCheckpoint(since(100), before, run)).toEqual({ drainedAt: 10_000, fullAt: 5_000 })
  })

  it('moves when everything since 1970 was read on top of a checkpoint younger than the overlap', () => {
    const young = { drainedAt: 300, fullAt: 300 }
    expect(advanceCheckpoint(since(0), young, { startedAt: 400, overlapSeconds: 900 })?.drainedAt).toBe(400)
  })

  it('does not build on a checkpoint in the future', () => {
    expect(advanceCheckpoint(since(100), { drainedAt: 20_000, fullAt: 5_000 }, run)).toBeUndefined()
  })

  it('replaces a checkpoint in the future by a full read', () => {
    expect(advanceCheckpoint(full(), { drainedAt: 20_000, fullAt: 20_000 }, run)?.drainedAt).toBe(10_000)
  })

  it('never claims a time before which something was not read', () => {
    const time = fc.integer({ min: 0, max: 20_000 })
    const checkpoint = fc.option(fc.record({ drainedAt: time, fullAt: time }), { nil: undefined })
    const read = fc.oneof(
      fc.boolean().map((drained) => full(drained)),
      fc.tuple(time, fc.boolean()).map(([at, drained]) => since(at, drained)),
    )
    fc.assert(
      fc.property(read, checkpoint, (how, known) => {
        const after = advanceCheckpoint(how, known, run)
        if (after === undefined || how.mode === 'full') return
        expect(how.since ?? Infinity).toBeLessThanOrEqual(Math.max(0, (known?.drainedAt ?? -1) - run.overlapSeconds))
        expect(after.fullAt).toBe(known?.fullAt)
      }),
    )
  })
})
