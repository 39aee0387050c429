import type { CopiesEnd, CopiesReport, GitCopies, LackingEnd, RepositoryCopies } from '../../report/copies-report.ts'
import { cutAt, groupBy, sumOf } from './sums.ts'

/** At least as many servers as a repository can name count the same, as in the report of a run. */
const MOST_SERVERS = 50

/** Merges how many copies of events there are; null if some shard did not count. All shards count at the same ends. */
export function mergeCopies(all: readonly (CopiesReport | null)[]): CopiesReport | null {
  const reports = all.filter((copies) => copies !== null)
  const [first] = reports
  if (first === undefined || reports.length < all.length) return null
  const lists = reports.flatMap(({ list }) => (list === null ? [] : [list]))
  const { kept, cut } = cutAt(mergeScarce(reports, first.ends))
  return {
    wanted: first.wanted,
    service: first.service,
    ends: groupBy(
      reports.flatMap(({ ends }) => ends),
      ({ url }) => url,
    ).flatMap(mergeEnd),
    events: sumOf(reports, ({ events }) => events),
    withoutRepository: sumOf(reports, ({ withoutRepository }) => withoutRepository),
    below: sumOf(reports, ({ below }) => below),
    undecided: sumOf(reports, ({ undecided }) => undecided),
    histogram: groupBy(
      reports.flatMap(({ histogram }) => histogram),
      ({ copies }) => String(copies),
    )
      .map((same) => ({ copies: same[0]?.copies ?? 0, events: sumOf(same, ({ events }) => events) }))
      .sort((a, b) => a.copies - b.copies),
    repositories: kept,
    repositoriesLeftOut: cut + sumOf(reports, ({ repositoriesLeftOut }) => repositoriesLeftOut),
    list: lists.length === 0 ? null : lists.flatMap((list) => [...list]),
  }
}

function mergeEnd(same: readonly CopiesEnd[]): CopiesEnd[] {
  const [first] = same
  if (first === undefined) return []
  return [
    {
      url: first.url,
      isTarget: first.isTarget,
      events: sumOf(same, ({ events }) => events),
      lacks: sumOf(same, ({ lacks }) => lacks),
      reason: same.find(({ reason }) => reason !== null)?.reason ?? null,
    },
  ]
}

/**
 * A repository is in one shard; what belongs to none (`repository` null) may be in all, also in those where none of it is
 * scarce, which have no row for it.
 */
function mergeScarce(reports: readonly CopiesReport[], ends: readonly CopiesEnd[]): RepositoryCopies[] {
  const rows = reports.flatMap(({ repositories }) => repositories)
  const merged = groupBy(rows, ({ repository }) => String(repository)).flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    return {
      repository: first.repository,
      name: first.name,
      events:
        first.repository === null
          ? sumOf(reports, ({ withoutRepository }) => withoutRepository)
          : sumOf(same, ({ events }) => events),
      fewest: Math.min(...same.map(({ fewest }) => fewest)),
      below: sumOf(same, ({ below }) => below),
      undecided: sumOf(same, ({ undecided }) => undecided),
      lacking: mergeLacking(
        same.flatMap(({ lacking }) => lacking),
        ends,
      ),
      example: same.reduce((least, { example }) => (example < least ? example : least), first.example),
    }
  })
  return merged.sort((a, b) => b.below + b.undecided - (a.below + a.undecided))
}

/** The most first, then in the order of the ends. */
function mergeLacking(lacking: readonly LackingEnd[], ends: readonly CopiesEnd[]): LackingEnd[] {
  return ends
    .map(({ url }) => ({
      url,
      events: sumOf(
        lacking.filter((each) => each.url === url),
        ({ events }) => events,
      ),
    }))
    .filter(({ events }) => events > 0)
    .sort((a, b) => b.events - a.events)
}

/** Merges at how many git servers the repositories are; null if some shard did not count. Each is in one shard. */
export function mergeGitCopies(all: readonly (GitCopies | null)[]): GitCopies | null {
  const reports = all.filter((copies) => copies !== null)
  const [first] = reports
  if (first === undefined || reports.length < all.length) return null
  const { kept, cut } = cutAt(reports.flatMap(({ list }) => list).sort((a, b) => a.copies - b.copies))
  const bins = reports.flatMap(({ histogram }) => histogram)
  const most = bins.reduce((last, { copies }) => Math.min(Math.max(last, copies), MOST_SERVERS), -1)
  return {
    wanted: first.wanted,
    repositories: sumOf(reports, ({ repositories }) => repositories),
    below: sumOf(reports, ({ below }) => below),
    undecided: sumOf(reports, ({ undecided }) => undecided),
    histogram: Array.from({ length: most + 1 }, (_, copies) => {
      const same = bins.filter((bin) => bin.copies === copies)
      return { copies, repositories: sumOf(same, ({ repositories }) => repositories) }
    }),
    list: kept,
    leftOut: cut + sumOf(reports, ({ leftOut }) => leftOut),
  }
}
