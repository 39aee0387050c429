import type { MergedReport } from '../../report/report.ts'
import { formatCount } from '../render/format-quantity.ts'
import { groupShards, howShardsEnded, nameShards, type ShardGroup } from '../render/shard-words.ts'
import type { PageShards } from './page.ts'

/** Returns which shards are there, missing or stopped, those alike in one row and the worst first. */
export function buildShards(merged: MergedReport): PageShards {
  const { of, shards, failures } = merged
  const there = `${formatCount(shards.length)} of ${formatCount(of)} shards have a report`
  const failed = failures.length === 0 ? '' : `; ${formatCount(failures.length)} without one said why: see below`
  return {
    sentence: there + failed,
    rows: groupShards(merged).map((group) => ({
      end: howShardsEnded(group),
      numbers: nameShards(group.numbers),
      toDo: whatToDo(group),
    })),
  }
}

function whatToDo({ exit }: ShardGroup): string {
  switch (exit) {
    case 0:
      return '·'
    case 5:
      return 'copy what it found'
    case 130:
    case 143:
      return 'run it again: it goes on where it stopped'
    default:
      return 'run it again'
  }
}
