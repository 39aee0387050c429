import { encodeEventId } from '../../nostr/nip19.ts'
import type { Problem, Report } from '../../report/report.ts'
import type { UnixSeconds } from '../../time.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { meaningOf, meaningOfUnsent, mendsOf, pendingStep, reopeningOf } from './next-steps.ts'
import { ellipsizeMiddle, padText } from './text-width.ts'

/** How many reasons of one group are shown without `--verbose`. */
const MAX_REASONS = 6

/** Problems of one kind at one place, with their meaning and the next step. */
export type ProblemGroup = {
  readonly what: string
  readonly where: string
  readonly problems: readonly Problem[]
  readonly count: number
  readonly isAboutEvents: boolean
  readonly meaning: string
  /** Null if there is nothing to do. */
  readonly step: string | null
}

/**
 * Renders the problems in groups, one block per group: how many, where, each reason with an example, and the next step.
 */
export function renderProblems(canvas: Canvas, report: Pick<Report, 'problems' | 'heldBack'>): string[][] {
  const groups = groupProblems(report, canvas.now).map((group) => renderGroup(canvas, group))
  const last = groups.at(-1)
  if (last === undefined || report.problems.every(({ example }) => example === null)) return groups
  return [...groups.slice(0, -1), [...last, ...renderFollowUp(canvas)]]
}

/** The line below reasons with examples. */
export function renderFollowUp(canvas: Canvas): string[] {
  return hanging(canvas, ' ', 'the path of any of these events: ngit-sync why nevent1…', canvas.dim)
}

/** One group per kind of problem and place, most serious first. `now`: what is held back may have expired by then. */
export function groupProblems(
  { problems, heldBack }: Pick<Report, 'problems' | 'heldBack'>,
  now: UnixSeconds,
): ProblemGroup[] {
  const groups = new Map<string, Problem[]>()
  for (const problem of problems) {
    const key = JSON.stringify([problem.what, problem.where])
    groups.set(key, [...(groups.get(key) ?? []), problem])
  }
  return [...groups.values()]
    .flatMap((members) => (members[0] === undefined ? [] : [explainGroup(members[0], members, heldBack, now)]))
    .sort((a, b) => meaningOf(a.what).rank - meaningOf(b.what).rank)
}

function explainGroup(
  { what, where }: Problem,
  problems: readonly Problem[],
  heldBack: Report['heldBack'],
  now: UnixSeconds,
): ProblemGroup {
  const { isAboutEvents } = meaningOf(what)
  const { meaning, step: usual } =
    what === 'unsent' ? meaningOfUnsent(problems.map(({ reason }) => reason)) : meaningOf(what)
  const step = stepFor(what, usual, { problems, pending: pendingStep(heldBack, now) })
  const count = problems.reduce((sum, problem) => sum + problem.count, 0)
  return { what, where, problems, count, isAboutEvents, meaning, step }
}

function renderGroup(canvas: Canvas, group: ProblemGroup): string[] {
  const { what, where, problems, count, isAboutEvents, meaning, step } = group
  const place = where === '' ? '' : `${isAboutEvents ? ' at' : ''} ${foreign(where)}`
  const title = `${foreign(what)}${place}${meaning === '' ? '' : `: ${meaning}`}`
  return [
    ...hanging(canvas, isAboutEvents ? ` ${formatCount(count)} ` : ' ', title, canvas.warn),
    ...renderReasons(canvas, problems, isAboutEvents && problems.length > 1),
    ...(step === null ? [] : hanging(canvas, '   → ', step)),
  ]
}

/** Another run reads the rest, unless something has to be fixed first. */
function stepFor(
  what: string,
  usual: string | null,
  { problems, pending }: { readonly problems: readonly Problem[]; readonly pending: string },
): string | null {
  if (what === 'pending') return pending
  const mends = what === 'source' ? mendsOf(problems) : []
  return mends.length === 0 ? usual : `${mends.join('. ')}: until then no run reads it to its end.`
}

/** A single reason needs no number: the group has it. */
function renderReasons(canvas: Canvas, problems: readonly Problem[], isCounted: boolean): string[] {
  const sorted = [...problems].sort((a, b) => b.count - a.count)
  const shown = canvas.verbose ? sorted : sorted.slice(0, MAX_REASONS)
  const width = Math.max(...sorted.map(({ count }) => formatCount(count).length))
  const lines = shown.flatMap(({ what, reason, count, example }) => {
    const prefix = isCounted ? `   ${padText(formatCount(count), width, 'right')} ` : '   '
    return [
      ...hanging(canvas, prefix, `"${foreign(reason)}"${timesText(what, count)}`),
      ...renderExample(canvas, example),
      ...(what === 'refused' ? renderCure(canvas, reason) : []),
    ]
  })
  const hidden = sorted.slice(shown.length)
  return hidden.length === 0 ? lines : [...lines, ...hanging(canvas, '   ', hiddenReasons(hidden), canvas.dim)]
}

/** The line below a reason that says when the event is sent again, if the reason tells. */
export function renderCure(canvas: Canvas, reason: string): string[] {
  const cure = reopeningOf(reason)
  return cure === undefined ? [] : hanging(canvas, '     ', `sent again ${cure}`, canvas.dim)
}

/** Problems that are not about events count filters, lines or the like. */
function timesText(what: string, count: number): string {
  if (meaningOf(what).isAboutEvents || count < 2) return ''
  return what === 'source' ? ` (${formatCount(count)} filters)` : ` (${formatCount(count)} times)`
}

/** The line below a reason that names one event, in full if it fits. */
export function renderExample(canvas: Canvas, example: string | null): string[] {
  if (example === null) return []
  const prefix = '     e.g. '
  return [prefix + canvas.dim(ellipsizeMiddle(foreign(encodeEventId(example)), canvas.width - prefix.length))]
}

function hiddenReasons(hidden: readonly Problem[]): string {
  const count = hidden.reduce((sum, problem) => sum + problem.count, 0)
  return `and ${formatCount(count)} more for ${formatPlural(hidden.length, 'other reason')}: --verbose and --json show all`
}
