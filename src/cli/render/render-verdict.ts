import type { Report } from '../../report/report.ts'
import type { UnixSeconds } from '../../time.ts'
import { createCanvas, type Canvas, type Paint } from './canvas.ts'
import { allEvents, checkText } from './check-verdict.ts'
import { exitWord } from '../exit-codes.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { hasReconciled } from './render-check.ts'
import { wrapText } from './text-width.ts'
import { nextStep, whatIsMissing } from './verdict-reasons.ts'

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

/** The range of the promise; empty if it is everything. */
function rangeText(canvas: Canvas, { range, window }: Report): string {
  if (window !== null) return ' in the window'
  if (range.completeSince === null) return ''
  const full = range.fullAt === null ? '' : ` on top of a full pass ${formatTime(range.fullAt, canvas)}`
  return ` since ${formatTime(range.completeSince, canvas)}${full}`
}
