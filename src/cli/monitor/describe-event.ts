import type { Phase, RunEvent } from '../../run-event.ts'
import type { LogLevel } from '../parse/monitoring-options.ts'
import { foreign } from '../render/foreign.ts'
import { formatCount, formatDuration, formatPlural } from '../render/format-quantity.ts'
import { layerTitle } from '../render/layer-title.ts'
import { renderForecast, renderWaiting } from '../render/render-progress.ts'

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/** How much a line matters. What the report counts among its problems is a warning. */
export function levelOf(event: RunEvent): LogLevel {
  switch (event.type) {
    case 'begun':
    case 'phase':
    case 'reading':
    case 'sending':
    case 'waiting':
    case 'serving':
    case 'served':
    case 'hung-up':
    case 'repairing':
    case 'connected':
    case 'reconnecting':
    case 'slow-down':
    case 'checkpoint':
      return 'info'
    case 'connecting':
    case 'page':
    case 'sent':
    case 'retry':
    case 'git':
      return 'debug'
    case 'disconnected':
    case 'notice':
    case 'problem':
      return 'warn'
    case 'document':
      return event.problem === undefined ? 'info' : 'warn'
    case 'end':
      return event.reason === null ? 'debug' : 'warn'
    case 'event':
      return levelOfState(event)
    case 'repaired':
      return ['released', 'already', 'planned'].includes(event.outcome) ? 'info' : 'warn'
    case 'source':
      return event.complete ? 'info' : 'warn'
    case 'ended':
      return event.exit === 0 ? 'info' : event.exit === 1 || event.exit === 2 ? 'error' : 'warn'
  }
}

/** When publishing stops, everything left is parked unsent: the report counts that. */
function levelOfState({ state, outcome }: Of<'event'>): LogLevel {
  if (state === 'refused') return 'warn'
  return state === 'parked' && outcome !== 'unsent' ? 'info' : 'debug'
}

const PHASES: Readonly<Record<Phase, string>> = {
  connecting: 'connecting',
  selecting: 'selecting what to send',
  counting: 'counting copies',
  confirming: 'asking for what was sent',
}

/** Says in one line what happened, with everything foreign escaped and URLs masked. */
export function describeEvent(event: RunEvent): string {
  switch (event.type) {
    case 'begun':
      return describeBegin(event)
    case 'phase':
      return PHASES[event.phase]
    case 'reading':
      return `reading ${layerTitle(event.layer)}`
    case 'sending':
      if (event.forecast !== undefined) return renderForecast(event.events, event.forecast)
      return `sending ${formatPlural(event.events, 'event')}`
    case 'waiting':
      return renderWaiting(event)
    case 'serving':
      return `serving ${formatPlural(event.events, 'event')} at ${foreign(event.url)}`
    case 'served':
      return `the target has ${formatCount(event.served)} of ${formatPlural(event.total, 'event')} that it lacked`
    case 'hung-up':
      return `the target has taken nothing for ${formatDuration(event.lullMs)}: ${formatPlural(event.clients, 'connection')} closed, so that it asks anew`
    case 'connecting':
      return `${foreign(event.relay)}: connecting`
    case 'connected':
      return `${foreign(event.relay)}: connected`
    case 'disconnected':
      return `${foreign(event.relay)}: not connected: ${foreign(event.reason)}`
    case 'reconnecting':
      return `${foreign(event.relay)}: trying again in ${formatDuration(event.waitMs)}`
    case 'document':
      return describeDocument(event)
    case 'notice':
      return `${foreign(event.relay)}: NOTICE ${foreign(event.text)}`
    case 'slow-down':
      return describeSlowDown(event)
    case 'retry':
      return `${foreign(event.relay)}: asking again: ${foreign(event.reason)}`
    case 'page':
      return `${foreign(event.source)}: ${layerTitle(event.layer)}: ${formatPlural(event.events, 'event')} received`
    case 'end':
      return describeEnd(event)
    case 'sent':
      return `sent ${event.id} (${formatCount(event.sent)}/${formatCount(event.total)})`
    case 'event':
      return describeState(event)
    case 'checkpoint':
      return `${foreign(event.source)}: ${layerTitle(event.layer)}: checkpoints of ${formatPlural(event.anchors, 'anchor')} moved`
    case 'repairing':
      return `repairing the git data of ${formatPlural(event.total, 'repository', 'repositories')} where it is wanting`
    case 'repaired':
      return describeRepair(event)
    case 'git':
      return `git data of ${foreign(event.repository)}: ${event.verdict} (${formatCount(event.compared)}/${formatCount(event.total)})`
    case 'source':
      return `${foreign(event.source)}: ${event.complete ? 'read to its end' : 'not read to its end'}, ${formatPlural(event.events, 'event')}`
    case 'problem':
      return `${event.what} ${foreign(event.where)}: ${foreign(event.reason)} (${formatCount(event.count)})`
    case 'ended':
      return foreign(event.verdict)
  }
}

const NAMED_SOURCES = 5

function describeBegin({ command, sources, target }: Of<'begun'>): string {
  const named = sources.slice(0, NAMED_SOURCES).map(foreign)
  const more = sources.length > NAMED_SOURCES ? ` and ${sources.length - NAMED_SOURCES} more` : ''
  const from = named.length === 0 ? '' : ` from ${named.join(', ')}${more}`
  return `${command}: target ${foreign(target)}${from}`
}

function describeDocument({ relay, software, version, problem }: Of<'document'>): string {
  if (problem !== undefined) return `${foreign(relay)}: its NIP-11 document could not be read: ${foreign(problem)}`
  return `${foreign(relay)}: ${foreign(`${software ?? 'unnamed software'} ${version ?? ''}`.trim())} (NIP-11)`
}

function describeSlowDown({ relay, reason, waitMs }: Of<'slow-down'>): string {
  const pause = waitMs === undefined ? '' : `, ${formatDuration(waitMs)}`
  return `${foreign(relay)}: slower${pause}: ${foreign(reason)}`
}

function describeEnd({ source, layer, pages, events, reason }: Of<'end'>): string {
  const place = `${foreign(source)}: ${layerTitle(layer)}`
  const amount = `${formatPlural(events, 'event')} on ${formatPlural(pages, 'page')}`
  if (reason !== null) return `${place}: a filter was not read to its end, after ${amount}: ${foreign(reason)}`
  return `${place}: a filter was read to its end, ${amount}`
}

function describeRepair({ repository, outcome, reason, missing }: Of<'repaired'>): string {
  const why = reason === null ? '' : `: ${foreign(reason)}`
  const ids = missing.length === 0 ? '' : ` (${foreign(missing.join(', '))})`
  return `git data of ${foreign(repository)}: ${outcome}${ids}${why}`
}

function describeState({ state, id, kind, outcome, reason = '' }: Of<'event'>): string {
  const why = reason === '' ? '' : `: ${foreign(reason)}`
  const what = outcome === undefined || outcome === state ? '' : ` (${outcome})`
  return `${state}${what} ${id} kind ${kind}${why}`
}
