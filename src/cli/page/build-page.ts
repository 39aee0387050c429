import { standingOf } from '../../report/git-standing.ts'
import type { GitReport, GitRepositoryReport } from '../../report/git-report.ts'
import type { Report, RepositoryReport, SourceReport } from '../../report/report.ts'
import { createCanvas } from '../render/canvas.ts'
import { foreign } from '../render/foreign.ts'
import { copiesSentences, gitCopiesSentences } from '../render/copies-words.ts'
import { formatCount, formatDuration, formatPlural } from '../render/format-quantity.ts'
import { formatDate, formatDateTime, type TimeContext } from '../render/format-time.ts'
import { layerTitle } from '../render/layer-title.ts'
import { whatIsThere, whatToDo, whoHasIt } from '../render/git-words.ts'
import { labelRepository } from '../render/render-check.ts'
import { summarizeGit } from '../render/render-git.ts'
import { groupProblems, type ProblemGroup } from '../render/render-problems.ts'
import { signedSentence } from '../render/render-repositories.ts'
import { howItWasRead } from '../render/render-sources.ts'
import { renderVerdict } from '../render/render-verdict.ts'
import { commandsFor, OPTIONS_LACK } from './commands.ts'
import { escapeForTerminal } from '../escape.ts'
import type { Page, PageBin, PageGitRow, PageRepository, PageSource, PageWait, Tone } from './page.ts'
import { buildShards } from './build-shards.ts'
import { wordsFor } from './words.ts'

const MAX_REPOSITORIES = 100
const MAX_REASONS = 6
const DAY = 86_400
/** Verdicts are one sentence; this is wider than any. */
const ONE_LINE = 100_000

type Column = readonly [heading: string, of: (row: RepositoryReport) => number]

/** Returns the page for a report. Every text of a relay or an author is made safe to print here (rule 7). */
export function buildPage(report: Report, times: TimeContext, toolVersion: string): Page {
  const { command, target, notes, startedAt, sources } = report
  const { repositories } = report
  const columns = columnsFor(report)
  return {
    title: `ngit-sync ${command}: ${foreign(target)}`,
    tone: toneOf(report),
    verdict: verdictOf(report, times),
    facts: factsOf(report, times),
    times: timesOf(report, times),
    shards: report.merged === null ? null : buildShards(report.merged),
    repositories: {
      columns: columns.map(([heading]) => heading),
      rows: repositories.slice(0, MAX_REPOSITORIES).map((row) => toRow(row, columns)),
      more: Math.max(0, repositories.length - MAX_REPOSITORIES) + report.repositoriesLeftOut,
    },
    git: gitOf(report.git, times),
    sources: sources.map((source) => toSource(source, times)),
    waits: groupProblems(report, times.now).map(toWait),
    notes: notes.map(foreign),
    commands: commandsFor(report),
    commandsLack: OPTIONS_LACK,
    words: wordsFor(report),
    footer: `ngit-sync ${toolVersion} · began ${formatDateTime(startedAt, times)} · written ${formatDateTime(times.now, times)}`,
  }
}

function toneOf({ exit }: Report): Tone {
  if (exit === 0) return 'good'
  return exit === 1 ? 'bad' : 'warn'
}

function verdictOf(report: Report, times: TimeContext): Page['verdict'] {
  const canvas = createCanvas({ color: false, width: ONE_LINE, now: times.now, ...zoneOf(times) })
  const line = renderVerdict(canvas, report).join(' ')
  const colon = line.indexOf(': ')
  return { word: line.slice(0, colon), sentence: line.slice(colon + 2).replaceAll('`', '') }
}

function zoneOf({ timeZone }: TimeContext): { timeZone?: string } {
  return timeZone === undefined ? {} : { timeZone }
}

function factsOf(report: Report, times: TimeContext): Page['facts'] {
  const { target, targetSoftware, scope, startedAt, durationMs, totals, check, window } = report
  const software = targetSoftware === null ? '' : ` · ${foreign(targetSoftware)}`
  const lacks =
    check === null
      ? []
      : [['missing', check.missing === null ? 'nothing compared' : formatCount(check.missing)] as const]
  const sent = check === null ? [[report.dryRun ? 'would send' : 'sent', formatCount(totals.published)] as const] : []
  return [
    ['target', foreign(target) + software],
    [
      'scope',
      `${scope.kind}: ${formatPlural(scope.repositories, 'repository', 'repositories')} · ${foreign(scope.why)}`,
    ],
    ...shardFacts(report),
    ['run', `${formatDateTime(startedAt, times)}, took ${formatDuration(durationMs)}`],
    ...(window === null ? [] : [['window', windowText(window, times)] as const]),
    ...lacks,
    ...sent,
    ...copiesFacts(report),
    ['waiting on disk', formatCount(totals.parked)],
    ['refused for good', formatCount(totals.refused)],
  ]
}

function shardFacts({ shard, merged }: Report): Page['facts'] {
  if (merged !== null) return [['shards', `${formatCount(merged.shards.length)} of ${formatCount(merged.of)}`]]
  return shard === null ? [] : [['shard', `${shard.number} of ${shard.of}`]]
}

function copiesFacts({ check, git }: Report): Page['facts'] {
  const [events, servers] = [check?.copies ?? null, git?.copies ?? null]
  const all = (sentences: readonly string[]): string => sentences.join(' ') || 'enough of each'
  return [
    ...(events === null ? [] : [['copies', all(copiesSentences(events))] as const]),
    ...(servers === null ? [] : [['copies of git data', all(gitCopiesSentences(servers))] as const]),
  ]
}

function windowText({ since, until }: NonNullable<Report['window']>, times: TimeContext): string {
  const from = since === null ? 'the beginning' : formatDateTime(since, times)
  return `${from} to ${until === null ? 'the end' : formatDateTime(until, times)}`
}

function timesOf({ signed }: Report, times: TimeContext): Page['times'] {
  const { histogram } = signed
  if (histogram.length === 0) return null
  const width = Math.min(...histogram.map(({ from, to }) => to - from + 1))
  const bins = histogram.map(({ from, to, missing }, index): PageBin => {
    const isOutlier = to - from + 1 > width
    const start = width < DAY ? formatDateTime(from, times) : formatDate(from + DAY / 2, times)
    return { label: isOutlier ? (index === 0 ? 'earlier' : 'later') : start, count: missing, isOutlier }
  })
  return {
    sentence: signedSentence(signed, times) ?? null,
    bins,
    caption: `one bar for ${formatDuration(width * 1000)}`,
  }
}

/** Before and after a repair; `check` changes nothing. Columns of zeroes are left out, but for these two. */
function columnsFor({ command, repositories, dryRun }: Report): readonly Column[] {
  const open: readonly Column[] = [
    ['waiting', ({ waiting }) => waiting],
    ['pending on git data', ({ pending }) => pending],
    ['refused', ({ refused }) => refused],
  ]
  const used = open.filter(([, of]) => repositories.some((row) => of(row) > 0))
  if (command === 'check' || dryRun) return [['missing', ({ missing }) => missing], ...used]
  return [
    ['missing before', ({ missing }) => missing],
    ['sent', ({ sent }) => sent],
    ['missing after', ({ missing, sent }) => Math.max(0, missing - sent)],
    ...used,
  ]
}

function toRow(row: RepositoryReport, columns: readonly Column[]): PageRepository {
  const label = labelRepository(row.repository, shortKey)
  const name = row.name === null ? label.split('/').slice(1).join('/') || label : foreign(row.name)
  return { name, label, counts: columns.map(([, of]) => of(row)) }
}

function gitOf(git: GitReport | null, times: TimeContext): Page['git'] {
  if (git === null) return null
  const troubled = git.list.filter((row) => standingOf(row) !== 'in sync')
  return {
    sentence: summarizeGit(git),
    rows: troubled.slice(0, MAX_REPOSITORIES).map((row) => toGitRow(row, times)),
    more: Math.max(0, troubled.length - MAX_REPOSITORIES) + git.leftOut,
  }
}

function toGitRow(row: GitRepositoryReport, times: TimeContext): PageGitRow {
  const [own] = row.places
  return {
    name: foreign(row.name ?? ''),
    label: labelRepository(row.repository, shortKey),
    found: own === undefined ? '' : whatIsThere(own),
    dataAt: whoHasIt(row),
    toDo: whatToDo(row, times),
    command: row.remedy.type === 'operator' ? escapeForTerminal(row.remedy.command) : null,
  }
}

/** Enough of a public key to tell it from others. */
function shortKey(npub: string): string {
  return `${npub.slice(0, 12)}…${npub.slice(-4)}`
}

function toSource(source: SourceReport, times: TimeContext): PageSource {
  const { url, complete, discovered, reason, lastDrained, layers } = source
  const before =
    lastDrained === null ? 'never read to its end before' : `last read to its end ${formatDateTime(lastDrained, times)}`
  const state = complete ? 'read to its end' : `not read to its end${reason === null ? '' : `: ${foreign(reason)}`}`
  return {
    url: foreign(url) + (discovered ? ' (discovered)' : ''),
    isComplete: complete,
    state: `${state}; ${before}`,
    layers: layers.map((layer) => ({
      layer: layerTitle(layer.layer),
      read: layer.end === 'not asked' ? 'not asked' : howItWasRead(times, layer),
      events: layer.events,
      end:
        layer.end === 'incomplete'
          ? `not drained${layer.reason === null ? '' : `: ${foreign(layer.reason)}`}`
          : layer.end,
    })),
  }
}

function toWait({ what, where, problems, count, isAboutEvents, meaning, step }: ProblemGroup): PageWait {
  const place = where === '' ? '' : ` at ${foreign(where)}`
  const title = `${isAboutEvents ? `${formatCount(count)} ` : ''}${foreign(what)}${place}${meaning === '' ? '' : `: ${meaning}`}`
  const sorted = [...problems].sort((a, b) => b.count - a.count)
  const reasons = sorted.slice(0, MAX_REASONS).map((problem) => {
    const times = problem.count > 1 && problems.length > 1 ? ` (${formatCount(problem.count)})` : ''
    return `“${foreign(problem.reason)}”${times}`
  })
  const hidden = sorted.length - reasons.length
  const more = hidden === 0 ? [] : [`and ${formatPlural(hidden, 'other reason')}`]
  return { title, reasons: [...reasons, ...more], step: step === null ? null : step.replaceAll('`', '') }
}
