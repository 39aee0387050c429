/* The words for what became of the shards of a merged report. */
import type { MergedReport } from '../../report/report.ts'
import { exitWord } from '../exit-codes.ts'
import { formatCount } from './format-quantity.ts'

/** Shards that ended alike, by number; `exit` null: there is no report of them. */
export type ShardGroup = { readonly exit: number | null; readonly numbers: readonly number[] }

const RANGES_NAMED = 12
/** From the first to look at to the last. */
const ORDER = [null, 1, 143, 130, 3, 5, 0]

/** Puts shards together that ended alike, the worst first. */
export function groupShards({ missing, shards }: MergedReport): ShardGroup[] {
  const groups = ORDER.map((exit) => ({
    exit,
    numbers: exit === null ? missing : shards.filter((shard) => shard.exit === exit).map(({ number }) => number),
  }))
  return groups.filter(({ numbers }) => numbers.length > 0)
}

/** `partial (3)`, or that there is no report. */
export function howShardsEnded({ exit }: ShardGroup): string {
  return exit === null ? 'no report' : `${exitWord(exit)} (${exit})`
}

/** `1–3, 7 and 240 more`; the numbers stand in order. */
export function nameShards(numbers: readonly number[]): string {
  const ranges: { first: number; last: number }[] = []
  for (const number of numbers) {
    const range = ranges.at(-1)
    if (range?.last === number - 1) range.last = number
    else ranges.push({ first: number, last: number })
  }
  const named = ranges.slice(0, RANGES_NAMED)
  const hidden = ranges.slice(RANGES_NAMED).reduce((count, { first, last }) => count + last - first + 1, 0)
  const text = named.map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`)).join(', ')
  return hidden === 0 ? text : `${text} and ${formatCount(hidden)} more`
}

/** Why shards make the whole incomplete, each reason the part of a sentence: which have no report, or were stopped. */
export function whatShardsLack(merged: MergedReport): string[] {
  const stopped = merged.shards.filter(({ exit }) => exit > 5).map(({ number }) => number)
  const failures = merged.missing.length > 0 ? 0 : merged.failures.length
  return [
    ...phrase(merged.missing, 'has no report', 'have no report'),
    ...phrase(stopped, 'was interrupted', 'were interrupted'),
    ...(failures === 0 ? [] : [`${failures === 1 ? 'a run' : `${formatCount(failures)} runs`} ended without a report`]),
  ]
}

/** The numbers of many are in the table. */
function phrase([first, ...others]: readonly number[], is: string, are: string): string[] {
  if (first === undefined) return []
  return [others.length === 0 ? `shard ${first} ${is}` : `${formatCount(others.length + 1)} shards ${are}`]
}
