import type { LayerName } from '../../layer-name.ts'
import type { KindCount, Waiting } from '../../run-event.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { kindName } from './kind-name.ts'
import { layerTitle } from './layer-title.ts'
import { ellipsize, visibleWidth } from './text-width.ts'

/** What is being done now: the content of the progress line. */
export type ProgressState =
  /** `waitingFor`: relays that have not answered yet. */
  | { readonly doing: 'connecting'; readonly waitingFor: readonly string[] }
  /** `perSource`: events of this layer so far. */
  | {
      readonly doing: 'reading'
      readonly layer: LayerName
      readonly perSource: readonly { readonly url: string; readonly events: number }[]
    }
  | { readonly doing: 'selecting' | 'counting' }
  /** `leftMs`: the time left at the present pace; 0 while it is unknown. */
  | { readonly doing: 'sending'; readonly sent: number; readonly total: number; readonly leftMs: number }
  | ({ readonly doing: 'serving' } & Serving)
  | { readonly doing: 'confirming'; readonly sent: number }
  | ({ readonly doing: 'waiting' } & Waiting)
  /** Repositories whose git data was compared, or was looked at and pushed where it was wanting. */
  | { readonly doing: 'comparing git' | 'repairing git'; readonly compared: number; readonly total: number }

const NAMED_KINDS = 2
/** The target is asked every 30 seconds when nothing comes. */
const QUIET_MS = 60_000

/** How much of what it lacked the target serves, for how long it has taken nothing, and what it lacks, the most first. */
type Serving = {
  readonly served: number
  readonly total: number
  readonly quietMs: number
  readonly lacking: readonly KindCount[]
  /** Whether anybody has come to read. */
  readonly isVisited: boolean
}

/** Renders the progress line, cut to `width` columns. */
export function renderProgress(state: ProgressState, width: number): string {
  const lines = [longLine(state), ...(state.doing === 'serving' ? [serving(state, 1)] : [])]
  return lines.find((line) => visibleWidth(line) <= width) ?? ellipsize(shortLine(state), width)
}

/** Announces a long wait: how many events, how fast, how long. */
export function renderForecast(events: number, { rate, durationMs }: { rate: string; durationMs: number }): string {
  return `sending ${formatPlural(events, 'event')} at ${rate}: about ${formatDuration(durationMs)}`
}

/** Says what is waited for, and how long. */
export function renderWaiting({ events, repositories, orphans, leftMs }: Waiting): string {
  if (events === 0) return `waiting: ${formatPlural(orphans, 'event')} for a parent, ${formatDuration(leftMs)} left`
  const whose = repositories === 0 ? '' : ` of ${formatPlural(repositories, 'repository', 'repositories')}`
  return `waiting: ${formatPlural(events, 'event')}${whose} for git data, ${formatDuration(leftMs)} left`
}

function longLine(state: ProgressState): string {
  switch (state.doing) {
    case 'connecting':
      return state.waitingFor.length === 0 ? 'connecting' : `connecting  ${state.waitingFor.map(shortUrl).join(' · ')}`
    case 'reading':
      return reading(state.layer, state.perSource.map(nameSource))
    case 'selecting':
      return 'selecting what the target lacks'
    case 'counting':
      return 'counting copies: the target is read in full, the sources are compared with it'
    case 'sending':
      return sending(state)
    case 'waiting':
      return renderWaiting(state)
    case 'comparing git':
    case 'repairing git':
      return `${state.doing} data  ${formatCount(state.compared)}/${formatPlural(state.total, 'repository', 'repositories')}`
    case 'serving':
      return serving(state, NAMED_KINDS)
    case 'confirming':
      return state.sent === 0 ? 'confirming' : `confirming  ${formatPlural(state.sent, 'event')} sent`
  }
}

/** Sums up what has no room by name. */
function shortLine(state: ProgressState): string {
  if (state.doing === 'connecting') return `connecting  ${formatPlural(state.waitingFor.length, 'relay')}`
  if (state.doing === 'serving') return serving(state, 0)
  if (state.doing !== 'reading') return longLine(state)
  const { perSource, layer } = state
  const sum = perSource.reduce((total, { events }) => total + events, 0)
  return reading(layer, [`${formatPlural(perSource.length, 'source')} ${formatPlural(sum, 'event')}`])
}

function reading(layer: LayerName, parts: readonly string[]): string {
  return `reading ${layerTitle(layer)}${parts.length === 0 ? '' : `  ${parts.join(' · ')}`}`
}

/** Only the first number has its noun. */
function nameSource({ url, events }: { readonly url: string; readonly events: number }, index: number): string {
  return `${shortUrl(url)} ${index === 0 ? formatPlural(events, 'event') : formatCount(events)}`
}

function sending({ sent, total, leftMs }: Extract<ProgressState, { doing: 'sending' }>): string {
  const count = `sending  ${formatCount(sent)}/${formatCount(total)}`
  return leftMs < 2000 ? count : `${count} · about ${formatDuration(leftMs)} left`
}

/** `named`: how many kinds of what is lacking are named. */
function serving({ served, total, quietMs, isVisited, lacking }: Serving, named: number): string {
  const parts = [`serving  the target has ${formatCount(served)}/${formatCount(total)}`]
  if (served < total && !isVisited) parts.push('nobody has come to read')
  if (isVisited && quietMs >= QUIET_MS) parts.push(`none for ${formatDuration(quietMs)}`)
  const kinds = lacking.slice(0, named).map(({ kind, count }) => `${formatCount(count)}× ${shortKind(kind)}`)
  if (kinds.length > 0) parts.push(`lacks ${kinds.join(', ')}${lacking.length > named ? ' …' : ''}`)
  return parts.join(' · ')
}

/** `comment`, or `kind 4321` if we have no name. */
function shortKind(kind: number): string {
  const name = kindName(kind).replace(/^\d+ /, '')
  return name === String(kind) ? `kind ${name}` : name
}

function shortUrl(url: string): string {
  return foreign(url).replace(/^wss?:\/\//, '')
}
