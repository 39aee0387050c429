import type { Report } from '../report.ts'
import type { Canvas, Paint } from './canvas.ts'
import { exitWord } from './exit-codes.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { wrapText } from './text-width.ts'

/** The last lines: the verdict in words with its exit code, what follows from it, and how long the run took. */
export function renderVerdict(canvas: Canvas, report: Report): string[] {
  const word = `${exitWord(report.exit)} (${report.exit})`
  const sentence = `${word}: ${verdictText(canvas, report)} took ${formatDuration(report.durationMs)}`
  const [first = '', ...rest] = wrapText(sentence, canvas.width)
  if (!first.startsWith(word)) return [first, ...rest]
  return [verdictPaint(canvas, report)(word) + first.slice(word.length), ...rest]
}

function verdictPaint(canvas: Canvas, { exit }: Report): Paint {
  if (exit === 0) return canvas.good
  return exit === 1 || exit === 2 ? canvas.bad : canvas.warn
}

function verdictText(canvas: Canvas, report: Report): string {
  if (report.exit === 0) return report.dryRun ? dryRunText(canvas, report) : completeText(canvas, report)
  const reasons = whatIsMissing(report).join(' and ') || 'see above'
  const sent = report.dryRun
    ? `dry run: ${wouldSend(report)}`
    : `${formatPlural(report.totals.published, 'event')} sent`
  return `${reasons}; ${sent}.${nextStep(report)}`
}

function completeText(canvas: Canvas, report: Report): string {
  const { published, held, parked, refused } = report.totals
  const range = rangeText(canvas, report)
  if (published === 0 && parked === 0) {
    const others = refused === 0 ? '' : `, but for ${formatCount(refused)} that it refused in earlier runs`
    return `${held === 0 ? 'there was nothing to copy' : `the target already held ${allEvents(held)}`}${range}${others}.`
  }
  const parts = [`${formatPlural(published, 'event')} sent`, `${formatCount(held)} already held`]
  if (parked > 0) parts.push(`${formatCount(parked)} waiting on disk`)
  if (refused > 0) parts.push(`${formatCount(refused)} refused for good, now or earlier`)
  return `every source was read to its end${range}: ${parts.join(', ')}.`
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

/** The range the promise holds for: nothing to say when it is everything. */
function rangeText(canvas: Canvas, { range, window }: Report): string {
  if (window !== null) return ' in the window'
  if (range.completeSince === null) return ''
  const full = range.fullAt === null ? '' : ` on top of a full pass ${formatTime(range.fullAt, canvas)}`
  return ` since ${formatTime(range.completeSince, canvas)}${full}`
}

function whatIsMissing({ exit, totals, sources, problems }: Report): string[] {
  const parts: string[] = []
  if (exit === 1) parts.push('the target refuses us')
  if (exit !== 1 && problems.some(({ what }) => what === 'target')) parts.push('the target stopped answering')
  if (problems.some(({ what }) => what === 'file')) parts.push('a file has unreadable lines')
  if (totals.parked > 0) {
    parts.push(`${formatPlural(totals.parked, 'event')} ${totals.parked === 1 ? 'waits' : 'wait'} on disk`)
  }
  const unread = sources.filter(({ complete }) => !complete).map(({ url }) => shortName(url))
  if (unread.length > 0) parts.push(unreadText(unread))
  return parts
}

function unreadText([first = '', ...others]: readonly string[]): string {
  if (others.length === 0) return `${first} was not read to its end`
  const rest = others.length === 1 ? (others[0] ?? '') : `${others.length} more sources`
  return `${first} and ${rest} were not read to their end`
}

function shortName(url: string): string {
  return foreign(url.replace(/^wss?:\/\//, ''))
}

function nextStep({ exit, command }: Report): string {
  if (exit === 3) return ` Run ngit-sync ${foreign(command)} again with the same options.`
  return exit === 130 || exit === 143 ? ' The next run goes on from here.' : ''
}
