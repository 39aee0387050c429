import type { HeldBackRepository } from '../../report/report.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { labelRepositories } from './render-check.ts'
import { column, countCell, fitColumns, layOutTable, tableWidth, type Cell, type Column } from './table.ts'
import { ellipsize } from './text-width.ts'

/** How many rows are shown without `--verbose`. */
const MAX_ROWS = 10
const NARROWEST_LABEL = 16
const NAME_WIDTH = 20
const SHORT_COMMIT = 7

/**
 * Renders the repositories that wait for git data: what they need, what they block, and how long the target keeps them.
 */
export function renderHeldBack(canvas: Canvas, heldBack: readonly HeldBackRepository[]): string[] {
  if (heldBack.length === 0) return []
  const shown = canvas.verbose ? heldBack : heldBack.slice(0, MAX_ROWS)
  const hidden = heldBack.slice(shown.length)
  const columns = fitColumns(columnsOf(canvas, shown), canvas.width - NARROWEST_LABEL - 2)
  const width = Math.max(NARROWEST_LABEL, canvas.width - tableWidth(columns) - 2)
  const labels = labelRepositories(
    shown.map(({ repository }) => ({ address: repository })),
    width,
  )
  const first: Column = {
    heading: ellipsize('waits for git data', width),
    align: 'left',
    cells: labels.map((text) => ({ text })),
    expendable: 0,
  }
  return [
    ...layOutTable(canvas, fitColumns([first, ...columns], canvas.width)),
    ...(hidden.length === 0 ? [] : hanging(canvas, ' ', hiddenText(hidden), canvas.dim)),
    ...renderExpired(canvas, heldBack),
  ]
}

function columnsOf(canvas: Canvas, rows: readonly HeldBackRepository[]): Column[] {
  return [
    column({ heading: 'name', expendable: 3 }, rows, ({ name }) => ({
      text: ellipsize(foreign(name ?? ''), NAME_WIDTH),
    })),
    column({ heading: 'held back', expendable: 1, align: 'right' }, rows, ({ events }) => countCell(canvas, events)),
    column({ heading: 'waiting', expendable: 2, align: 'right' }, rows, ({ waiting }) => countCell(canvas, waiting)),
    column({ heading: 'kept until', expendable: 0 }, rows, (row) => keptCell(canvas, row)),
    column({ heading: 'needs', expendable: 4 }, rows, ({ commits, commitCount }) => ({
      text: commitsText(commits, commitCount),
    })),
  ]
}

function keptCell(canvas: Canvas, row: HeldBackRepository): Cell {
  if (row.keptUntil === null) return { text: '·', paint: canvas.dim }
  return hasExpired(canvas, row) ? { text: 'expired', paint: canvas.warn } : { text: formatTime(row.keptUntil, canvas) }
}

function hasExpired({ now }: Canvas, { keptUntil }: HeldBackRepository): boolean {
  return keptUntil !== null && keptUntil <= now
}

function commitsText([first]: readonly string[], count: number): string {
  if (first === undefined) return '·'
  const short = foreign(first.slice(0, SHORT_COMMIT))
  return count > 1 ? `${short} and ${count - 1} more` : short
}

function hiddenText(hidden: readonly HeldBackRepository[]): string {
  const count = hidden.reduce((sum, { events, waiting }) => sum + events + waiting, 0)
  return `and ${formatPlural(hidden.length, 'more', 'more')} with ${formatPlural(count, 'event')}: --verbose and --json show all`
}

function renderExpired(canvas: Canvas, heldBack: readonly HeldBackRepository[]): string[] {
  if (!heldBack.some((row) => hasExpired(canvas, row))) return []
  return hanging(
    canvas,
    ' ',
    'expired: the target no longer keeps it, so a push does not help; a run five minutes later sends it again',
  )
}
