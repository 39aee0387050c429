import type { CopiesReport } from '../../report/copies-report.ts'
import type { Report } from '../../report/report.ts'
import type { Part } from '../../report/run-options.ts'
import type { ParkedStatus } from '../../report/status.ts'
import type { UnixSeconds } from '../../time.ts'
import { escapeForTerminal } from '../escape.ts'
import { maskUrls } from '../mask-url.ts'

/** How a run ended, with or without a report. */
export type RunEnd = {
  readonly command: string
  readonly target: string
  /** A label of its own, so that the files of several shards can be collected together. */
  readonly shard?: Part | undefined
  /** The sources that the operator named. */
  readonly sources: readonly string[]
  readonly exit: number
  readonly endedAt: UnixSeconds
  readonly durationMs: number
  /** Absent if the run failed before it had one. */
  readonly report: Report | undefined
}

/** What one source was like in earlier runs. */
export type SourceHistory = {
  readonly lastDrainedAt: UnixSeconds | undefined
  /** Runs in a row, up to the last one, that did not read it to its end. */
  readonly undrainedRuns: number
}

/** What is known besides this run: from the state file, and from the metrics of the run before. */
export type History = {
  readonly lastSuccessAt: UnixSeconds | undefined
  /** `undefined` if the state file cannot be read. */
  readonly waiting: { readonly parked: readonly ParkedStatus[]; readonly refused: number } | undefined
  readonly sourceOf: (label: string) => SourceHistory
}

/** The versions that the metrics name. */
export type Build = { readonly version: string; readonly node: string }

/** One metric, always a gauge: a run writes what it found, and the next one replaces it. */
export type Metric = {
  /** With its unit, without the prefix `ngit_sync_`. */
  readonly name: string
  readonly help: string
  /** One series each; all with the same labels. */
  readonly values: readonly Value[]
}

type Value = { readonly labels: Readonly<Record<string, string>>; readonly value: number }

const MAX_LABEL = 200
/** What a layer counts on the way from the sources to the target. */
const STEPS = ['fetched', 'unique', 'invalid', 'held', 'published'] as const
/** Written even when there are none, so that an increase from nothing is seen. */
const NO_OUTCOMES = { accepted: 0, refused: 0 }
const NONE_PARKED = ['pending', 'waiting', 'unanswered']

/** A source or target as the value of a label: without query, user and password, and safe to print. */
export function endLabel(url: string): string {
  const place = /^wss?:\/\//.test(url) ? (url.split(/[?#]/, 1)[0] ?? '') : url
  return escapeForTerminal(maskUrls(place), { maxLength: MAX_LABEL })
}

/**
 * Returns the metrics of a run. Labels name command, target, named sources, layers and outcomes: never a repository, an
 * event, or a relay that only announcements name.
 */
export function listMetrics(end: RunEnd, history: History, { version, node }: Build): Metric[] {
  const run = { command: end.command, target: endLabel(end.target), ...shardLabel(end.shard) }
  const { report } = end
  const metrics = [
    ...runMetrics(end, history),
    ...(report === undefined
      ? []
      : [...layerMetrics(report), ...discoveryMetrics(report), ...checkMetrics(report), ...gitMetrics(report)]),
    ...(history.waiting === undefined ? [] : waitingMetrics(history.waiting)),
    ...sourceMetrics(end, history),
  ]
  const ofRun = metrics.map(({ values, ...metric }) => {
    return { ...metric, values: values.map(({ labels, value }) => ({ labels: { ...run, ...labels }, value })) }
  })
  const build = { name: 'build_info', help: 'The program and Node that did the run; always 1.' }
  return [{ ...build, values: [{ labels: { version, node }, value: 1 }] }, ...ofRun]
}

/** The label of a run with `--shard`; none without. */
export function shardLabel(shard: Part | undefined): Readonly<Record<string, string>> {
  return shard === undefined ? {} : { shard: `${shard.number}/${shard.of}` }
}

function runMetrics({ exit, endedAt, durationMs }: RunEnd, { lastSuccessAt }: History): Metric[] {
  const success = exit === 0 ? endedAt : lastSuccessAt
  return [
    single('last_run_timestamp_seconds', 'When the last run ended, however it did.', endedAt),
    single('last_run_exit_code', 'The exit code of the last run: see `ngit-sync --help`.', exit),
    single('last_run_duration_seconds', 'How long the last run took.', durationMs / 1000),
    single('last_success_timestamp_seconds', 'When a run last ended with exit code 0; absent if none did.', success),
  ]
}

function layerMetrics({ layers }: Report): Metric[] {
  return [
    {
      name: 'last_run_events',
      help: 'Events of the last run by step: fetched, unique, invalid, held by the target before, published to it.',
      values: layers.flatMap((report) =>
        STEPS.map((step) => ({ labels: { layer: report.layer, step }, value: report[step] })),
      ),
    },
    {
      name: 'last_run_outcome_events',
      help: 'Events by what became of them at the target in the last run; those that wait include earlier runs.',
      values: layers.flatMap(({ layer, outcomes }) =>
        Object.entries({ ...NO_OUTCOMES, ...outcomes }).map(([outcome, value]) => ({
          labels: { layer, outcome },
          value,
        })),
      ),
    },
    {
      name: 'last_run_late_arrivals',
      help: 'Events that a full pass found, and that reading since the run before would have missed.',
      values: layers.map(({ layer, lateArrivals }) => ({ labels: { layer }, value: lateArrivals })),
    },
  ]
}

/** Discovered sources are counted: strangers choose them, so their names would be labels without bound. */
function discoveryMetrics({ sources }: Report): Metric[] {
  const found = sources.filter(({ discovered }) => discovered)
  const complete = found.filter((source) => source.complete).length
  const values = [
    { labels: { drained: '1' }, value: complete },
    { labels: { drained: '0' }, value: found.length - complete },
  ]
  const help = 'Further sources from announcements, by whether the last run read them to their end.'
  return [{ name: 'discovered_sources', help, values }]
}

function checkMetrics({ check }: Report): Metric[] {
  return [
    single('check_missing_events', 'Events that the target lacks, as `check` found.', check?.missing ?? undefined),
    ...copiesMetrics(check?.copies ?? null),
  ]
}

function copiesMetrics(copies: CopiesReport | null): Metric[] {
  if (copies === null) return []
  return [
    single('copies_wanted', 'How many copies `check --copies` wanted of each event.', copies.wanted),
    single('copies_scarce_events', 'Events with fewer copies than wanted.', copies.below),
    single(
      'copies_undecided_events',
      'Events that may have fewer copies than wanted: some end was not read to its end.',
      copies.undecided,
    ),
  ]
}

/** Standings are three; with verdicts, which are ten, labels stay bounded. */
function gitMetrics({ git }: Report): Metric[] {
  if (git === null) return []
  const standings = { 'in sync': git.inSync, differing: git.differing, unasked: git.unasked }
  return [
    {
      name: 'git_repositories',
      help: "Repositories by how the target's own git server stands against the signed states.",
      values: Object.entries(standings).map(([standing, value]) => ({ labels: { standing }, value })),
    },
    {
      name: 'git_verdicts',
      help: "Repositories by what was found at the target's own git server.",
      values: Object.entries({ 'in sync': 0, ...git.verdicts }).map(([verdict, value]) => ({
        labels: { verdict },
        value,
      })),
    },
    single('git_lost_repositories', 'Repositories that differ at the target and that no other server has.', git.lost),
    single(
      'git_scarce_repositories',
      'Repositories whose git data is at fewer servers than `check --copies` wants.',
      git.copies?.below,
    ),
    single('git_bytes', 'What git servers sent in the last run, in bytes.', git.bytes),
  ]
}

function waitingMetrics({ parked, refused }: NonNullable<History['waiting']>): Metric[] {
  const outcomes = [...new Set([...NONE_PARKED, ...parked.map(({ outcome }) => outcome)])]
  const groupsOf = (wanted: string): readonly ParkedStatus[] => parked.filter(({ outcome }) => outcome === wanted)
  return [
    {
      name: 'parked_events',
      help: 'Events that wait on disk, by why.',
      values: outcomes.map((outcome) => {
        return { labels: { outcome }, value: groupsOf(outcome).reduce((sum, { count }) => sum + count, 0) }
      }),
    },
    {
      name: 'parked_oldest_timestamp_seconds',
      help: 'When the oldest event that waits was parked, by why; absent if none waits.',
      values: outcomes.flatMap((outcome) => {
        const times = groupsOf(outcome).map(({ oldestAt }) => oldestAt)
        return times.length === 0 ? [] : [{ labels: { outcome }, value: Math.min(...times) }]
      }),
    },
    single('refused_events', 'Events that the target refused for good, of all runs that are remembered.', refused),
  ]
}

function sourceMetrics(end: RunEnd, history: History): Metric[] {
  const states = [...sourceStates(end, history)]
  const ofEach = (valueOf: (state: SourceState) => number | undefined): Value[] =>
    states.flatMap(([source, state]) => {
      const value = valueOf(state)
      return value === undefined ? [] : [{ labels: { source }, value }]
    })
  return [
    {
      name: 'source_drained',
      help: 'Whether the last run read the source to its end: 1 or 0.',
      values: ofEach(({ isDrained }) => (isDrained ? 1 : 0)),
    },
    {
      name: 'source_undrained_runs',
      help: 'Runs in a row that did not read the source to its end.',
      values: ofEach(({ undrainedRuns }) => undrainedRuns),
    },
    {
      name: 'source_last_drained_timestamp_seconds',
      help: 'The start of the run that last read the source to its end; absent if none did.',
      values: ofEach(({ lastDrainedAt }) => lastDrainedAt),
    },
  ]
}

type SourceState = SourceHistory & { readonly isDrained: boolean }

/** By label. Of two sources that differ only in what a label leaves out, the worse counts. */
function sourceStates({ sources, report }: RunEnd, history: History): Map<string, SourceState> {
  const byLabel = new Map<string, SourceState>()
  for (const url of sources) {
    const label = endLabel(url)
    const state = sourceState(report, url, history.sourceOf(label))
    if (byLabel.get(label)?.isDrained !== false) byLabel.set(label, state)
  }
  return byLabel
}

/** A run without a report asked no source: it is not one of the runs that did not read it to its end. */
function sourceState(report: Report | undefined, url: string, before: SourceHistory): SourceState {
  if (report === undefined) return { ...before, isDrained: false }
  const isDrained = report.sources.find((source) => source.url === url)?.complete === true
  return isDrained
    ? { isDrained, lastDrainedAt: report.startedAt, undrainedRuns: 0 }
    : { isDrained, lastDrainedAt: before.lastDrainedAt, undrainedRuns: before.undrainedRuns + 1 }
}

/** A metric with one series, or none. */
function single(name: string, help: string, value: number | undefined): Metric {
  return { name, help, values: value === undefined ? [] : [{ labels: {}, value }] }
}
