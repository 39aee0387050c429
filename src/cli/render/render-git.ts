import { standingOf } from '../../report/git-standing.ts'
import type { GitRepair, GitReport, GitRepositoryReport } from '../../report/git-report.ts'
import { escapeForTerminal } from '../escape.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatBytes, formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { howItEnded, whatIsThere, whatToDo, whoHasIt } from './git-words.ts'
import { labelRepositories } from './render-check.ts'
import { column, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'
import { ellipsize } from './text-width.ts'

const MAX_ROWS = 10
/** They are long. */
const MAX_COMMANDS = 3
/** Repairs after which there is nothing to explain. */
const ENDED: readonly GitRepair['outcome'][] = ['released', 'already']
const NARROWEST_LABEL = 20
const FOUND_WIDTH = 44
const NAME_WIDTH = 20
const ROOM_FOR_NAMES = 130

/**
 * Renders what git servers serve: the repositories that are not as signed, worst first, with what to do, and the
 * commands to copy, which alone may be wider than the canvas. One line if all is well.
 */
export function renderGit(canvas: Canvas, git: GitReport | null): string[][] {
  if (git === null) return []
  const troubled = git.list.filter((row) => standingOf(row) !== 'in sync')
  const shown = canvas.verbose ? troubled : troubled.slice(0, MAX_ROWS)
  return [
    renderRepairs(canvas, git),
    [...renderRows(canvas, shown), ...renderSummary(canvas, git, troubled.length + git.leftOut - shown.length)],
    ...renderCommands(canvas, shown),
  ]
}

/** What a repair did: the numbers, and each repository that it did not bring to an end. */
function renderRepairs(canvas: Canvas, { repairs, list }: GitReport): string[] {
  const counts = Object.entries(repairs).map(([outcome, count]) => `${formatCount(count)} ${outcome}`)
  if (counts.length === 0) return []
  const open = list.filter(({ repair }) => repair !== null && !ENDED.includes(repair.outcome))
  const shown = canvas.verbose ? open : open.slice(0, MAX_ROWS)
  const labels = labelRepositories(
    shown.map(({ repository }) => ({ address: repository })),
    NAME_WIDTH + NARROWEST_LABEL,
  )
  return [
    ...hanging(canvas, ' ', `repair of git data: ${counts.join(', ')}`),
    ...shown.flatMap(({ repair }, index) =>
      repair === null ? [] : hanging(canvas, '  ', `${labels[index] ?? ''}: ${howItEnded(repair)}`),
    ),
  ]
}

function renderRows(canvas: Canvas, rows: readonly GitRepositoryReport[]): string[] {
  if (rows.length === 0) return []
  const columns = fitColumns(columnsOf(canvas, rows), canvas.width - NARROWEST_LABEL - 2)
  const width = Math.max(NARROWEST_LABEL, canvas.width - tableWidth(columns) - 2)
  const labels = labelRepositories(
    rows.map(({ repository }) => ({ address: repository })),
    width,
  )
  const first: Column = {
    heading: 'git data of',
    align: 'left',
    cells: labels.map((text) => ({ text })),
    expendable: 0,
  }
  return layOutTable(canvas, fitColumns([first, ...columns], canvas.width))
}

function columnsOf(canvas: Canvas, rows: readonly GitRepositoryReport[]): Column[] {
  const name = column({ heading: 'name', expendable: 2 }, rows, (row) => ({
    text: ellipsize(foreign(row.name ?? ''), NAME_WIDTH),
  }))
  return [
    ...(canvas.width >= ROOM_FOR_NAMES ? [name] : []),
    column({ heading: 'at the target', expendable: 0 }, rows, ({ places: [own] }) => ({
      text: own === undefined ? '·' : ellipsize(whatIsThere(own), FOUND_WIDTH),
      paint: canvas.warn,
    })),
    column({ heading: 'data at', expendable: 1 }, rows, (row) => ({ text: whoHasIt(row) })),
    column({ heading: 'do', expendable: 0 }, rows, (row) => ({
      text: whatToDo(row, canvas),
      paint: row.remedy.type === 'lost' ? canvas.bad : canvas.plain,
    })),
  ]
}

function renderSummary(canvas: Canvas, git: GitReport, hidden: number): string[] {
  const more = `and ${formatCount(hidden)} more: --verbose and --json show them`
  return [...(hidden > 0 ? hanging(canvas, ' ', more, canvas.dim) : []), ...hanging(canvas, ' ', summarizeGit(git))]
}

/** How many repositories are as signed, and what it took to find out. */
export function summarizeGit(git: GitReport): string {
  const { repositories, inSync, requests, bytes, milliseconds, cloned, verdicts, stopped } = git
  if (stopped !== null && stopped.repositories === repositories)
    return `git data was not looked at, because the run was stopped: ${foreign(stopped.reason)}`
  const unsigned = verdicts['no state announced'] ?? 0
  const all = formatPlural(repositories, 'repository', 'repositories')
  const well =
    inSync === repositories
      ? `git data of ${all} is as signed`
      : `git data of ${formatCount(inSync)} of ${all} is as signed`
  const parts = [
    well,
    ...(unsigned > 0 ? [`${formatCount(unsigned)} of these without a state`] : []),
    ...(cloned === null ? [] : [`${formatCount(cloned)} cloned to prove it`]),
    ...(stopped === null
      ? []
      : [
          `${formatCount(stopped.repositories)} not looked at, because the run was stopped: ${foreign(stopped.reason)}`,
        ]),
  ]
  const costs = `${formatPlural(requests, 'request')}, ${formatBytes(bytes)}, ${formatDuration(milliseconds)}`
  return `${parts.join(', ')} (${costs})`
}

/** Commands are not wrapped: what is copied must run. */
function renderCommands(canvas: Canvas, rows: readonly GitRepositoryReport[]): string[][] {
  const commands = rows.flatMap(({ remedy }) => (remedy.type === 'operator' ? [remedy.command] : []))
  if (commands.length === 0) return []
  const shown = canvas.verbose ? commands : commands.slice(0, MAX_COMMANDS)
  const hidden = commands.length - shown.length
  const intro =
    'No push mends these. The operator of the target runs this where its git data lies (in its container), as its user:'
  const more = `and ${formatPlural(hidden, 'more command')}: --verbose and --json show all`
  return [
    [
      ...hanging(canvas, ' ', intro),
      ...shown.map((command) => ` $ ${escapeForTerminal(command)}`),
      ...(hidden === 0 ? [] : hanging(canvas, ' ', more, canvas.dim)),
    ],
  ]
}
