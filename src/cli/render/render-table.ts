import type { Report } from '../../report/report.ts'
import { createCanvas, labelled, linesOf, type Canvas, type RenderOptions } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { formatTime } from './format-time.ts'
import { renderCheck } from './render-check.ts'
import { renderCopies } from './render-copies.ts'
import { countRefused, isRemembered } from './all-well.ts'
import { renderLayers, renderLeftOut } from './render-layers.ts'
import { renderGit } from './render-git.ts'
import { renderHeldBack } from './render-held-back.ts'
import { renderProblems } from './render-problems.ts'
import { renderRepositories } from './render-repositories.ts'
import { renderSourceLines, renderSourceTables } from './render-sources.ts'
import { renderVerdict } from './render-verdict.ts'
import { groupShards, howShardsEnded, nameShards } from './shard-words.ts'

/**
 * Renders the report: what was asked, what came, what is wrong, and the verdict last. A run with nothing to do is one
 * sentence, unless `verbose`. No line is wider than `width`, but for commands to copy; ends with a newline.
 */
export function renderReport(report: Report, options: RenderOptions): string {
  return [...reportLines(report, options)].join('')
}

/** The same in pieces. */
export function reportLines(report: Report, options: RenderOptions): Iterable<string> {
  return linesOf(renderBlocks(report, options))
}

function renderBlocks(report: Report, options: RenderOptions): Iterable<string>[] {
  const canvas = createCanvas(options)
  const notes = report.notes.flatMap((note) => labelled(canvas, 'note', foreign(note)))
  if (hasNothingToTell(report) && !canvas.verbose)
    return [notes, ...renderGit(canvas, report.git), renderVerdict(canvas, report)]
  return [
    [...renderHead(canvas, report), ...renderSourceLines(canvas, report.sources)],
    report.command === 'check' ? renderLeftOut(canvas, report.layers) : renderLayers(canvas, report),
    renderSourceTables(canvas, report),
    ...renderProblems(canvas, report),
    renderHeldBack(canvas, report.heldBack),
    renderRepositories(canvas, report),
    notes,
    ...(report.check === null ? [] : renderCheck(canvas, report, report.check)),
    ...renderGit(canvas, report.git),
    ...renderCopies(canvas, report),
    renderVerdict(canvas, report),
  ]
}

/** The verdict alone is enough if nothing was sent and nothing is wrong that earlier runs did not report. */
function hasNothingToTell(report: Report): boolean {
  const { exit, totals, problems, layers } = report
  const isTold = problems.every(({ what, where }) => isRemembered(what, where, report))
  return exit === 0 && isTold && countRefused(layers) === 0 && totals.published === 0 && totals.parked === 0
}

function renderHead(canvas: Canvas, report: Report): string[] {
  const { target, targetSoftware, scope, dryRun, command } = report
  const software = targetSoftware === null ? '' : ` · ${foreign(targetSoftware)}`
  const repositories = formatPlural(scope.repositories, 'repository', 'repositories')
  return [
    ...(dryRun && command !== 'check' ? labelled(canvas, 'dry run', 'nothing is sent', canvas.warn) : []),
    ...labelled(canvas, 'target', foreign(target) + software),
    ...renderShard(canvas, report),
    ...labelled(canvas, 'scope', `${scope.kind}: ${repositories} · ${foreign(scope.why)}`),
    ...renderWindow(canvas, report),
  ]
}

function renderShard(canvas: Canvas, { shard, merged }: Report): string[] {
  if (shard !== null) return labelled(canvas, 'shard', `${shard.number} of ${shard.of}`)
  if (merged === null) return []
  const groups = groupShards(merged)
  const isWhole = groups.every(({ exit }) => exit === 0)
  const ends = isWhole ? [] : groups.map((group) => `${howShardsEnded(group)}: ${nameShards(group.numbers)}`)
  const there = `${formatCount(merged.shards.length)} of ${formatCount(merged.of)} shards`
  return labelled(canvas, 'merged', [there, ...ends].join(' · '), isWhole ? canvas.plain : canvas.warn)
}

function renderWindow(canvas: Canvas, { window }: Report): string[] {
  if (window === null) return []
  const since = window.since === null ? 'the beginning' : formatTime(window.since, canvas)
  const until = window.until === null ? 'the end' : formatTime(window.until, canvas)
  return labelled(canvas, 'window', `created_at from ${since} to ${until}`)
}
