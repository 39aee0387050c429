import { OTHER_SHARD, type LayerReport, type Problem, type Report } from '../../report/report.ts'
import { Ledger } from '../../run/ledger.ts'
import { worstExit } from '../exit-codes.ts'
import { meaningOf } from '../render/next-steps.ts'
import type { Matched } from './match-shards.ts'
import { mergeChecks, mergeGit, mergeRepositories, mergeSigned } from './merge-findings.ts'
import { mergeSources } from './merge-sources.ts'
import type { PrintedFailure } from './read-reports.ts'
import { groupBy, leastOf, sumOf, sumRecords } from './sums.ts'

const [FAILED, WRONG_USAGE, PARTIAL] = [1, 2, 3]
const NAMED = 10
const COUNTED_TWICE =
  'Sums over the shards: an event of repositories in two of them counts in both, and what was fetched of announcements in all.'

/**
 * Returns the reports of shards as one, in the shape of that of a run. It is complete only if every shard is there and
 * complete.
 */
export function mergeReports(matched: Matched): Report {
  const reports = matched.shards.map(({ report }) => report)
  const { version, command, target, window, dryRun, scope } = matched.shards[0].report
  const exit = exitOf(matched)
  const layers = mergeLayers(reports)
  const totals = totalsOf(layers, reports)
  return {
    ...{ version, command, exit, complete: exit === 0, target },
    targetSoftware: reports.find(({ targetSoftware }) => targetSoftware !== null)?.targetSoftware ?? null,
    shard: null,
    merged: describeMerged(matched),
    scope: { ...scope, repositories: sumOf(reports, (report) => report.scope.repositories) },
    range: mergeRanges(reports),
    ...{ window, dryRun },
    ...mergeTimes(reports),
    layers,
    sources: mergeSources(reports.flatMap(({ sources }) => sources)),
    totals,
    check: mergeChecks(reports.map(({ check }) => check)),
    git: mergeGit(reports.map(({ git }) => git)),
    ...mergeRepositories(reports),
    signed: mergeSigned(reports.map(({ signed }) => signed)),
    heldBack: reports.flatMap(({ heldBack }) => heldBack).sort((a, b) => b.waiting - a.waiting),
    problems: mergeProblems(matched),
    followDepth: reports.reduce<number | null>((most, { followDepth }) => deeper(most, followDepth), null),
    notes: [...new Set([...reports.flatMap(({ notes }) => notes), ...(totals.unique > 0 ? [COUNTED_TWICE] : [])])],
  }
}

/** The worst of all. A shard that was interrupted or is missing is no better than one that is partial. */
function exitOf({ shards, missing, failures }: Matched): number {
  const exits = [...shards.map(({ report }) => report.exit), ...failures.map(({ failure }) => exitOfFailure(failure))]
  const worst = worstExit(exits)
  const isWhole = missing.length === 0 && failures.length === 0 && exits.every((exit) => exit <= 5)
  return isWhole ? worst : worstExit([worst, PARTIAL])
}

/** What was wrong usage of a shard is none of the merge. */
function exitOfFailure({ exit }: PrintedFailure['failure']): number {
  return exit === WRONG_USAGE ? FAILED : exit
}

function describeMerged({ of, missing, shards, failures }: Matched): Report['merged'] {
  return {
    of,
    missing,
    shards: shards.map(({ report: { shard, exit, startedAt } }) => ({ number: shard?.number ?? 0, exit, startedAt })),
    failures: failures.map(({ file, failure: { exit, error } }) => ({ file, exit, error })),
  }
}

/** Every shard reads all announcements: those of the others are not unique to it. */
function mergeLayers(reports: readonly Report[]): LayerReport[] {
  const layers = reports.flatMap((report) => report.layers)
  return groupBy(layers, ({ layer }) => layer).flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    const { [OTHER_SHARD]: ofOthers = 0, ...dropped } = sumRecords<string>(same.map((each) => each.dropped))
    return {
      layer: first.layer,
      fetched: sumOf(same, ({ fetched }) => fetched),
      unique: Math.max(0, sumOf(same, ({ unique }) => unique) - ofOthers),
      invalid: sumOf(same, ({ invalid }) => invalid),
      held: sumOf(same, ({ held }) => held),
      published: sumOf(same, ({ published }) => published),
      outcomes: sumRecords(same.map(({ outcomes }) => outcomes)),
      lateArrivals: sumOf(same, ({ lateArrivals }) => lateArrivals),
      dropped,
    }
  })
}

function totalsOf(layers: readonly LayerReport[], reports: readonly Report[]): Report['totals'] {
  return {
    fetched: sumOf(layers, ({ fetched }) => fetched),
    unique: sumOf(layers, ({ unique }) => unique),
    held: sumOf(layers, ({ held }) => held),
    published: sumOf(layers, ({ published }) => published),
    accepted: sumOf(layers, ({ outcomes }) => outcomes.accepted ?? 0),
    parked: sumOf(reports, ({ totals }) => totals.parked),
    refused: sumOf(reports, ({ totals }) => totals.refused),
  }
}

/** What was read since a time in one shard is complete since then only; what was never full in one is not in all. */
function mergeRanges(reports: readonly Report[]): Report['range'] {
  const fulls = reports.map(({ range }) => range.fullAt)
  return {
    completeSince: leastOf(reports.map(({ range }) => range.completeSince)),
    fullAt: fulls.includes(null) ? null : leastOf(fulls),
  }
}

/** From the first start, which is what the promise counts from, to the last end. */
function mergeTimes(reports: readonly Report[]): Pick<Report, 'startedAt' | 'durationMs'> {
  const startedAt = leastOf(reports.map((report) => report.startedAt)) ?? 0
  const lasts = reports.map((report) => (report.startedAt - startedAt) * 1_000 + report.durationMs)
  const longest = lasts.reduce((most, last) => Math.max(most, last), 0)
  return { startedAt, durationMs: Math.min(longest, Number.MAX_SAFE_INTEGER) }
}

/** Problems of one place are the same in every shard; those of events add up. */
function mergeProblems({ shards, missing, failures, of }: Matched): Problem[] {
  const problems = shards.flatMap(({ report }) => report.problems)
  const keyOf = ({ what, where, reason }: Problem): string => JSON.stringify([what, where, reason])
  const ledger = new Ledger([])
  if (missing.length > 0) {
    const named = missing.slice(0, NAMED).join(', ')
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : ''
    ledger.problem({
      what: 'shard',
      where: '',
      reason: `shard ${named}${more} of ${of}`,
      count: missing.length,
      example: null,
    })
  }
  for (const { file, failure } of failures) {
    const earlier = missing.length > 0 ? '' : ' (no shard is missing: leave the file out if that was an earlier try)'
    const reason = `ended without a report: ${failure.error}${earlier}`
    ledger.problem({ what: 'shard', where: file, reason, example: null })
  }
  for (const same of groupBy(problems, keyOf)) {
    const [first] = same
    if (first === undefined) continue
    const most = same.reduce((count, problem) => Math.max(count, problem.count), 0)
    const count = meaningOf(first.what).isAboutEvents ? sumOf(same, (problem) => problem.count) : most
    ledger.problem({ ...first, count, example: same.find(({ example }) => example !== null)?.example ?? null })
  }
  return ledger.problems()
}

function deeper(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}
