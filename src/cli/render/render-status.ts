import type {
  CheckpointStatus,
  ParkedStatus,
  RefusedStatus,
  RunStatus,
  SourceStatus,
  Status,
  TargetStatus,
} from '../../report/status.ts'
import type { UnixSeconds } from '../../time.ts'
import { createCanvas, hanging, joinBlocks, labelled, type Canvas, type RenderOptions } from './canvas.ts'
import { exitWord } from '../exit-codes.ts'
import { foreign } from './foreign.ts'
import { formatAge, formatTime, formatTimeWithAge } from './format-time.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { renderJson } from './render-json.ts'
import { layerTitle } from './layer-title.ts'
import { column, countCell, fitColumns, layOutTable, type Cell, type Column } from './table.ts'
import { renderCure, renderExample, renderFollowUp } from './render-problems.ts'
import { renderRepositoryTable } from './render-repositories.ts'

/**
 * Renders the status: per target the checkpoints, the waiting and refused events, and the last runs. Import it lazily.
 */
export function renderStatus(status: Status, options: RenderOptions): string {
  const canvas = createCanvas(options)
  const head = labelled(canvas, 'state', foreign(status.stateFile))
  if (status.targets.length === 0) return joinBlocks([head, ['no run has been made yet']])
  return joinBlocks([head, ...status.targets.flatMap((target) => renderTarget(canvas, target))])
}

/** Renders the status as one JSON document with a newline at its end. */
export function renderStatusJson(status: Status): string {
  return renderJson(status)
}

function renderTarget(canvas: Canvas, target: TargetStatus): string[][] {
  return [
    [...labelled(canvas, 'target', targetText(target), canvas.bold), ...renderLock(canvas, target)],
    renderSources(canvas, target),
    ...target.parked.map((parked) => renderParked(canvas, parked)),
    ...target.refused.map((refused) => renderRefused(canvas, refused)),
    [...renderReopening(canvas, target.refused), ...renderPaths(canvas, target)],
    renderRepositoryTable(canvas, target.repositories, target.repositoriesLeftOut),
    renderRuns(canvas, target),
  ]
}

function targetText({ target, shard }: TargetStatus): string {
  return foreign(target) + (shard === null ? '' : ` · shard ${shard.number} of ${shard.of}`)
}

function renderLock(canvas: Canvas, { lock }: TargetStatus): string[] {
  if (lock === null) return []
  const since = formatTimeWithAge(lock.startedAt, canvas)
  return labelled(canvas, 'running', `process ${lock.pid} on ${foreign(lock.host)} since ${since}`, canvas.warn)
}

/** Sources stand above their layers, as in the report; those that were never read to their end have none. */
function renderSources(canvas: Canvas, { sources, coverage }: TargetStatus): string[] {
  if (coverage.length === 0 && sources.length === 0)
    return hanging(canvas, ' ', 'no checkpoint: no relay was read to its end yet (files have no checkpoints)')
  const urls = [...new Set([...sources, ...coverage].map(({ source }) => source))]
  const sorted = urls.flatMap((url) => coverage.filter((row) => row.source === url))
  const [head = '', ...rows] = sorted.length === 0 ? [] : layOutTable(canvas, checkpointColumns(canvas, sorted))
  const below = urls.flatMap((url) => [
    ...hanging(canvas, ' ', foreign(url), canvas.bold),
    ...renderSourceState(
      canvas,
      sources.find(({ source }) => source === url),
    ),
    ...rows.filter((_, index) => sorted[index]?.source === url),
  ])
  return head === '' ? below : [head, ...below]
}

function renderSourceState(canvas: Canvas, source: SourceStatus | undefined): string[] {
  if (source === undefined || source.state === 'unknown') return []
  const { state, since, reason, drainedAt } = source
  const start = formatTimeWithAge(since, canvas)
  if (state === 'drained') return hanging(canvas, '   ', `read to its end in every run since ${start}`, canvas.good)
  const what = state === 'unreached' ? 'not reached' : 'not read to its end'
  const why = reason === null ? '' : `: ${foreign(reason)}`
  const last = drainedAt === null ? 'never drained' : `last drained ${formatTime(drainedAt, canvas)}`
  return hanging(canvas, '   ', `${what} since ${start}; ${last}${why}`, canvas.warn)
}

function checkpointColumns(canvas: Canvas, rows: readonly CheckpointStatus[]): readonly Column[] {
  return fitColumns(
    [
      column({ heading: 'layer', expendable: 0 }, rows, ({ layer }) => ({ text: `  ${layerTitle(layer)}` })),
      column({ heading: 'anchors', expendable: 1, align: 'right' }, rows, ({ anchors }) => countCell(canvas, anchors)),
      column({ heading: 'drained', expendable: 0 }, rows, (row) => ({ text: drainedText(row, canvas) })),
      column({ heading: 'in full', expendable: 2 }, rows, ({ oldestFullAt }) => ({
        text: formatTime(oldestFullAt, canvas),
      })),
    ],
    canvas.width,
  )
}

/** Anchors of a layer may be drained at different times; the oldest time counts. */
function drainedText({ oldestDrainedAt, newestDrainedAt }: CheckpointStatus, canvas: Canvas): string {
  const oldest = formatTime(oldestDrainedAt, canvas)
  return `${oldestDrainedAt === newestDrainedAt ? '' : 'from '}${oldest}, ${formatAge(oldestDrainedAt, canvas.now)}`
}

function renderParked(canvas: Canvas, parked: ParkedStatus): string[] {
  const { outcome, reason, count, oldestAt, attempts, example, obstacle } = parked
  const next = nextText(parked.nextTryAt, canvas)
  const title = `${foreign(outcome)} since ${formatTimeWithAge(oldestAt, canvas)}; sent ${count > 1 && attempts > 0 ? 'at most ' : ''}${timesText(attempts)}; again ${next}`
  return [
    ...hanging(canvas, ` ${formatCount(count)} `, title, canvas.warn),
    ...hanging(canvas, '   ', `"${foreign(reason)}"`),
    ...renderObstacle(canvas, obstacle),
    ...renderKept(canvas, parked),
    ...renderExample(canvas, example),
  ]
}

/** A time in the past needs no waiting. */
function nextText(nextTryAt: UnixSeconds | null, canvas: Canvas): string {
  return nextTryAt === null || nextTryAt <= canvas.now
    ? 'with the next run'
    : `from ${formatTime(nextTryAt, canvas)} on`
}

function renderObstacle(canvas: Canvas, obstacle: string | null): string[] {
  return obstacle === null ? [] : hanging(canvas, '   ', `needs ${foreign(obstacle)}`)
}

/** The target keeps events that wait for git data only for a limited time; after that a push does not help. */
function renderKept(canvas: Canvas, { keptUntil }: ParkedStatus): string[] {
  if (keptUntil === null) return []
  const text =
    keptUntil > canvas.now
      ? `the target keeps the first until ${formatTime(keptUntil, canvas)}`
      : 'the target no longer keeps the first: its purgatory has expired'
  return hanging(canvas, '   ', text)
}

function renderRefused(canvas: Canvas, { outcome, reason, count, software, example }: RefusedStatus): string[] {
  const by = software === null ? '' : ` by ${foreign(software)}`
  const title = outcome === 'duplicate' ? 'held, but not served' : 'refused for good'
  return [
    ...hanging(canvas, ` ${formatCount(count)} `, `${title}${by}`, canvas.warn),
    ...hanging(canvas, '   ', `"${foreign(reason)}"`),
    ...renderExample(canvas, example),
    ...renderCure(canvas, reason),
  ]
}

/** What reopens refusals besides the cures in their texts. */
function renderReopening(canvas: Canvas, refused: readonly RefusedStatus[]): string[] {
  const text =
    "These events are sent again after 30 days, when the target's software changes, or by `ngit-sync retry --refused`."
  return refused.length === 0 ? [] : hanging(canvas, '   → ', text)
}

function renderPaths(canvas: Canvas, { parked, refused }: TargetStatus): string[] {
  return parked.length + refused.length === 0 ? [] : renderFollowUp(canvas)
}

function renderRuns(canvas: Canvas, { runs, lock }: TargetStatus): string[] {
  if (runs.length === 0) return []
  const columns = [
    column({ heading: 'run', expendable: 0 }, runs, ({ startedAt }) => ({
      text: formatTimeWithAge(startedAt, canvas),
    })),
    column({ heading: 'command', expendable: 1 }, runs, ({ command }) => ({ text: command })),
    column({ heading: 'took', expendable: 2, align: 'right' }, runs, ({ durationMs }) => ({
      text: durationMs === null ? '·' : formatDuration(durationMs),
    })),
    column({ heading: 'sent', expendable: 4, align: 'right' }, runs, ({ published }) => countCell(canvas, published)),
    column({ heading: 'parked', expendable: 3, align: 'right' }, runs, ({ parked }) => countCell(canvas, parked)),
    column({ heading: 'end', expendable: 0 }, runs, (run) => endCell(canvas, run, lock)),
  ]
  const [head = '', ...rows] = layOutTable(canvas, fitColumns(columns, canvas.width))
  return [head, ...rows.flatMap((row, index) => [row, ...renderReason(canvas, runs[index])])]
}

function renderReason(canvas: Canvas, run: RunStatus | undefined): string[] {
  return run === undefined || run.reason === null ? [] : hanging(canvas, '   ', foreign(run.reason), canvas.dim)
}

/** A run without an end goes on if it holds the lock; else it was killed, or the machine lost its power. */
function endCell(canvas: Canvas, { exit, startedAt }: RunStatus, lock: TargetStatus['lock']): Cell {
  if (exit === null && lock !== null && startedAt >= lock.startedAt) return { text: 'running', paint: canvas.warn }
  if (exit === null) return { text: 'killed', paint: canvas.warn }
  return { text: `${exitWord(exit)} (${exit})`, paint: exit === 0 ? canvas.good : canvas.warn }
}

function timesText(attempts: number): string {
  return attempts === 0 ? 'never' : formatPlural(attempts, 'time')
}
