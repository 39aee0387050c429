import type { Report, SourceLayerReport, SourceReport } from '../../report/report.ts'
import { hanging, labelled, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatBytes, formatCount, formatPlural } from './format-quantity.ts'
import { formatTime, formatTimeWithAge, type TimeContext } from './format-time.ts'
import { layerTitle } from './layer-title.ts'
import { countCell, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'
import { visibleWidth } from './text-width.ts'

/** One line per source: when it was last drained, and its notes. */
export function renderSourceLines(canvas: Canvas, sources: readonly SourceReport[]): string[] {
  return sources.flatMap(({ url, discovered, lastDrained, notes }) => {
    const history =
      lastDrained === null ? 'not read to its end before' : `last drained ${formatTimeWithAge(lastDrained, canvas)}`
    return [
      ...labelled(canvas, 'source', `${foreign(url)}${discovered ? ' · discovered' : ''} · ${history}`),
      ...notes.flatMap((note) => labelled(canvas, '', foreign(note))),
    ]
  })
}

/** A table of layers for each source: how they were read, how much came, and how it ended. */
export function renderSourceTables(canvas: Canvas, { sources }: Report): string[] {
  const columns = sourceColumns(canvas, sources)
  const layers = sources.flatMap((source) => source.layers)
  if (layers.length === 0) return []
  const reasonWidth = canvas.width - tableWidth(columns) - 2
  const [head = '', ...rows] = layOutTable(canvas, [...columns, endColumn(canvas, layers, reasonWidth)])
  const below = new Map(layers.map((layer, row) => [layer, [rows[row] ?? '', ...belowRow(canvas, layer, reasonWidth)]]))
  const blocks = sources.map((source) => source.layers.flatMap((layer) => below.get(layer) ?? []))
  return [
    head,
    ...sources.flatMap(({ url }, index) => [
      ...hanging(canvas, ' ', foreign(url), canvas.bold),
      ...(blocks[index] ?? []),
    ]),
  ]
}

function sourceColumns(canvas: Canvas, sources: readonly SourceReport[]): readonly Column[] {
  const layers = sources.flatMap((source) => source.layers)
  const numbers = (heading: string, expendable: number, of: (layer: SourceLayerReport) => number): Column => ({
    heading,
    align: 'right',
    expendable,
    cells: layers.map((layer) => countCell(canvas, of(layer))),
  })
  const columns: Column[] = [
    {
      heading: 'layer',
      align: 'left',
      expendable: 0,
      cells: layers.map(({ layer }) => ({ text: `  ${layerTitle(layer)}` })),
    },
    {
      heading: 'read',
      align: 'left',
      expendable: 1,
      cells: layers.map((layer) => ({ text: howItWasRead(canvas, layer) })),
    },
    numbers('filters', 4, ({ filters }) => filters),
    numbers('pages', 3, ({ pages }) => pages),
    numbers('events', 0, ({ events }) => events),
    { heading: 'size', align: 'right', expendable: 2, cells: layers.map(({ bytes }) => sizeCell(canvas, bytes)) },
  ]
  return fitColumns(columns, canvas.width - 'not drained'.length - 2)
}

/** Shows the reason in the row if it fits; otherwise the row says `not drained` and the reason follows below. */
function endColumn(canvas: Canvas, layers: readonly SourceLayerReport[], width: number): Column {
  const cells = layers.map((layer) => {
    if (layer.end === 'drained') return { text: 'drained', paint: canvas.plain }
    if (layer.end === 'not asked') return { text: 'not asked', paint: canvas.dim }
    return { text: shortReason(layer, width) ?? 'not drained', paint: canvas.warn }
  })
  return { heading: 'end', align: 'left', expendable: 0, cells }
}

function belowRow(canvas: Canvas, layer: SourceLayerReport, width: number): string[] {
  const isReasonBelow = layer.end === 'incomplete' && layer.reason !== null && shortReason(layer, width) === undefined
  const reason = isReasonBelow ? hanging(canvas, '    ', foreign(layer.reason ?? ''), canvas.warn) : []
  const inFull = layer.anchors.full + layer.anchors.reconcile
  if (layer.mode !== 'since' || inFull === 0) return reason
  const all = inFull + layer.anchors.since
  const text = `${formatCount(inFull)} of ${formatPlural(all, 'anchor')} read in full: new here, or due`
  return [...hanging(canvas, '    ', text, canvas.dim), ...reason]
}

function shortReason({ reason }: SourceLayerReport, width: number): string | undefined {
  return reason !== null && visibleWidth(foreign(reason)) <= width ? foreign(reason) : undefined
}

/** How a layer was read at a source: `all by paging`, `since Sat 03:00`. */
export function howItWasRead(canvas: TimeContext, { mode, since, anchors, end }: SourceLayerReport): string {
  if (end === 'not asked') return '·'
  if (mode === 'since') return since === null ? 'since last time' : `since ${formatTime(since, canvas)}`
  if (mode === 'full') return 'all by paging'
  return anchors.full > 0 ? 'all, both ways' : 'all by NIP-77'
}

function sizeCell(canvas: Canvas, bytes: number): { text: string; paint: Canvas['plain'] } {
  return bytes === 0 ? { text: '·', paint: canvas.dim } : { text: formatBytes(bytes), paint: canvas.plain }
}
