import { encodeEventId } from '../nostr/nip19.ts'
import type { CoverageStatus, ParkedStatus, RefusedStatus, RunStatus, Status, TargetStatus } from '../status.ts'
import { createCanvas, foreign, hanging, joinBlocks, labelled, type Canvas, type RenderOptions } from './canvas.ts'
import { exitWord } from './exit-codes.ts'
import { formatAge, formatTime, formatTimeWithAge } from './format-time.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { layerTitle } from './render-layers.ts'
import { countCell, fitColumns, layOutTable, type Cell, type Column } from './table.ts'
import { ellipsizeMiddle } from './text-width.ts'

/** The status for a person: per target the checkpoints, what waits, what was refused, and the last runs. Import it lazily. */
export function renderStatus(status: Status, options: RenderOptions): string {
  const canvas = createCanvas(options)
  const head = labelled(canvas, 'state', foreign(status.stateFile))
  if (status.targets.length === 0) return joinBlocks([head, ['no run has been made yet']])
  return joinBlocks([head, ...status.targets.flatMap((target) => renderTarget(canvas, target))])
}

function renderTarget(canvas: Canvas, target: TargetStatus): string[][] {
  return [
    [...labelled(canvas, 'target', foreign(target.target), canvas.bold), ...renderLock(canvas, target)],
    renderCoverage(canvas, target.coverage),
    ...target.parked.map((parked) => renderParked(canvas, parked)),
    ...target.refused.map((refused) => renderRefused(canvas, refused)),
    renderRuns(canvas, target.runs),
  ]
}

function renderLock(canvas: Canvas, { lock }: TargetStatus): string[] {
  if (lock === null) return []
  const since = formatTimeWithAge(lock.startedAt, canvas)
  return labelled(canvas, 'running', `process ${lock.pid} on ${foreign(lock.host)} since ${since}`, canvas.warn)
}

/** Sources stand above their layers, as in the report. */
function renderCoverage(canvas: Canvas, coverage: readonly CoverageStatus[]): string[] {
  if (coverage.length === 0) return [' no checkpoint: nothing was read to its end yet']
  const sources = [...new Set(coverage.map(({ source }) => source))]
  const sorted = sources.flatMap((source) => coverage.filter((row) => row.source === source))
  const [head = '', ...rows] = layOutTable(canvas, coverageColumns(canvas, sorted))
  const isFirst = (index: number): boolean => sorted[index]?.source !== sorted[index - 1]?.source
  return [
    head,
    ...rows.flatMap((row, index) => {
      if (!isFirst(index)) return [row]
      return [...hanging(canvas, ' ', foreign(sorted[index]?.source ?? ''), canvas.bold), row]
    }),
  ]
}

function coverageColumns(canvas: Canvas, rows: readonly CoverageStatus[]): readonly Column[] {
  const times = (heading: string, expendable: number, of: (row: CoverageStatus) => number): Column => {
    return column(heading, expendable, rows, (row) => ({ text: formatTimeWithAge(of(row), canvas) }))
  }
  return fitColumns(
    [
      column('layer', 0, rows, ({ layer }) => ({ text: `  ${layerTitle(layer)}` })),
      { ...column('anchors', 1, rows, ({ anchors }) => countCell(canvas, anchors)), align: 'right' },
      column('drained', 0, rows, (row) => ({ text: drainedText(row, canvas) })),
      times('in full', 2, ({ oldestFullAt }) => oldestFullAt),
    ],
    canvas.width,
  )
}

/** The anchors of a layer may be drained at different times: then the oldest is what counts. */
function drainedText({ oldestDrainedAt, newestDrainedAt }: CoverageStatus, canvas: Canvas): string {
  const oldest = formatTime(oldestDrainedAt, canvas)
  return `${oldestDrainedAt === newestDrainedAt ? '' : 'from '}${oldest}, ${formatAge(oldestDrainedAt, canvas.now)}`
}

function renderParked(canvas: Canvas, parked: ParkedStatus): string[] {
  const { outcome, reason, count, oldestAt, nextTryAt, attempts, example } = parked
  const next = nextTryAt === null ? 'with the next run' : `from ${formatTime(nextTryAt, canvas)} on`
  const title = `${foreign(outcome)} since ${formatTimeWithAge(oldestAt, canvas)}; sent ${timesText(attempts)}; again ${next}`
  return [
    ...hanging(canvas, ` ${formatCount(count)} `, title, canvas.warn),
    ...hanging(canvas, '   ', `"${foreign(reason)}"`),
    ...exampleLine(canvas, example),
  ]
}

function renderRefused(canvas: Canvas, { reason, count, software, example }: RefusedStatus): string[] {
  const by = software === null ? '' : ` by ${foreign(software)}`
  return [
    ...hanging(canvas, ` ${formatCount(count)} `, `refused for good${by}`, canvas.warn),
    ...hanging(canvas, '   ', `"${foreign(reason)}"`),
    ...exampleLine(canvas, example),
  ]
}

function exampleLine(canvas: Canvas, example: string | null): string[] {
  if (example === null) return []
  const prefix = '     e.g. '
  return [prefix + canvas.dim(ellipsizeMiddle(foreign(encodeEventId(example)), canvas.width - prefix.length))]
}

function renderRuns(canvas: Canvas, runs: readonly RunStatus[]): string[] {
  if (runs.length === 0) return []
  const columns = [
    column('run', 0, runs, ({ startedAt }) => ({ text: formatTimeWithAge(startedAt, canvas) })),
    column('command', 1, runs, ({ command }) => ({ text: command })),
    column('took', 2, runs, ({ durationMs }) => ({ text: durationMs === null ? '·' : formatDuration(durationMs) })),
    { ...column('sent', 4, runs, ({ published }) => countCell(canvas, published)), align: 'right' } as const,
    { ...column('parked', 3, runs, ({ parked }) => countCell(canvas, parked)), align: 'right' } as const,
    column('end', 0, runs, ({ exit }) => endCell(canvas, exit)),
  ]
  return layOutTable(canvas, fitColumns(columns, canvas.width))
}

function endCell(canvas: Canvas, exit: number | null): Cell {
  if (exit === null) return { text: 'no end', paint: canvas.warn }
  return { text: `${exitWord(exit)} (${exit})`, paint: exit === 0 ? canvas.good : canvas.warn }
}

function column<Row>(heading: string, expendable: number, rows: readonly Row[], cell: (row: Row) => Cell): Column {
  return { heading, align: 'left', expendable, cells: rows.map(cell) }
}

function timesText(attempts: number): string {
  return attempts === 0 ? 'never' : formatPlural(attempts, 'time')
}
