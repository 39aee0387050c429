import type { LayerReport, Outcome, Report } from '../../report/report.ts'

/** Final outcomes without the event at the target. */
export const REFUSED: readonly Outcome[] = [
  'refused',
  'invalid',
  'protected',
  'expired',
  'deleted',
  'vanished',
  'too-large',
  'given-up',
]

/** Problems that do not affect the promise: invalid events at a source, notices, extra parents that were copied. */
const HARMLESS: readonly string[] = ['invalid', 'notice', 'parent']

/** Whether `--quiet` prints nothing: the run ended well, and the target refused nothing new. */
export function isAllWell(report: Report): boolean {
  const { exit, dryRun, totals, problems, layers } = report
  const isTold = problems.every(({ what, where }) => isRemembered(what, where, report) || HARMLESS.includes(what))
  return exit === 0 && isTold && countRefused(layers) === 0 && !(dryRun && totals.published > 0)
}

/** Refusals at the target appear in every report from the run in which they happened. */
export function isRemembered(what: string, where: string, { target }: Report): boolean {
  return where === target && REFUSED.some((outcome) => outcome === what)
}

/** How many events the target refused for good in this run. */
export function countRefused(layers: readonly LayerReport[]): number {
  return layers.reduce((sum, layer) => sum + sumOutcomes(layer, REFUSED), 0)
}

/** How many events of a layer have one of these outcomes. */
export function sumOutcomes(layer: LayerReport, outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, outcome) => sum + (layer.outcomes[outcome] ?? 0), 0)
}
