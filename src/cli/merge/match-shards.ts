import { SyncError, UsageError } from '../../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { shown, type PrintedFailure, type PrintedReport } from './read-reports.ts'

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

/** What must be equal in all shards of one whole: how it is called, and its value. */
const MUST_BE_EQUAL: readonly (readonly [name: string, of: (report: PrintedReport['report']) => unknown])[] = [
  ['program', ({ toolVersion }) => toolVersion],
  ['command', ({ command }) => command],
  ['target', ({ target }) => target],
  [
    'sources',
    ({ sources }) =>
      sources
        .filter(({ discovered }) => !discovered)
        .map(({ url }) => url)
        .sort(),
  ],
  ['scope', ({ scope }) => scope.kind],
  ['window', ({ window }) => window],
  ['number of shards', ({ shard }) => shard?.of],
  ['other options', ({ shard }) => shard?.plan],
]

/** Puts reports in their order. Throws UsageError, with every reason, if they are not of one whole. */
export function matchShards(documents: readonly (PrintedReport | PrintedFailure)[]): Matched {
  const reports = documents.flatMap((document) => ('report' in document ? [document] : []))
  const problems = reports.flatMap(problemOf)
  if (problems.length > 0) throw new UsageError(problems)
  const [first, ...others] = reports.toSorted((a, b) => numberOf(a) - numberOf(b))
  const failures = documents.flatMap((document) => ('failure' in document ? [document] : []))
  if (first === undefined) throw withoutReports(failures)
  const unequal = [...others.flatMap((each) => differenceOf(first, each)), ...doublesAmong([first, ...others])]
  if (unequal.length > 0) throw new UsageError(unequal)
  const of = first.report.shard?.of ?? 0
  const there = new Set([first, ...others].map(numberOf))
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
  return isSound && EXIT_CODES.some(({ code }) => code === exit)
    ? []
    : [`${shown(file)} contradicts itself: no run ends so`]
}

function numberOf({ report }: PrintedReport): number {
  return report.shard?.number ?? 0
}

/** Names the first thing in which a report differs: the others follow from it. */
function differenceOf(first: PrintedReport, other: PrintedReport): string[] {
  const isUnequal = (of: (report: PrintedReport['report']) => unknown): boolean =>
    JSON.stringify(of(first.report)) !== JSON.stringify(of(other.report))
  const [name] = MUST_BE_EQUAL.find(([, of]) => isUnequal(of)) ?? []
  if (name === undefined) return []
  const hint = name === 'window' ? ': give all shards the same time, not one such as 3d ago' : ''
  return [
    `${shown(first.file)} and ${shown(other.file)} do not belong together: their ${name} differ${name.endsWith('s') ? '' : 's'}${hint}`,
  ]
}

function doublesAmong(shards: readonly PrintedReport[]): string[] {
  return shards.flatMap((each, index) => {
    const before = shards[index - 1]
    if (before === undefined || numberOf(before) !== numberOf(each)) return []
    return [
      `shard ${numberOf(each)} is there twice, in ${shown(before.file)} and ${shown(each.file)}: give its last report`,
    ]
  })
}
