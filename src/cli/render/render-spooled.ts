import { encodeEventId } from '../../nostr/nip19.ts'
import type { ParkedEvent, RefusedEvent } from '../../report/status.ts'
import { createCanvas, hanging, type Canvas, type RenderOptions } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatTime } from './format-time.ts'
import { kindName } from './kind-name.ts'
import { labelRepositories } from './render-check.ts'
import { renderCure } from './render-problems.ts'
import { ellipsize, padText } from './text-width.ts'

const KIND_WIDTH = 18
const TIME_WIDTH = 16
const SHORT_ID = 12
const NARROWEST_LABEL = 16
/** `nevent1…` of an id without relays. */
const WHOLE_ID = 68

/** Yields the events as text, one line each, under a heading for each outcome and reason in a row. */
export function* renderSpooled(
  events: Iterable<ParkedEvent | RefusedEvent>,
  options: RenderOptions,
): Generator<string> {
  const canvas = createCanvas(options)
  let group: string | undefined
  for (const event of events) {
    const key = JSON.stringify([event.target, event.outcome, event.reason])
    if (key !== group) yield toText([...(group === undefined ? [] : ['']), ...renderHeading(canvas, event)])
    group = key
    yield toText([renderLine(canvas, event)])
  }
  if (group !== undefined) yield toText(['', canvas.dim(' the whole of each, with its id and its sources: --json')])
}

function renderHeading(canvas: Canvas, event: ParkedEvent | RefusedEvent): string[] {
  const { outcome, target, reason } = event
  const by = 'software' in event && event.software !== null ? ` by ${foreign(event.software)}` : ''
  return [
    ...hanging(canvas, ' ', `${outcome}${by} at ${foreign(target)}: "${foreign(reason)}"`, canvas.warn),
    ...('refusedAt' in event ? renderCure(canvas, reason) : []),
  ]
}

/** Kind, repository, since when, and as much of the id as there is room for. */
function renderLine(canvas: Canvas, event: ParkedEvent | RefusedEvent): string {
  const others = 3 + KIND_WIDTH + 2 + TIME_WIDTH + 2 + 2
  const isWide = canvas.width >= others + NARROWEST_LABEL + WHOLE_ID
  const idWidth = isWide ? WHOLE_ID : SHORT_ID
  const labelWidth = Math.max(NARROWEST_LABEL, canvas.width - others - idWidth)
  const [label = ''] = labelRepositories([{ address: event.repository }], labelWidth)
  const since = formatTime('parkedAt' in event ? event.parkedAt : event.refusedAt, canvas)
  const id = isWide ? foreign(encodeEventId(event.id)) : event.id.slice(0, SHORT_ID)
  const cells = [
    padText(ellipsize(kindName(event.kind), KIND_WIDTH), KIND_WIDTH, 'left'),
    padText(label, labelWidth, 'left'),
    padText(since, TIME_WIDTH, 'left'),
  ]
  return ellipsize(`   ${cells.join('  ')}  ${id}`, canvas.width)
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}
