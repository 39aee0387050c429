import type { HistogramBin } from '../../report/report.ts'
import { hanging, type Canvas } from './canvas.ts'
import { formatCount, formatDuration, formatShortCount } from './format-quantity.ts'
import { formatDate, formatDateTime } from './format-time.ts'
import { padText, visibleWidth } from './text-width.ts'

const LONGEST_BAR = 24
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const DAY = 86_400
/** Worth a remark: a stretch of at most SHORT of the time with at least MANY of the events. */
const SHORT = 0.2
const MANY = 0.8

type Row = { readonly label: string; readonly count: string; readonly bin: HistogramBin }

/** Renders one line per bin with a bar, and a remark if most events are close together. */
export function renderHistogram(canvas: Canvas, bins: readonly HistogramBin[]): string[] {
  if (bins.length === 0) return []
  const width = Math.min(...bins.map(lengthOf))
  const rows = bins.map((bin, index): Row => {
    const label = labelOf(canvas, bin, { width, isFirst: index === 0 })
    return { bin, label, count: bin.missing === 0 ? '' : formatShortCount(bin.missing) }
  })
  const title = `missing by created_at, one line for ${formatDuration(width * 1000)}`
  return [...hanging(canvas, ' ', title, canvas.dim), ...withRemark(canvas, bins, drawRows(canvas, rows))]
}

function drawRows(canvas: Canvas, rows: readonly Row[]): string[] {
  const labelWidth = Math.max(...rows.map(({ label }) => label.length))
  const countWidth = Math.max(...rows.map(({ count }) => count.length))
  const most = Math.max(...rows.map(({ bin }) => bin.missing))
  const barWidth = Math.min(LONGEST_BAR, canvas.width - labelWidth - countWidth - '  ▏ '.length)
  return rows.map(({ label, count, bin }) => {
    const bar = bin.missing === 0 ? '' : `${drawBar((bin.missing / most) * barWidth)} ${count}`
    return ` ${padText(label, labelWidth, 'left')} ${canvas.dim('▏')}${bar}`
  })
}

/** A bar for a non-zero count is at least an eighth of a block. */
function drawBar(length: number): string {
  const eighths = Math.max(1, Math.round(length * 8))
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')
}

/** Labels bins of normal width by their start; a wider one holds everything before or after. */
function labelOf(canvas: Canvas, bin: HistogramBin, place: { width: number; isFirst: boolean }): string {
  if (lengthOf(bin) > place.width) return place.isFirst ? 'earlier' : 'later'
  // Bins of days start at midnight UTC. Half a day later it is the day that most of the bin covers in any zone.
  return place.width < DAY ? formatDateTime(bin.from, canvas) : formatDate(bin.from + DAY / 2, canvas)
}

/** Puts the remark behind the last line of the stretch that has room for it, else below all lines. */
function withRemark(canvas: Canvas, bins: readonly HistogramBin[], lines: readonly string[]): string[] {
  const stretch = findStretch(bins)
  if (stretch === undefined) return [...lines]
  const inside = bins.slice(stretch.first, stretch.last + 1)
  const counted = `${formatCount(countIn(inside))} of ${formatCount(countIn(bins))} missing events`
  const remark = `${counted} fall into ${formatDuration(durationOf(inside) * 1000)}`
  const candidates = lines.map((line) => `${line}  ${canvas.bold(`← ${remark}`)}`)
  const index = candidates.findLastIndex(
    (line, place) => inside.some((bin) => bin.missing > 0 && bin === bins[place]) && visibleWidth(line) <= canvas.width,
  )
  if (index === -1) return [...lines, ...hanging(canvas, ' ', remark, canvas.bold)]
  return lines.with(index, candidates[index] ?? '')
}

/** Of all stretches worth a remark, the one with the most events, and of these the shortest. */
function findStretch(bins: readonly HistogramBin[]): { first: number; last: number } | undefined {
  const longest = SHORT * durationOf(bins)
  const needed = MANY * countIn(bins)
  const runs = bins.flatMap((_, first) => bins.slice(first).map((_bin, length) => ({ first, last: first + length })))
  return runs
    .map((run) => ({ ...run, inside: bins.slice(run.first, run.last + 1) }))
    .filter(({ inside }) => durationOf(inside) <= longest && countIn(inside) >= needed)
    .sort((a, b) => countIn(b.inside) - countIn(a.inside) || durationOf(a.inside) - durationOf(b.inside))[0]
}

function countIn(bins: readonly HistogramBin[]): number {
  return bins.reduce((sum, { missing }) => sum + missing, 0)
}

function durationOf(bins: readonly HistogramBin[]): number {
  const [first, last] = [bins[0], bins.at(-1)]
  return first === undefined || last === undefined ? 0 : last.to - first.from + 1
}

function lengthOf(bin: HistogramBin): number {
  return durationOf([bin])
}
