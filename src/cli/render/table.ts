import Table from 'cli-table3'
import { formatShortCount } from './format-quantity.ts'
import type { Canvas, Paint } from './canvas.ts'
import { ellipsize, visibleWidth } from './text-width.ts'

/** One cell: escaped text without colours, and its colour. */
export type Cell = { readonly text: string; readonly paint?: Paint }

/** One column of cells, top to bottom. */
export type Column = {
  readonly heading: string
  readonly align: 'left' | 'right'
  readonly cells: readonly Cell[]
  /** Columns with the highest number are dropped first when the canvas is too narrow; 0 always stays. */
  readonly expendable: number
}

const GAP = 2
const STAND_INS = /\ue000+/g
const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: ' ',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
}

/** A number, right-aligned by its column; zero is a dim dot. */
export function countCell(canvas: Canvas, count: number, paint: Paint = canvas.plain): Cell {
  return count === 0 ? { text: '·', paint: canvas.dim } : { text: formatShortCount(count), paint }
}

/** A column with one cell per row, left-aligned by default. */
export function column<Row>(
  { heading, expendable, align = 'left' }: Pick<Column, 'heading' | 'expendable'> & { align?: Column['align'] },
  rows: readonly Row[],
  cell: (row: Row) => Cell,
): Column {
  return { heading, align, expendable, cells: rows.map(cell) }
}

/** Lays out the table as lines, headings first: one line per row, no column wider than its widest cell. */
export function layOutTable(canvas: Canvas, columns: readonly Column[]): string[] {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align),
    colWidths: columns.map(columnWidth),
  })
  table.push(columns.map(({ heading }) => canvas.dim(heading)))
  const rows = columns[0]?.cells.map((_, row) => columns.map(({ cells }) => cells[row] ?? { text: '' })) ?? []
  table.push(...rows.map((cells) => cells.map((cell) => paintCell({ ...cell, text: standIn(cell.text) }))))
  const texts = rows.flat().flatMap(({ text }) => (isMeasuredAlike(text) ? [] : [text]))
  return table
    .toString()
    .replaceAll(STAND_INS, () => texts.shift() ?? '')
    .split('\n')
}

/** The width of the table in columns of the canvas. */
export function tableWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + columnWidth(column) + GAP, 1 - GAP)
}

/** Drops expendable columns, most expendable first, until the table fits into `width`; if none are left, cuts texts. */
export function fitColumns(columns: readonly Column[], width: number): readonly Column[] {
  const excess = tableWidth(columns) - width
  if (excess <= 0) return columns
  const most = Math.max(0, ...columns.map(({ expendable }) => expendable))
  if (most === 0) return shrinkWidest(columns, excess)
  const index = columns.findLastIndex(({ expendable }) => expendable === most)
  return fitColumns(columns.toSpliced(index, 1), width)
}

function shrinkWidest(columns: readonly Column[], excess: number): readonly Column[] {
  const texts = columns.filter(({ align }) => align === 'left')
  const widest = texts.toSorted((a, b) => columnWidth(b) - columnWidth(a))[0]
  if (widest === undefined) return columns
  const width = Math.max(1, columnWidth(widest) - excess)
  const cells = widest.cells.map((cell) => ({ ...cell, text: ellipsize(cell.text, width) }))
  return columns.with(columns.indexOf(widest), { ...widest, cells, heading: ellipsize(widest.heading, width) })
}

function columnWidth({ heading, cells }: Column): number {
  return Math.max(visibleWidth(heading), ...cells.map(({ text }) => visibleWidth(text)))
}

function paintCell({ text, paint }: Cell): string {
  return paint === undefined ? text : paint(text)
}

/**
 * cli-table3 measures strangers' texts differently, so it lays out the same width of private-use characters instead.
 */
function standIn(text: string): string {
  return isMeasuredAlike(text) ? text : '\ue000'.repeat(visibleWidth(text))
}

function isMeasuredAlike(text: string): boolean {
  return /^[ -~·…–]*$/.test(text) || visibleWidth(text) === 0
}
