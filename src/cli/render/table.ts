import { formatShortCount } from './format-quantity.ts'
import type { Canvas, Paint } from './canvas.ts'
import { ellipsize, padText, visibleWidth } from './text-width.ts'

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

const MARGIN = ' '
const GAP = '  '

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
  const texts = columns.map((column) => {
    const width = columnWidth(column)
    const heading = { text: column.heading, paint: canvas.dim }
    return [heading, ...column.cells].map((cell) => layOutCell(cell, width, column.align))
  })
  return (texts[0] ?? []).map((_, row) => MARGIN + texts.map((column) => column[row] ?? '').join(GAP))
}

function layOutCell({ text, paint }: Cell, width: number, align: Column['align']): string {
  return padText(paint === undefined ? text : paint(text), width, align)
}

/** The width of the table in columns of the canvas. */
export function tableWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + columnWidth(column) + GAP.length, MARGIN.length - GAP.length)
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
