import type { CopiesReport, GitCopies, RepositoryCopies } from '../../report/copies-report.ts'
import type { Report } from '../../report/report.ts'
import { hanging, type Canvas } from './canvas.ts'
import { raisingCommands, shortEnd, spreadOfCopies, whoLacks } from './copies-words.ts'
import { foreign } from './foreign.ts'
import { hostOf } from './git-words.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { labelRepositories } from './render-check.ts'
import { column, countCell, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'
import { ellipsize } from './text-width.ts'

const MAX_ROWS = 10
const NARROWEST_LABEL = 20
const NAME_WIDTH = 20
const LACKING_WIDTH = 50
const ROOM_FOR_NAMES = 110

type Labelled = Pick<RepositoryCopies, 'repository' | 'name'>

/**
 * Renders at how many ends events are, the repositories with too few copies (the worst ten; all with `verbose`), and the
 * commands that would change that, which alone may be wider than the canvas.
 */
export function renderCopies(canvas: Canvas, report: Pick<Report, 'scope' | 'check' | 'git'>): Iterable<string>[] {
  const copies = report.check?.copies ?? null
  const git = report.git?.copies ?? null
  return [
    ...(copies === null ? [] : [renderEvents(canvas, copies), renderCommands(canvas, copies, report)]),
    ...(git === null ? [] : [renderServers(canvas, git)]),
  ]
}

function* renderEvents(canvas: Canvas, copies: CopiesReport): Generator<string> {
  const { repositories, repositoriesLeftOut, wanted, ends, list } = copies
  const shown = canvas.verbose ? repositories : repositories.slice(0, MAX_ROWS)
  const columns = [
    column({ heading: 'events', expendable: 1, align: 'right' }, shown, ({ events }) => countCell(canvas, events)),
    column({ heading: 'fewest', expendable: 2, align: 'right' }, shown, ({ fewest }) => countCell(canvas, fewest)),
    ...countsOf(canvas, shown, `fewer than ${wanted}`, ({ below }) => below),
    ...countsOf(canvas, shown, 'perhaps fewer', ({ undecided }) => undecided),
    column({ heading: 'not at', expendable: 0 }, shown, (row) => ({ text: ellipsize(whoLacks(row), LACKING_WIDTH) })),
  ]
  yield* hanging(canvas, ' ', spreadOfCopies(copies))
  for (const { url, events, reason } of ends)
    if (reason !== null) yield* hanging(canvas, ' ', `${unreadText(url, events)}: ${foreign(reason)}`, canvas.warn)
  yield* layOutRows(canvas, shown, columns)
  yield* renderMore(canvas, repositories.length - shown.length + repositoriesLeftOut)
  for (const { id, at } of list ?? [])
    yield* hanging(canvas, ' ', `${foreign(id)} at ${at.map(shortEnd).join(', ') || 'none'}`)
}

function unreadText(url: string, events: number): string {
  return `${shortEnd(url)} was not read to its end, and may have more than the ${formatPlural(events, 'event')} that it showed`
}

function countsOf<Row>(canvas: Canvas, rows: readonly Row[], heading: string, of: (row: Row) => number): Column[] {
  if (rows.every((row) => of(row) === 0)) return []
  return [column({ heading, expendable: 0, align: 'right' }, rows, (row) => countCell(canvas, of(row), canvas.warn))]
}

/** Git data: a line, and the repositories that too few servers show. */
function renderServers(canvas: Canvas, { histogram, repositories, list, leftOut }: GitCopies): string[] {
  const shown = canvas.verbose ? list : list.slice(0, MAX_ROWS)
  const bins = histogram.filter((bin) => bin.repositories > 0).toReversed()
  const spread = bins.map((bin) => `${formatCount(bin.repositories)} at ${formatPlural(bin.copies, 'server')}`)
  const all = formatPlural(repositories, 'repository', 'repositories')
  const columns = [
    column({ heading: 'servers', expendable: 0, align: 'right' }, shown, ({ copies }) => countCell(canvas, copies)),
    ...countsOf(canvas, shown, 'not asked', ({ unasked }) => unasked),
    column({ heading: 'whole at', expendable: 0 }, shown, ({ at }) => ({
      text: ellipsize(hostsOf(at), LACKING_WIDTH),
    })),
  ]
  return [
    ...hanging(canvas, ' ', `git data of ${all} with a state: ${spread.join(' · ') || 'none'}`),
    ...layOutRows(canvas, shown, columns),
    ...renderMore(canvas, list.length - shown.length + leftOut),
  ]
}

function hostsOf(urls: readonly string[]): string {
  return urls.map(hostOf).join(', ') || 'no server'
}

function layOutRows(canvas: Canvas, rows: readonly Labelled[], counts: readonly Column[]): string[] {
  if (rows.length === 0) return []
  const name = column({ heading: 'name', expendable: 3 }, rows, (row) => ({
    text: ellipsize(foreign(row.name ?? ''), NAME_WIDTH),
  }))
  const others = fitColumns(
    canvas.width >= ROOM_FOR_NAMES ? [name, ...counts] : counts,
    canvas.width - NARROWEST_LABEL - 2,
  )
  const width = Math.max(NARROWEST_LABEL, canvas.width - tableWidth(others) - 2)
  const labels = labelRepositories(
    rows.map(({ repository }) => ({ address: repository })),
    width,
  )
  const first: Column = {
    heading: 'repository',
    align: 'left',
    cells: labels.map((text) => ({ text })),
    expendable: 0,
  }
  return layOutTable(canvas, fitColumns([first, ...others], canvas.width))
}

function renderMore(canvas: Canvas, hidden: number): string[] {
  if (hidden === 0) return []
  return hanging(canvas, ' ', `and ${formatCount(hidden)} more: --verbose and --json show them`, canvas.dim)
}

/** Commands are not wrapped: what is copied must run. */
function renderCommands(canvas: Canvas, copies: CopiesReport, report: Pick<Report, 'scope' | 'check'>): string[] {
  const commands = raisingCommands(report)
  const example = copies.repositories[0]?.example
  if (commands.length === 0 || example === undefined) return []
  const width = report.scope.kind === 'named' ? ' (with the same --repo and --author)' : ''
  return [
    ...hanging(canvas, ' ', `To have these events where they are lacking${width}, the worst first:`),
    ...commands.map((command) => `   ${command}`),
    ...hanging(canvas, ' ', `the path of one of them: ngit-sync why ${foreign(example)}`, canvas.dim),
  ]
}
