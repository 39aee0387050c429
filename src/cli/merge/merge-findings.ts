/*
 * What shards found: differences, repositories, git data. A repository belongs to one shard, so its numbers are not
 * added up twice; only an event that belongs to repositories of two shards counts in both.
 */
import { buildHistogram } from '../../check/histogram.ts'
import { signingTimes } from '../../check/signing-times.ts'
import type { GitReport } from '../../report/git-report.ts'
import { standingOf } from '../../report/git-standing.ts'
import type { CheckReport, Difference, HistogramBin, Report, SigningTimes } from '../../report/report.ts'
import { mergeCopies, mergeGitCopies } from './merge-copies.ts'
import { cutAt, groupBy, sumOf, sumRecords } from './sums.ts'

const HOUR = 3_600

/** Merges what `check` found; null for other commands. What one shard could not compare is not compared. */
export function mergeChecks(all: readonly (CheckReport | null)[]): CheckReport | null {
  const checks = all.filter((check) => check !== null)
  if (checks.length === 0) return null
  const missing = checks.map((check) => check.missing)
  const ids = checks.flatMap((check) => (check.ids === null ? [] : [check.ids]))
  const both = checks.flatMap((check) => (check.both === null ? [] : [check.both]))
  return {
    missing: missing.includes(null) ? null : sumOf(missing, (count) => count ?? 0),
    waiting: sumOf(checks, ({ waiting }) => waiting),
    needsFull: checks.some(({ needsFull }) => needsFull),
    differences: mergeDifferences(checks.flatMap(({ differences }) => differences)),
    histogram: buildHistogram(hoursOf(checks.flatMap(({ histogram }) => histogram))),
    sample: mergeSamples(checks.flatMap(({ sample }) => sample ?? [])),
    copies: mergeCopies(checks.map(({ copies }) => copies)),
    ids: ids.length === 0 ? null : [...new Set(ids.flatMap((each) => [...each]))],
    both: both.length === 0 ? null : mergeWaysBack(both.flat()),
  }
}

function mergeDifferences(differences: readonly Difference[]): Difference[] {
  const keyOf = ({ layer, kind, repository }: Difference): string => JSON.stringify([layer, kind, repository])
  return groupBy(differences, keyOf).flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    return {
      ...pick(first, ['layer', 'kind', 'repository']),
      sourceHas: sumOf(same, ({ sourceHas }) => sourceHas),
      targetHas: sumOf(same, ({ targetHas }) => targetHas),
      missing: sumOf(same, ({ missing }) => missing),
    }
  })
}

function mergeWaysBack(ways: NonNullable<CheckReport['both']>): NonNullable<CheckReport['both']> {
  return groupBy(ways, ({ source }) => source).map((same) => ({
    source: same[0]?.source ?? '',
    missing: sumOf(same, ({ missing }) => missing),
    differences: mergeDifferences(same.flatMap(({ differences }) => differences)),
  }))
}

/** All shards have the same part. */
function mergeSamples(samples: readonly NonNullable<CheckReport['sample']>[]): CheckReport['sample'] {
  const [first] = samples
  if (first === undefined) return null
  return {
    ...pick(first, ['number', 'of']),
    repositories: sumOf(samples, ({ repositories }) => repositories),
    events: sumOf(samples, ({ events }) => events),
    damaged: sumOf(samples, ({ damaged }) => damaged),
  }
}

/** Merges when the events were signed, as finely as the bars of the shards tell. */
export function mergeSigned(signed: readonly SigningTimes[]): SigningTimes {
  return signingTimes(hoursOf(signed.flatMap(({ histogram }) => histogram)))
}

/** Puts the events of each bar into the hour in its middle. */
function hoursOf(bins: readonly HistogramBin[]) {
  const filled = bins.filter(({ missing }) => missing > 0)
  const middles = filled.map((bin) => ({ bin, hour: hourAt((bin.from + bin.to) / 2) }))
  const hours = groupBy(middles, ({ hour }) => String(hour)).map((same) => ({
    hour: same[0]?.hour ?? 0,
    events: sumOf(same, ({ bin }) => bin.missing),
    first: same.reduce((least, { bin }) => Math.min(least, bin.from), Infinity),
    last: same.reduce((most, { bin }) => Math.max(most, bin.to), 0),
  }))
  return hours.sort((a, b) => a.hour - b.hour)
}

function hourAt(second: number): number {
  return Math.floor(second / HOUR) * HOUR
}

/** Merges the repositories that were hit, those with something left to do first, most events first. */
export function mergeRepositories(reports: readonly Report[]): Pick<Report, 'repositories' | 'repositoriesLeftOut'> {
  const groups = groupBy(
    reports.flatMap(({ repositories }) => repositories),
    ({ repository }) => String(repository),
  )
  const merged = groups.map((same) => ({
    repository: same[0]?.repository ?? null,
    name: same[0]?.name ?? null,
    missing: sumOf(same, ({ missing }) => missing),
    sent: sumOf(same, ({ sent }) => sent),
    waiting: sumOf(same, ({ waiting }) => waiting),
    refused: sumOf(same, ({ refused }) => refused),
    pending: sumOf(same, ({ pending }) => pending),
  }))
  const leftToDo = ({ missing, sent, pending }: (typeof merged)[number]): number => missing - sent + pending
  merged.sort((a, b) => leftToDo(b) - leftToDo(a) || b.missing - a.missing)
  const { kept, cut } = cutAt(merged)
  return { repositories: kept, repositoriesLeftOut: cut + sumOf(reports, (report) => report.repositoriesLeftOut) }
}

/** Merges what git servers serve; null if no shard looked. */
export function mergeGit(all: readonly (GitReport | null)[]): GitReport | null {
  const gits = all.filter((git) => git !== null)
  if (gits.length === 0) return null
  const list = gits.flatMap((git) => git.list)
  const isInSync = (repository: (typeof list)[number]): number => (standingOf(repository) === 'in sync' ? 1 : 0)
  const { kept, cut } = cutAt(list.toSorted((a, b) => isInSync(a) - isInSync(b)))
  return {
    repositories: sumOf(gits, ({ repositories }) => repositories),
    stopped: mergeStops(gits.flatMap(({ stopped }) => stopped ?? [])),
    inSync: sumOf(gits, ({ inSync }) => inSync),
    differing: sumOf(gits, ({ differing }) => differing),
    unasked: sumOf(gits, ({ unasked }) => unasked),
    verdicts: sumRecords(gits.map(({ verdicts }) => verdicts)),
    cloned: gits.every(({ cloned }) => cloned === null) ? null : sumOf(gits, ({ cloned }) => cloned ?? 0),
    repairs: sumRecords(gits.map(({ repairs }) => repairs)),
    copies: mergeGitCopies(gits.map(({ copies }) => copies)),
    lost: sumOf(gits, ({ lost }) => lost),
    requests: sumOf(gits, ({ requests }) => requests),
    bytes: sumOf(gits, ({ bytes }) => bytes),
    milliseconds: sumOf(gits, ({ milliseconds }) => milliseconds),
    list: kept,
    leftOut: cut + sumOf(gits, ({ leftOut }) => leftOut),
  }
}

function mergeStops(stops: readonly NonNullable<GitReport['stopped']>[]): GitReport['stopped'] {
  const [first] = stops
  return first === undefined
    ? null
    : { reason: first.reason, repositories: sumOf(stops, ({ repositories }) => repositories) }
}

function pick<T, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>
}
