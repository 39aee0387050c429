import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { buildHistogram } from '../src/check/histogram.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
/** 2025-11-20T00:00:00Z */
const MIDNIGHT = 1_763_596_800

/** Events counted by hour, in order of time, as the state file gives them. */
function tally(times: readonly number[]): { hour: number; events: number }[] {
  const hours = new Map<number, number>()
  for (const time of times) hours.set(time - (time % HOUR), (hours.get(time - (time % HOUR)) ?? 0) + 1)
  return [...hours].sort(([a], [b]) => a - b).map(([hour, events]) => ({ hour, events }))
}

function every(seconds: number, count: number, start = MIDNIGHT): number[] {
  return Array.from({ length: count }, (_, index) => start + index * seconds)
}

describe('buildHistogram', () => {
  it('has no bins without events', () => {
    expect(buildHistogram([])).toEqual([])
  })

  it('is one hour for one event', () => {
    expect(buildHistogram(tally([MIDNIGHT + 1_800]))).toEqual([{ from: MIDNIGHT, to: MIDNIGHT + HOUR - 1, missing: 1 }])
  })

  it('keeps empty bins in between', () => {
    const counts = buildHistogram(tally([MIDNIGHT, MIDNIGHT + 1, MIDNIGHT + 3 * HOUR])).map(({ missing }) => missing)
    expect(counts).toEqual([2, 0, 0, 1])
  })

  it.each([
    ['hours', every(HOUR, 40), HOUR, 40],
    ['six hours', every(HOUR, 100), 6 * HOUR, 17],
    ['days', every(DAY, 40), DAY, 40],
    ['weeks', every(DAY, 100), 7 * DAY, 15],
  ])('has bins of %s', (_what, times, width, length) => {
    const bins = buildHistogram(tally(times))
    expect(bins).toHaveLength(length)
    expect(new Set(bins.map(({ from, to }) => to - from + 1))).toEqual(new Set([width]))
  })

  it('is not blunted by an event of 1970 and one of the far future', () => {
    const bins = buildHistogram(tally([0, ...every(HOUR / 2, 40), Number.MAX_SAFE_INTEGER]))
    expect(bins).toHaveLength(22)
    expect(bins[0]).toEqual({ from: 0, to: MIDNIGHT - 1, missing: 1 })
    expect(bins[1]).toEqual({ from: MIDNIGHT, to: MIDNIGHT + HOUR - 1, missing: 2 })
    expect(bins.at(-1)).toEqual({ from: MIDNIGHT + 20 * HOUR, to: Number.MAX_SAFE_INTEGER, missing: 1 })
  })

  it('spans all there is when more than a tenth lies far off', () => {
    const bins = buildHistogram(tally([0, 0, 0, ...every(HOUR, 9)]))
    expect(bins[0]).toMatchObject({ from: 0, missing: 3 })
    expect(bins.at(-1)).toMatchObject({ missing: 9 })
  })

  it('counts every event once, in at most 42 bins without gaps, whatever authors choose', () => {
    const time = fc.oneof(
      fc.maxSafeNat(),
      fc.integer({ min: MIDNIGHT, max: MIDNIGHT + 40 * DAY }),
      fc.constantFrom(0, MIDNIGHT, Number.MAX_SAFE_INTEGER),
    )
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), (times) => {
        const bins = buildHistogram(tally(times))
        expect(bins.reduce((sum, { missing }) => sum + missing, 0)).toBe(times.length)
        expect(bins.length).toBeLessThanOrEqual(42)
        for (const [index, { from, to }] of bins.entries()) {
          expect(to).toBeGreaterThanOrEqual(from)
          if (index > 0) expect(from).toBe((bins[index - 1]?.to ?? 0) + 1)
        }
        expect(bins[0]?.from).toBeLessThanOrEqual(Math.min(...times))
        expect(bins.at(-1)?.to).toBeGreaterThanOrEqual(Math.max(...times))
      }),
    )
  })
})
