import type { SignedStretch, SigningTimes } from '../report/report.ts'
import type { HourRow } from '../store/affected.ts'
import { buildHistogram, findDense } from './histogram.ts'

const MOST = 0.8
const LONGEST_SECONDS = 60 * 86_400

/** Returns when events were signed, from their hours in order of time. */
export function signingTimes(hours: readonly HourRow[]): SigningTimes {
  return { stretch: findStretch(hours), histogram: buildHistogram(hours) }
}

/** After an outage, most events lie close together; what was signed next to them belongs to them. */
function findStretch(hours: readonly HourRow[]): SignedStretch | null {
  const all = count(hours)
  const dense = findDense(hours, MOST)
  const inside = spread(hours, dense)
  const [first, last] = [inside[0], inside.at(-1)]
  if (first === undefined || last === undefined || all < 2) return null
  if (last.last - first.first > LONGEST_SECONDS) return null
  return { from: first.first, to: last.last, events: count(inside), of: all }
}

/** The hours of a stretch, and those beside it without a gap of more than its quarter (but at least three hours). */
function spread(hours: readonly HourRow[], { first, last }: { first: number; last: number }): readonly HourRow[] {
  const near = Math.max(3 * 3_600, (last - first) / 4)
  let [start, end] = [hours.findIndex(({ hour }) => hour === first), hours.findLastIndex(({ hour }) => hour === last)]
  while (start > 0 && (hours[start]?.hour ?? 0) - (hours[start - 1]?.hour ?? 0) <= near) start -= 1
  while (end < hours.length - 1 && (hours[end + 1]?.hour ?? 0) - (hours[end]?.hour ?? 0) <= near) end += 1
  return hours.slice(Math.max(0, start), end + 1)
}

function count(hours: readonly HourRow[]): number {
  return hours.reduce((sum, { events }) => sum + events, 0)
}
