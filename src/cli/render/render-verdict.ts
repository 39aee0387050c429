import { NOT_TAKEN, OUT_OF_TIME } from '../../errors.ts'
import type { CopiesReport } from '../../report/copies-report.ts'
import type { CheckReport, Report, SampleReport } from '../../report/report.ts'
import type { UnixSeconds } from '../../time.ts'
import { createCanvas, type Canvas, type Paint } from './canvas.ts'
import { exitWord } from '../exit-codes.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { mendsOf } from './next-steps.ts'
import { copiesSentences, gitCopiesSentences } from './copies-words.ts'
import { hasReconciled } from './render-check.ts'
import { wrapText } from './text-width.ts'

/** Wider than any verdict. */
const LONG = 10_000

/** Renders the last lines: the verdict with its exit code, the next step, and how long the run took. */
export function renderVerdict(canvas: Canvas, report: Report): string[] {
  const word = `${verdictWord(report)} (${report.exit})`
  const sentence = `${word}: ${shardText(report)}${verdictText(canvas, report)} took ${formatDuration(report.durationMs)}`
  const [first = '', ...rest] = wrapText(sentence, canvas.width)
  if (!first.startsWith(word)) return [first, ...rest]
  return [verdictPaint(canvas, report)(word) + first.slice(word.length), ...rest]
}

/** The verdict of a report on one line, without colours. */
export function renderVerdictLine(report: Report, now: UnixSeconds): string {
  return renderVerdict(createCanvas({ color: false, width: LONG, now }), report).join(' ')
}

/** A shard promises nothing for the others. */
function shardText({ shard, merged }: Report): string {
  if (merged !== null) return `${formatCount(merged.of - merged.missing.length)} of ${formatCount(merged.of)} shards: `
  return shard === null ? '' : `shard ${shard.number} of ${shard.of}: `
}

/** Equal sides are called `equal`, not `complete`. */
function verdictWord({ exit, check }: Report): string {
  return exit === 0 && check !== null ? 'equal' : exitWord(exit)
}

function verdictPaint(canvas: Canvas, { exit }: Report): Paint {
  if (exit === 0) return canvas.good
  return exit === 1 || exit === 2 ? canvas.bad : canvas.warn
}

function verdictText(canvas: Canvas, report: Report): string {
  if (report.command === 'check') return checkText(report)
  if (report.exit === 0) return report.dryRun ? dryRunText(canvas, report) : completeText(canvas, report)
  const reasons = whatIsMissing(report).join(' and ') || 'see above'
  const sent = report.dryRun ? `dry run: ${wouldSend(report)}` : whatWasDone(report)
  return `${reasons}; ${sent}.${nextStep(report)}`
}

/** `serve` lets the target take; it sends states at most. */
function whatWasDone({ command, totals: { published, accepted } }: Report): string {
  const sent = `${formatPlural(published, 'event')} sent`
  if (command === 'serve')
    return `${formatPlural(accepted, 'event')} taken by the target${published === 0 ? '' : `, ${formatPlural(published, 'state')} sent`}`
  return sent
}

function checkText(report: Report): string {
  const { exit, check } = report
  if (exit === 0 && check !== null) return [equalText(report, check), ...gitSentences(report)].join(' ')
  const reasons = whatIsMissing(report).join(' and ') || 'not everything could be read'
  const found = [...(check === null ? [] : differenceSentences(check, exit)), ...gitSentences(report)]
  return exit === 5
    ? [...found, copySentence(report)].join(' ').trim()
    : `${reasons}; ${found.join(' ')}${nextStep(report)}`
}

/** What was found of git data, if that was looked at. */
function gitSentences({ git }: Report): string[] {
  if (git === null) return []
  const { repositories, differing, unasked, lost } = git
  const copies = git.copies === null ? [] : gitCopiesSentences(git.copies)
  const all = formatPlural(repositories, 'repository', 'repositories')
  if (differing === 0 && unasked === 0)
    return repositories === 0 ? copies : [`Its git data of ${all} is as signed.`, ...copies]
  const gone =
    lost === 0 ? '' : `, and no server has what ${formatCount(lost)} of them ${lost === 1 ? 'needs' : 'need'}`
  return differing === 0 ? copies : [`Its git data of ${formatCount(differing)} of ${all} differs${gone}.`, ...copies]
}

function differenceSentences({ missing, both, sample, copies }: CheckReport, exit: number): string[] {
  const lacking = (both ?? []).filter((back) => back.missing > 0)
  const damaged = sample?.damaged ?? 0
  return [
    missingSentence(missing, exit),
    ...(damaged > 0
      ? [`It serves ${damaged === 1 ? 'a damaged event' : `${formatCount(damaged)} damaged events`}.`]
      : []),
    ...(copies === null ? [] : copiesSentences(copies)),
    ...lacking.map((back) => `${shortName(back.source)} lacks ${formatPlural(back.missing, 'event')}.`),
  ]
}

/** A partial read proves only what it shows. */
function missingSentence(missing: number | null, exit: number): string {
  if (missing === null) return 'nothing could be compared.'
  const isRead = exit === 0 || exit === 5
  if (missing > 0)
    return `${isRead ? '' : 'at least '}${formatPlural(missing, 'event')} ${missing === 1 ? 'is' : 'are'} missing.`
  return isRead ? 'the target lacks nothing.' : 'the target lacks nothing of what could be read.'
}

/** The command that would copy the missing events. Those that the target did not accept wait for something else. */
function copySentence({ window, check }: Report): string {
  if (check === null || check.missing === null || check.missing === 0) return ''
  const { missing, waiting, needsFull } = check
  const sentences: string[] = []
  const left = missing - waiting
  const command = window !== null ? 'backfill' : needsFull ? 'catchup --full' : 'catchup'
  const what =
    waiting > 0 ? (left === 1 ? 'the other one' : `the other ${formatCount(left)}`) : left === 1 ? 'it' : 'them'
  if (waiting > 0)
    sentences.push(
      `${waitingText(missing, waiting)} on disk: the target did not take ${waiting === 1 ? 'it' : 'them'} yet.`,
    )
  if (left > 0) sentences.push(`\`ngit-sync ${command}\` with the same options would copy ${what}.`)
  return sentences.join(' ')
}

function waitingText(missing: number, waiting: number): string {
  if (missing === waiting) return missing === 1 ? 'It waits' : 'All of them wait'
  return `${formatCount(waiting)} of them ${waiting === 1 ? 'waits' : 'wait'}`
}

/** NIP-77 proves parts equal without counting them, so there is no number to report. */
function equalText(report: Report, { differences, both, sample, copies }: CheckReport): string {
  const { parked, refused } = report.totals
  const held = differences.reduce((sum, { targetHas }) => sum + targetHas, 0)
  const isCounted = !hasReconciled(report)
  const all = isCounted ? `${allEvents(held)} that the sources have` : 'all that the sources have'
  const parts = [isCounted && held === 0 ? 'there is nothing to compare' : `the target holds ${all}`]
  if (both !== null) parts.push('and the other way round')
  if (sample !== null) parts.push(sampleText(sample))
  if (copies !== null) parts.push(enoughText(copies))
  const exceptions = [
    ...(parked > 0 ? [`${formatCount(parked)} that it took and does not serve yet`] : []),
    ...(refused > 0 ? [`${formatCount(refused)} that it refused in earlier runs`] : []),
  ]
  if (exceptions.length > 0) parts.push(`but for ${exceptions.join(' and ')}`)
  return `${parts.join(', ')}${report.window === null ? '' : ' in the window'}.`
}

function completeText(canvas: Canvas, report: Report): string {
  if (report.command === 'retry') return retryText(report)
  const { published, accepted, held, parked, refused } = report.totals
  const range = rangeText(canvas, report)
  if (published === 0 && parked === 0 && (report.command !== 'serve' || accepted === 0)) {
    const others = refused === 0 ? '' : `, but for ${formatCount(refused)} that it refused in earlier runs`
    return `${whatWasHeld(report)}${range}${others}.`
  }
  const rest = hasReconciled(report) ? 'the rest compared and equal' : `${formatCount(held)} already held`
  const parts = [whatWasDone(report), rest]
  if (parked > 0) parts.push(`${formatCount(parked)} waiting on disk`)
  if (refused > 0) parts.push(`${formatCount(refused)} refused for good, now or earlier`)
  return `every source was read to its end${range}: ${parts.join(', ')}.`
}

function retryText({ totals: { published, accepted, refused } }: Report): string {
  const others = refused === 0 ? '' : `, ${formatCount(refused)} refused for good, now or earlier`
  if (published === 0 && accepted === 0) return `nothing waits for the target${others}.`
  return `nothing waits any more: ${formatPlural(published, 'event')} sent, ${formatCount(accepted)} taken${others}.`
}

function sampleText({ number, of, events }: SampleReport): string {
  return `part ${number} of ${of} read back and verified (${formatPlural(events, 'event')})`
}

function enoughText({ wanted, events, ends }: CopiesReport): string {
  const all = events === 1 ? 'the only event is' : `each of ${formatCount(events)} events is`
  const most = wanted < ends.length ? `${wanted} or more` : `${wanted}`
  return `${all} at ${most} of ${formatPlural(ends.length, 'end')}`
}

/** NIP-77 proves parts equal without counting them. */
function whatWasHeld(report: Report): string {
  const { held } = report.totals
  if (hasReconciled(report)) return 'the target lacks nothing that the sources have'
  return held === 0 ? 'there was nothing to copy' : `the target already held ${allEvents(held)}`
}

function dryRunText(canvas: Canvas, report: Report): string {
  return `dry run: ${wouldSend(report)}${rangeText(canvas, report)}; nothing was sent.`
}

function wouldSend({ totals }: Report): string {
  return `would send ${formatPlural(totals.published, 'event')}`
}

function allEvents(held: number): string {
  return held === 1 ? 'the only event' : `all ${formatCount(held)} events`
}

/** The range of the promise; empty if it is everything. */
function rangeText(canvas: Canvas, { range, window }: Report): string {
  if (window !== null) return ' in the window'
  if (range.completeSince === null) return ''
  const full = range.fullAt === null ? '' : ` on top of a full pass ${formatTime(range.fullAt, canvas)}`
  return ` since ${formatTime(range.completeSince, canvas)}${full}`
}

function whatIsMissing({ command, exit, totals, sources, problems, target, merged, git }: Report): string[] {
  const parts: string[] = []
  if (exit === 1)
    parts.push(
      problems.some(({ what }) => what === 'plan')
        ? 'the plan is larger than --max-send allows'
        : 'the target refuses us',
    )
  if (exit !== 1 && problems.some(({ what }) => what === 'target')) parts.push('the target stopped answering')
  if (problems.some(({ what }) => what === 'gap')) parts.push('the target may hold more than its pages show')
  if (problems.some(({ what, reason }) => what === 'unsent' && (reason === OUT_OF_TIME || reason === NOT_TAKEN)))
    parts.push('the time was up')
  parts.push(...unmergedText(merged))
  if (problems.some(({ what }) => what === 'git')) parts.push('git repositories at the target could not be asked')
  if (exit !== 1 && (git?.stopped ?? null) !== null) parts.push('not all git data was looked at')
  if (problems.some(({ what }) => what === 'file')) parts.push('a file has unreadable lines')
  if (totals.parked > 0 && command !== 'check') {
    parts.push(`${formatPlural(totals.parked, 'event')} ${totals.parked === 1 ? 'waits' : 'wait'} on disk`)
  }
  const unread = sources.filter(({ complete }) => !complete).map(({ url }) => shortName(url))
  if (unread.length > 0) parts.push(unreadText(unread))
  if (problems.some(({ what, where }) => what === 'narrow' && where === target)) {
    parts.push('the target was not read to its end')
  }
  return parts
}

/** Which shards have no report; the numbers of many are in the table. */
function unmergedText(merged: Report['merged']): string[] {
  const [first, ...others] = merged?.missing ?? []
  if (first === undefined) return []
  return [
    others.length === 0 ? `shard ${first} has no report` : `${formatCount(others.length + 1)} shards have no report`,
  ]
}

function unreadText([first = '', ...others]: readonly string[]): string {
  if (others.length === 0) return `${first} was not read to its end`
  const rest = others.length === 1 ? (others[0] ?? '') : `${others.length} more sources`
  return `${first} and ${rest} were not read to their end`
}

function shortName(url: string): string {
  return foreign(url).replace(/^wss?:\/\//, '')
}

/** Does not advise another run if something has to be fixed first. */
function nextStep({ exit, command, problems, merged }: Report): string {
  const mends = exit === 3 ? mendsOf(problems) : []
  if (mends.length > 0) return ` ${mends.join('. ')}. Then run ngit-sync ${foreign(command)} again.`
  if (exit === 3 && merged !== null)
    return ' Run the shards again that are missing or partial, with the same options, and merge again.'
  if (exit === 3) return ` Run ngit-sync ${foreign(command)} again with the same options.`
  return exit === 130 || exit === 143 ? ' The next run goes on from here.' : ''
}
