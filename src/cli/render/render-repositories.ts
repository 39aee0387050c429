import type { Report, RepositoryReport, SigningTimes } from '../../report/report.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { formatTime, type TimeContext } from './format-time.ts'
import { labelRepositories } from './render-check.ts'
import { column, countCell, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'
import { ellipsize } from './text-width.ts'

const MAX_ROWS = 10
const NARROWEST_LABEL = 20
const NAME_WIDTH = 20

/** What is counted by repository; a count that a document lacks is zero. */
type Counts = Partial<Pick<RepositoryReport, 'missing' | 'sent' | 'waiting' | 'refused' | 'pending'>>
type Row = Pick<RepositoryReport, 'repository' | 'name'> & Counts

/** On a narrow terminal the highest `expendable` goes first, after the name. */
const HEADINGS: readonly { readonly of: keyof Counts; readonly heading: string; readonly expendable: number }[] = [
  { of: 'missing', heading: 'missing', expendable: 0 },
  { of: 'sent', heading: 'sent', expendable: 3 },
  { of: 'waiting', heading: 'waiting', expendable: 1 },
  { of: 'refused', heading: 'refused', expendable: 4 },
  { of: 'pending', heading: 'pending on git', expendable: 2 },
]

/** Renders the worst ten repositories (all with `verbose`), what the others sum up to, and when events were signed. */
export function renderRepositories(canvas: Canvas, report: Report): string[] {
  // `check` has a table by kind and a histogram, `retry` a list of its own; nothing was hit if nothing is listed.
  if (report.command === 'check') return []
  const table = renderRepositoryTable(canvas, report.repositories, report.repositoriesLeftOut)
  const sentence = table.length === 0 || report.command === 'retry' ? undefined : signedSentence(report.signed, canvas)
  return [...table, ...(sentence === undefined ? [] : hanging(canvas, ' ', sentence, canvas.bold))]
}

/** Renders rows of counts by repository, worst first; columns of zeroes are left out. */
export function renderRepositoryTable(canvas: Canvas, rows: readonly Row[], leftOut: number): string[] {
  if (rows.length === 0) return []
  const shown = canvas.verbose ? rows : rows.slice(0, MAX_ROWS)
  const hidden = rows.slice(shown.length)
  const lines = hidden.length === 0 ? shown : [...shown, sumUp(hidden)]
  const counts = HEADINGS.filter(({ of }) => rows.some((row) => (row[of] ?? 0) > 0)).map(({ of, ...heading }) =>
    column({ ...heading, align: 'right' }, lines, (row) => countCell(canvas, row[of] ?? 0)),
  )
  const more = hidden.length + leftOut
  const labels = (width: number): string[] => [
    ...labelRepositories(
      shown.map(({ repository }) => ({ address: repository })),
      width,
    ),
    ...(hidden.length === 0 ? [] : [`and ${formatCount(more)} more`]),
  ]
  const [first, ...rest] = layOutRows(canvas, lines, counts, labels)
  const isCut = leftOut > 0 && hidden.length === 0
  return first === undefined
    ? []
    : [first, ...rest, ...(isCut ? hanging(canvas, ' ', `and ${formatCount(leftOut)} more`, canvas.dim) : [])]
}

/** The label takes what the numbers and the name leave; the name goes first where there is no room. */
function layOutRows(
  canvas: Canvas,
  rows: readonly Row[],
  counts: readonly Column[],
  labels: (width: number) => string[],
): string[] {
  const name = column({ heading: 'name', expendable: 5 }, rows, (row) => ({
    text: ellipsize(foreign(row.name ?? ''), NAME_WIDTH),
  }))
  const isNamed = rows.some((row) => (row.name ?? '') !== '')
  const others = fitColumns(isNamed ? [name, ...counts] : counts, canvas.width - NARROWEST_LABEL - 2)
  const width = Math.max(NARROWEST_LABEL, canvas.width - tableWidth(others) - 2)
  const first: Column = {
    heading: 'repository',
    align: 'left',
    cells: labels(width).map((text) => ({ text })),
    expendable: 0,
  }
  return layOutTable(canvas, fitColumns([first, ...others], canvas.width))
}

function sumUp(rows: readonly Row[]): Row {
  const sum = (of: keyof Counts): number => rows.reduce((total, row) => total + (row[of] ?? 0), 0)
  const counts = Object.fromEntries(HEADINGS.map(({ of }) => [of, sum(of)]))
  return { repository: null, name: null, ...counts }
}

/** `77 of 78 were signed between Thu 15:03 and Fri 00:02 (9 h)`; undefined if they are not close together. */
export function signedSentence({ stretch }: SigningTimes, times: TimeContext): string | undefined {
  if (stretch === null) return undefined
  const { from, to, events, of } = stretch
  const which =
    events === of ? `all ${formatPlural(of, 'missing event')}` : `${formatCount(events)} of ${formatCount(of)}`
  const length = Math.max(1, Math.round((to - from) / 60)) * 60_000
  const rounded = length > 7_200_000 ? Math.round(length / 3_600_000) * 3_600_000 : length
  return `${which} were signed between ${formatTime(from, times)} and ${formatTime(to, times)} (${formatDuration(rounded)})`
}
