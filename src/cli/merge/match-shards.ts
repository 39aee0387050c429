import { SyncError, UsageError } from '../../errors.ts'
import type { Report } from '../../report/report.ts'
import { foreign } from '../render/foreign.ts'
import { formatCount } from '../render/format-quantity.ts'
import { shown, type PrintedFailure, type PrintedReport } from './read-reports.ts'
import { groupBy } from './sums.ts'

/** Reports that make one whole, or a part of it. */
export type Matched = {
  /** How many shards make the whole. */
  readonly of: number
  /** By number. */
  readonly shards: readonly [PrintedReport, ...PrintedReport[]]
  readonly missing: readonly number[]
  readonly failures: readonly PrintedFailure[]
}

/** As many as the option takes. */
const MOST_SHARDS = 99_999
/** How a run with a report ends. */
const ENDS: readonly number[] = [0, 1, 3, 5, 130, 143]

type Trait = {
  /** The end of a sentence about two reports. */
  readonly differ: string
  /** Texts are shown. */
  readonly of: (report: PrintedReport['report']) => unknown
}

/** What must be equal in all shards of one whole. */
const MUST_BE_EQUAL: readonly Trait[] = [
  { differ: 'their program versions differ', of: ({ toolVersion }) => toolVersion },
  { differ: 'their commands differ', of: ({ command }) => command },
  { differ: 'their targets differ', of: ({ target }) => target },
  { differ: 'their sources differ', of: ({ sources }) => namedSources(sources).join(', ') },
  { differ: 'their scopes differ', of: ({ scope }) => scope.kind },
  { differ: 'their windows differ: give all shards the same time, not one such as 3d ago', of: ({ window }) => window },
  { differ: 'their numbers of shards differ', of: ({ shard }) => `of ${shard?.of}` },
  { differ: 'their other options differ', of: ({ shard }) => [shard?.plan] },
]

/** Puts reports in their order. Throws UsageError, with every reason, if they are not of one whole. */
export function matchShards(documents: readonly (PrintedReport | PrintedFailure)[]): Matched {
  const reports = documents.flatMap((document) => ('report' in document ? [document] : []))
  const problems = reports.flatMap(problemOf)
  if (problems.length > 0) throw new UsageError(problems)
  const [first, ...others] = reports.toSorted((a, b) => numberOf(a.report) - numberOf(b.report))
  const failures = documents.flatMap((document) => ('failure' in document ? [document] : []))
  if (first === undefined) throw withoutReports(failures)
  const unequal = differenceAmong([first, ...others])
  if (unequal !== undefined) throw new UsageError([unequal])
  const doubles = doublesAmong([first, ...others])
  if (doubles.length > 0) throw new UsageError(doubles)
  const of = first.report.shard?.of ?? 0
  const there = new Set([first, ...others].map(({ report }) => numberOf(report)))
  const missing = Array.from({ length: of }, (_, index) => index + 1).filter((number) => !there.has(number))
  return { of, shards: [first, ...others], missing, failures }
}

/** Without a report, not even the number of shards is known. */
function withoutReports([failed]: readonly PrintedFailure[]): Error {
  if (failed === undefined) return new UsageError(['no report of a shard: how many there are is not known'])
  const { file, failure } = failed
  return new SyncError(`merge reports: no shard ended with a report: ${shown(file)}: ${failure.error}`)
}

function problemOf({ file, report }: PrintedReport): string[] {
  const { shard, merged, exit, complete } = report
  if (merged !== null) return [`${shown(file)} is merged already: give the reports of the shards themselves`]
  if (shard === null) return [`${shown(file)} is of a run without --shard: it is a whole report`]
  const isSound = shard.number >= 1 && shard.number <= shard.of && shard.of <= MOST_SHARDS && complete === (exit === 0)
  return isSound && ENDS.includes(exit) ? [] : [`${shown(file)} contradicts itself: no run ends so`]
}

function numberOf({ shard }: Report): number {
  return shard?.number ?? 0
}

/** Names the first thing in which reports differ (the others follow from it), and who stands on which side. */
function differenceAmong(shards: readonly PrintedReport[]): string | undefined {
  const sidesOf = ({ of }: Trait) => groupBy(shards, ({ report }) => JSON.stringify(of(report) ?? null))
  const trait = MUST_BE_EQUAL.find((each) => sidesOf(each).length > 1)
  if (trait === undefined) return undefined
  const [one = [], other = []] = sidesOf(trait).toSorted((a, b) => b.length - a.length)
  return `${nameSide(one, trait)} and ${nameSide(other, trait)} do not belong together: ${trait.differ}`
}

function nameSide(side: readonly PrintedReport[], { of }: Trait): string {
  const [{ file = '', report } = {}, ...others] = side
  const value = (report && of(report)) ?? ''
  const more = others.length === 0 ? '' : ` with ${formatCount(others.length)} more`
  return `${shown(file)}${more}${typeof value === 'string' && value !== '' ? ` (${foreign(value)})` : ''}`
}

/** Names the first of them. */
function doublesAmong(shards: readonly PrintedReport[]): string[] {
  const doubles = groupBy(shards, ({ report }) => String(numberOf(report))).filter((same) => same.length > 1)
  const [[one, other] = []] = doubles
  if (one === undefined || other === undefined) return []
  const where = one.file === other.file ? shown(one.file) : `${shown(one.file)} and ${shown(other.file)}`
  const more = doubles.length === 1 ? '' : `, and ${formatCount(doubles.length - 1)} more`
  return [`shard ${numberOf(one.report)} is there twice, in ${where}${more}: give its last report`]
}

function namedSources(sources: Report['sources']): readonly string[] {
  return sources
    .filter(({ discovered }) => !discovered)
    .map(({ url }) => url)
    .sort()
}
