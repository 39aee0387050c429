import type { LayerReport, Outcome, Report } from '../../report/report.ts'
import { REFUSED, sumOutcomes } from './all-well.ts'
import { layerTitle } from './layer-title.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { countCell, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'

/** The order of the columns: success, then waiting, then final refusals. */
const OUTCOMES: readonly Outcome[] = [
  'accepted',
  'duplicate',
  'superseded',
  'pending',
  'waiting',
  'unanswered',
  'unsent',
  'refused',
  'invalid',
  'protected',
  'expired',
  'deleted',
  'vanished',
  'too-large',
  'given-up',
]
const STORED: readonly Outcome[] = ['accepted', 'duplicate', 'superseded']
const PARKED: readonly Outcome[] = ['pending', 'waiting', 'unanswered', 'unsent']
type Numbers = { readonly heading: string; readonly expendable: number; of(layer: LayerReport): number }

/** Renders the table of layers with its totals, and below it the events left out and the late ones. */
export function renderLayers(canvas: Canvas, report: Report): string[] {
  return [
    ...layerTable(canvas, report),
    ...renderLeftOut(canvas, report.layers),
    ...lateArrivals(canvas, report.layers),
  ]
}

/** Gives every outcome its column if that fits, perhaps without the late ones; otherwise sums them up. */
function layerTable(canvas: Canvas, { layers, dryRun }: Report): string[] {
  const base: Numbers[] = [
    { heading: 'fetched', expendable: 3, of: (layer) => layer.fetched },
    { heading: 'unique', expendable: 4, of: (layer) => layer.unique },
    { heading: 'held', expendable: 0, of: (layer) => layer.held },
    { heading: dryRun ? 'would send' : 'sent', expendable: 0, of: (layer) => layer.published },
  ]
  const late: Numbers = { heading: 'late', expendable: 5, of: (layer) => layer.lateArrivals }
  const each = OUTCOMES.map((outcome) => outcomeNumbers(outcome, [outcome]))
  const summed = [
    outcomeNumbers('stored', STORED),
    outcomeNumbers('parked', PARKED),
    outcomeNumbers('refused', REFUSED),
  ]
  const candidates = [
    [...base, ...each, late],
    [...base, ...each],
    [...base, ...summed, late],
  ]
  const columns = candidates.map((numbers) => layerColumns(canvas, layers, numbers))
  const fitting = columns.find((candidate) => tableWidth(candidate) <= canvas.width) ?? columns.at(-1) ?? []
  return layOutTable(canvas, fitColumns(fitting, canvas.width))
}

function outcomeNumbers(heading: string, outcomes: readonly Outcome[]): Numbers {
  return { heading, expendable: outcomes === STORED ? 2 : 1, of: (layer) => sumOutcomes(layer, outcomes) }
}

/** Omits columns of zeroes, except those for events read, held and sent. */
function layerColumns(canvas: Canvas, layers: readonly LayerReport[], numbers: readonly Numbers[]): Column[] {
  const names = [...layers.map(({ layer }) => layerTitle(layer)), ...(layers.length > 1 ? ['total'] : [])]
  const first: Column = { heading: 'layer', align: 'left', cells: names.map((text) => ({ text })), expendable: 0 }
  const always = ['fetched', 'held', 'sent', 'would send']
  const shown = numbers.filter(({ heading, of }) => always.includes(heading) || layers.some((layer) => of(layer) !== 0))
  return [first, ...shown.map((column) => numberColumn(canvas, layers, column))]
}

function numberColumn(canvas: Canvas, layers: readonly LayerReport[], { heading, expendable, of }: Numbers): Column {
  const counts = layers.map(of)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const cells = counts.map((count) => countCell(canvas, count))
  const totals = layers.length > 1 ? [countCell(canvas, total, canvas.bold)] : []
  return { heading, align: 'right', cells: [...cells, ...totals], expendable }
}

/** The unwanted events, by reason. */
export function renderLeftOut(canvas: Canvas, layers: readonly LayerReport[]): string[] {
  const counts = new Map<string, number>()
  for (const [why, count] of layers.flatMap(({ dropped }) => Object.entries(dropped))) {
    counts.set(why, (counts.get(why) ?? 0) + count)
  }
  const invalid = layers.reduce((sum, layer) => sum + layer.invalid, 0)
  if (invalid > 0) counts.set('with a wrong id or signature', invalid)
  const parts = [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
  if (parts.length === 0) return []
  const text = parts.map(([why, count]) => `${formatCount(count)} ${foreign(why)}`).join(' · ')
  return hanging(canvas, ' left out: ', text)
}

function lateArrivals(canvas: Canvas, layers: readonly LayerReport[]): string[] {
  const late = layers.reduce((sum, layer) => sum + layer.lateArrivals, 0)
  if (late === 0) return []
  const text = `${formatPlural(late, 'event')} signed before the last run that came to a source since: only a full pass finds them`
  return hanging(canvas, ' late: ', text)
}
