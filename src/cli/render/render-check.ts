import { parseAddress } from '../../nostr/address.ts'
import { KIND } from '../../nostr/kinds.ts'
import { encodePublicKey } from '../../nostr/nip19.ts'
import type { CheckReport, Difference, Report } from '../../report/report.ts'
import { hanging, type Canvas } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatPlural } from './format-quantity.ts'
import { kindName } from './kind-name.ts'
import { layerNumber, layerTitle } from './layer-title.ts'
import { renderHistogram } from './render-histogram.ts'
import { column, countCell, fitColumns, layOutTable, tableWidth, type Column } from './table.ts'
import { ellipsize, ellipsizeMiddle, visibleWidth } from './text-width.ts'

/** The kinds with their own column, most important first. */
const GROUPS: readonly { readonly heading: string; readonly kinds: readonly number[] }[] = [
  { heading: 'issues', kinds: [KIND.issue] },
  { heading: 'patches', kinds: [KIND.patch] },
  { heading: 'PRs', kinds: [KIND.pullRequest, KIND.pullRequestUpdate] },
  { heading: 'comments', kinds: [KIND.comment, KIND.note] },
  { heading: 'statuses', kinds: [KIND.statusOpen, KIND.statusApplied, KIND.statusClosed, KIND.statusDraft] },
  { heading: 'states', kinds: [KIND.state] },
  { heading: 'repo', kinds: [KIND.announcement] },
]

/** How many rows of a table are shown without `--verbose`. */
const MAX_ROWS = 10
const NARROWEST_LABEL = 20
const SHORT_PUBKEY = 10

const NAME_WIDTH = 20
const ROOM_FOR_NAMES = 100

type Repository = { readonly address: string | null; readonly differences: readonly Difference[] }

/**
 * Renders the result of `check` as blocks of lines: by repository, by kind, by time, the reverse comparison, and the
 * ids.
 */
export function renderCheck(canvas: Canvas, report: Report, check: CheckReport): Iterable<string>[] {
  return [
    renderRepositories(canvas, report, check.differences),
    renderKinds(canvas, report, check.differences),
    renderHistogram(canvas, check.histogram),
    ...(check.both ?? []).map((back) => renderWayBack(canvas, back)),
    renderIds(canvas, check.ids ?? []),
  ]
}

function* renderIds(canvas: Canvas, ids: Iterable<string>): Generator<string> {
  for (const id of ids) yield* hanging(canvas, '', foreign(id))
}

/** The missing events, one row per repository, most first. */
function renderRepositories(
  canvas: Canvas,
  { repositories: known }: Report,
  differences: readonly Difference[],
): string[] {
  const missing = differences.filter((difference) => difference.missing > 0)
  if (missing.length === 0) return []
  const repositories = byRepository(missing)
  const shown = canvas.verbose ? repositories : repositories.slice(0, MAX_ROWS)
  const hidden = repositories.length - shown.length
  const rows = repositories.length === 1 ? shown : [...shown, { address: null, differences: missing }]
  const names = namesOf(rows, known)
  const numbers = [...nameColumn(canvas, names), ...countColumns(canvas, rows, missing)]
  const width = canvas.width - tableWidth(numbers) - 2
  const labels = [...labelRepositories(shown, width), ...(rows === shown ? [] : ['total'])]
  const first: Column = {
    heading: ellipsize('missing on the target', width),
    align: 'left',
    cells: labels.map((text) => ({ text })),
    expendable: 0,
  }
  const more = `the total holds ${formatPlural(hidden, 'repository', 'repositories')} more: --verbose and --json show all`
  return [...layOutTable(canvas, [first, ...numbers]), ...(hidden === 0 ? [] : hanging(canvas, ' ', more, canvas.dim))]
}

function namesOf(rows: readonly Repository[], known: Report['repositories']): string[] {
  const names = new Map(known.map(({ repository, name }) => [repository, name ?? '']))
  return rows.map(({ address }) => (address === null ? '' : foreign(names.get(address) ?? '')))
}

/** The names in the announcements, where there is room beside labels of full length. */
function nameColumn(canvas: Canvas, names: readonly string[]): Column[] {
  if (canvas.width < ROOM_FOR_NAMES || names.every((name) => name === '')) return []
  return [column({ heading: 'name', expendable: 0 }, names, (name) => ({ text: ellipsize(name, NAME_WIDTH) }))]
}

function byRepository(differences: readonly Difference[]): Repository[] {
  const found = new Map<string | null, Difference[]>()
  for (const difference of differences) {
    found.set(difference.repository, [...(found.get(difference.repository) ?? []), difference])
  }
  return [...found]
    .map(([address, members]) => ({ address, differences: members }))
    .sort((a, b) => countMissing(b.differences) - countMissing(a.differences))
}

/**
 * One column per non-empty group of kinds, and `other`. If space is short, the last groups are merged into the others.
 */
function countColumns(canvas: Canvas, rows: readonly Repository[], all: readonly Difference[]): Column[] {
  const present = GROUPS.filter(({ kinds }) => all.some(({ kind }) => kinds.includes(kind)))
  const candidates = [...present, undefined].map((_, index) => {
    const own = present.slice(0, present.length - index)
    const isOther = ({ kind }: Difference): boolean => !own.some(({ kinds }) => kinds.includes(kind))
    const groups = own.map(({ heading, kinds }) => {
      return { heading, isIn: ({ kind }: Difference): boolean => kinds.includes(kind) }
    })
    const other = { heading: own.length === 0 ? 'events' : 'other', isIn: isOther }
    return [...groups, ...(all.some(isOther) ? [other] : [])].map(({ heading, isIn }) => {
      return column({ heading, expendable: 0, align: 'right' }, rows, ({ differences }) =>
        countCell(canvas, countMissing(differences.filter(isIn))),
      )
    })
  })
  const room = canvas.width - NARROWEST_LABEL - 2
  return candidates.find((columns) => tableWidth(columns) <= room) ?? candidates.at(-1) ?? []
}

/** Labels as `npub1…/identifier`, the form that `--repo` accepts, if all fit; otherwise shortened. */
export function labelRepositories(repositories: readonly Pick<Repository, 'address'>[], width: number): string[] {
  const whole = repositories.map(({ address }) => labelRepository(address, (npub) => npub))
  if (whole.every((label) => visibleWidth(label) <= width)) return whole
  return repositories.map(({ address }) => {
    const short = labelRepository(address, (npub) => ellipsize(npub, SHORT_PUBKEY))
    return ellipsizeMiddle(short, width)
  })
}

/** One label: `npub1…/identifier`, the public key shortened by `shorten`. */
export function labelRepository(text: string | null, shorten: (npub: string) => string): string {
  if (text === null) return 'no known repository'
  const address = parseAddress(text)
  return address === undefined ? foreign(text) : `${shorten(encodePublicKey(address.pubkey))}/${foreign(address.d)}`
}

/** The events on each side by layer and kind. NIP-77 proves parts equal without counting them. */
function renderKinds(canvas: Canvas, report: Report, differences: readonly Difference[]): string[] {
  const rows = byKind(differences)
  if (rows.length === 0) return []
  const isReconciled = hasReconciled(report)
  const isCounted = !isReconciled || rows.some(({ targetHas }) => targetHas > 0)
  const has = (heading: string, of: (row: Difference) => number): Column[] =>
    isCounted ? [column({ heading, expendable: 1, align: 'right' }, rows, (row) => countCell(canvas, of(row)))] : []
  const columns = [
    column({ heading: 'layer', expendable: 0 }, rows, ({ layer }) => ({ text: layerTitle(layer) })),
    column({ heading: 'kind', expendable: 0 }, rows, ({ kind }) => ({ text: kindName(kind) })),
    ...has(report.sources.length > 1 ? 'sources have' : 'source has', ({ sourceHas }) => sourceHas),
    ...has('target has', ({ targetHas }) => targetHas),
    column({ heading: 'missing', expendable: 0, align: 'right' }, rows, ({ missing }) => countCell(canvas, missing)),
  ]
  const note = 'Events that NIP-77 proved equal are not counted: only the difference was read.'
  return [
    ...layOutTable(canvas, fitColumns(columns, canvas.width)),
    ...(isReconciled ? hanging(canvas, ' ', note, canvas.dim) : []),
  ]
}

/** Whether any part was compared by NIP-77, so that not everything was counted. */
export function hasReconciled({ sources }: Report): boolean {
  return sources.some(({ layers }) => layers.some(({ reconcile }) => reconcile !== null))
}

/** Sums up one row per layer and kind, over all repositories. */
function byKind(differences: readonly Difference[]): Difference[] {
  const found = new Map<string, Difference>()
  for (const difference of differences) {
    const key = `${difference.layer} ${difference.kind}`
    const before = found.get(key) ?? { ...difference, repository: null, sourceHas: 0, targetHas: 0, missing: 0 }
    found.set(key, {
      ...before,
      sourceHas: before.sourceHas + difference.sourceHas,
      targetHas: before.targetHas + difference.targetHas,
      missing: before.missing + difference.missing,
    })
  }
  return [...found.values()].sort((a, b) => layerNumber(a.layer) - layerNumber(b.layer) || a.kind - b.kind)
}

/** The events that one source lacks, by kind. */
function renderWayBack(canvas: Canvas, back: NonNullable<CheckReport['both']>[number]): string[] {
  const name = foreign(back.source)
  if (back.missing === 0) return hanging(canvas, ' ', `${name} lacks nothing of what the target has`)
  const rows = byKind(back.differences).filter(({ missing }) => missing > 0)
  const columns = [
    column({ heading: 'layer', expendable: 0 }, rows, ({ layer }) => ({ text: layerTitle(layer) })),
    column({ heading: 'kind', expendable: 0 }, rows, ({ kind }) => ({ text: kindName(kind) })),
    column({ heading: 'missing', expendable: 0, align: 'right' }, rows, ({ missing }) => countCell(canvas, missing)),
  ]
  const title = `${name} lacks ${formatPlural(back.missing, 'event')} that the target has`
  return [...hanging(canvas, ' ', title, canvas.warn), ...layOutTable(canvas, fitColumns(columns, canvas.width))]
}

function countMissing(differences: readonly Difference[]): number {
  return differences.reduce((sum, { missing }) => sum + missing, 0)
}
