import type { Problem, Report } from '../report.ts'
import { createCanvas, foreign, joinBlocks, labelled, type Canvas, type RenderOptions } from './canvas.ts'
import { formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { renderLayers } from './render-layers.ts'
import { renderProblems } from './render-problems.ts'
import { renderSourceLines, renderSourceTables } from './render-sources.ts'
import { renderVerdict } from './render-verdict.ts'

/**
 * The report for a person: what was asked, what came, what is wrong, and the verdict last. A run that had nothing to do is one
 * sentence, unless `verbose`. No line is wider than `width`; ends with a newline. Loads chalk and cli-table3: import it lazily.
 */
export function renderReport(report: Report, options: RenderOptions): string {
  const canvas = createCanvas(options)
  const notes = report.notes.flatMap((note) => labelled(canvas, 'note', foreign(note)))
  if (hasNothingToTell(report) && !canvas.verbose) return joinBlocks([notes, renderVerdict(canvas, report)])
  return joinBlocks([
    [...renderHead(canvas, report), ...renderSourceLines(canvas, report.sources)],
    renderLayers(canvas, report),
    renderSourceTables(canvas, report),
    ...renderProblems(canvas, report.problems),
    notes,
    renderVerdict(canvas, report),
  ])
}

/** Whether `--quiet` prints nothing: the run ended well, and nothing was refused in it that the operator has not been told. */
export function isAllWell(report: Report): boolean {
  const isHarmless = ({ what, where }: Problem): boolean => {
    return what === 'notice' || what === 'parent' || (what === 'invalid' && where !== report.target)
  }
  return report.exit === 0 && report.problems.every(isHarmless) && !(report.dryRun && report.totals.published > 0)
}

function hasNothingToTell(report: Report): boolean {
  return (
    report.exit === 0 && report.problems.length === 0 && report.totals.published === 0 && report.totals.parked === 0
  )
}

function renderHead(canvas: Canvas, report: Report): string[] {
  const { target, targetSoftware, scope, dryRun } = report
  const software = targetSoftware === null ? '' : ` · ${foreign(targetSoftware)}`
  const repositories = formatPlural(scope.repositories, 'repository', 'repositories')
  return [
    ...(dryRun ? labelled(canvas, 'dry run', 'nothing is sent', canvas.warn) : []),
    ...labelled(canvas, 'target', foreign(target) + software),
    ...labelled(canvas, 'scope', `${scope.kind}: ${repositories} · ${foreign(scope.why)}`),
    ...renderWindow(canvas, report),
  ]
}

function renderWindow(canvas: Canvas, { window }: Report): string[] {
  if (window === null) return []
  const since = window.since === null ? 'the beginning' : formatTime(window.since, canvas)
  const until = window.until === null ? 'the end' : formatTime(window.until, canvas)
  return labelled(canvas, 'window', `created_at from ${since} to ${until}`)
}
