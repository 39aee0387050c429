import { encodeEventId } from '../nostr/nip19.ts'
import type { Problem } from '../report.ts'
import { foreign, hanging, type Canvas } from './canvas.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { meaningOf } from './next-steps.ts'
import { ellipsizeMiddle, padText } from './text-width.ts'

/** How many reasons of one group are shown without `--verbose`. */
const MAX_REASONS = 6

type Group = { readonly what: string; readonly where: string; readonly problems: readonly Problem[] }

/** The problems in groups: how many, where, each reason with an example, and the next step. One block of lines per group. */
export function renderProblems(canvas: Canvas, problems: readonly Problem[]): string[][] {
  return groupProblems(problems).map((group) => renderGroup(canvas, group))
}

/** One group per kind of problem and place, the gravest first. */
function groupProblems(problems: readonly Problem[]): Group[] {
  const groups = new Map<string, Problem[]>()
  for (const problem of problems) {
    const key = JSON.stringify([problem.what, problem.where])
    groups.set(key, [...(groups.get(key) ?? []), problem])
  }
  return [...groups.values()]
    .flatMap((members) => (members[0] === undefined ? [] : [{ ...members[0], problems: members }]))
    .sort((a, b) => meaningOf(a.what).rank - meaningOf(b.what).rank)
}

function renderGroup(canvas: Canvas, { what, where, problems }: Group): string[] {
  const { meaning, step, counts } = meaningOf(what)
  const count = problems.reduce((sum, problem) => sum + problem.count, 0)
  const place = where === '' ? '' : `${counts === 'events' ? ' at' : ''} ${foreign(where)}`
  const title = `${foreign(what)}${place}${meaning === '' ? '' : `: ${meaning}`}`
  const prefix = counts === 'events' ? ` ${formatCount(count)} ` : ' '
  return [
    ...hanging(canvas, prefix, title, canvas.warn),
    ...renderReasons(canvas, problems),
    ...(step === null ? [] : hanging(canvas, '   → ', step)),
  ]
}

/** A reason that stands alone needs no number: the group has it. */
function renderReasons(canvas: Canvas, problems: readonly Problem[]): string[] {
  const sorted = [...problems].sort((a, b) => b.count - a.count)
  const shown = canvas.verbose ? sorted : sorted.slice(0, MAX_REASONS)
  const width = problems.length === 1 ? 0 : Math.max(...sorted.map(({ count }) => formatCount(count).length)) + 1
  const lines = shown.flatMap((problem) => {
    const prefix = width === 0 ? '   ' : `   ${padText(formatCount(problem.count), width - 1, 'right')} `
    return [...hanging(canvas, prefix, `"${foreign(problem.reason)}"`), ...renderExample(canvas, problem)]
  })
  const hidden = sorted.slice(shown.length)
  return hidden.length === 0 ? lines : [...lines, ...hanging(canvas, '   ', hiddenReasons(hidden), canvas.dim)]
}

function renderExample(canvas: Canvas, { example }: Problem): string[] {
  if (example === null) return []
  const prefix = '     e.g. '
  return [prefix + canvas.dim(ellipsizeMiddle(foreign(encodeEventId(example)), canvas.width - prefix.length))]
}

function hiddenReasons(hidden: readonly Problem[]): string {
  const count = hidden.reduce((sum, problem) => sum + problem.count, 0)
  return `and ${formatCount(count)} more for ${formatPlural(hidden.length, 'other reason')}: --verbose and --json show all`
}
