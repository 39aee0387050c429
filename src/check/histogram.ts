import type { HistogramBin } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type { HourRow } from '../store/affected.ts'

/** The first and the last hour of a stretch of time, each as its first second. */
type Stretch = { readonly first: UnixSeconds; readonly last: UnixSeconds }

/** How many events each hour has, in order of time. */
type Hours = readonly Pick<HourRow, 'hour' | 'events'>[]

const HOUR = 3_600
const DAY = 24 * HOUR
const YEAR = 365 * DAY
const WIDTHS = [HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, YEAR]
const MAX_BINS = 40
const BULK = 0.9
const LAST_SECOND = Number.MAX_SAFE_INTEGER

/**
 * Turns events by hour, in order of time, into at most 40 bins of one width, empty ones included. Authors date events as they like: if
 * leaving out a tenth of them allows finer bins, these few go into one bin before and one after all others, at least as
 * wide as these.
 */
export function buildHistogram(sorted: Hours): HistogramBin[] {
  const [first, last] = [sorted[0]?.hour, sorted.at(-1)?.hour]
  if (first === undefined || last === undefined) return []
  const [all, bulk] = [{ first, last }, findDense(sorted, BULK)]
  const stretch = widthFor(bulk) < widthFor(all) ? widen(bulk, sorted) : all
  const [width, bins] = [widthFor(stretch), evenBins(stretch, sorted)]
  const [from, to] = [bins[0]?.from ?? first, bins.at(-1)?.to ?? last]
  const earlier = { from: Math.min(first, from - width), to: from - 1, missing: count(sorted, (hour) => hour < from) }
  const end = Math.min(Math.max(last + HOUR - 1, to + width), LAST_SECOND)
  const later = { from: to + 1, to: end, missing: count(sorted, (hour) => hour > to) }
  return [earlier, ...bins, later].filter((bin) => bin.missing > 0 || bins.includes(bin))
}

/** Finds the shortest stretch with at least this share of the events; infinite if there are none. */
export function findDense(sorted: Hours, share: number): Stretch {
  const eventsAt = (index: number): number => sorted[index]?.events ?? 0
  const needed = share * count(sorted, () => true)
  let shortest: Stretch = { first: -Infinity, last: Infinity }
  let [start, inside] = [0, 0]
  for (const { hour: last, events } of sorted) {
    inside += events
    for (; inside - eventsAt(start) >= needed; start += 1) inside -= eventsAt(start)
    const first = sorted[start]?.hour ?? last
    if (inside >= needed && last - first < shortest.last - shortest.first) shortest = { first, last }
  }
  return shortest
}

/** Widens the stretch to its neighbours, the nearer first, while bins of its width still cover it. */
function widen(stretch: Stretch, sorted: Hours): Stretch {
  const [before, after] = [
    sorted.findLast(({ hour }) => hour < stretch.first)?.hour ?? -Infinity,
    sorted.find(({ hour }) => hour > stretch.last)?.hour ?? Infinity,
  ]
  const wider = [
    { first: before, last: stretch.last },
    { first: stretch.first, last: after },
  ].sort((a, b) => a.last - a.first - (b.last - b.first))
  const fitting = wider.find((candidate) => binCount(candidate, widthFor(stretch)) <= MAX_BINS)
  return fitting === undefined ? stretch : widen(fitting, sorted)
}

function evenBins(stretch: Stretch, sorted: Hours): HistogramBin[] {
  const width = widthFor(stretch)
  const start = Math.floor(stretch.first / width)
  const counts = Array.from({ length: binCount(stretch, width) }, () => 0)
  for (const { hour, events } of sorted) {
    const index = Math.floor(hour / width) - start
    if (counts[index] !== undefined) counts[index] += events
  }
  return counts.map((missing, index) => {
    return { from: (start + index) * width, to: Math.min((start + index + 1) * width - 1, LAST_SECOND), missing }
  })
}

function widthFor(stretch: Stretch): number {
  const years = Math.ceil((stretch.last - stretch.first) / YEAR / (MAX_BINS - 2))
  return WIDTHS.find((width) => binCount(stretch, width) <= MAX_BINS) ?? years * YEAR
}

function binCount({ first, last }: Stretch, width: number): number {
  return Math.floor(last / width) - Math.floor(first / width) + 1
}

function count(sorted: Hours, isCounted: (hour: UnixSeconds) => boolean): number {
  return sorted.reduce((sum, { hour, events }) => sum + (isCounted(hour) ? events : 0), 0)
}
