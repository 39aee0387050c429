import { describeRate } from '../../relay/pace/pacing.ts'
import type { RelayInspection } from '../../relay/inspection.ts'
import { createCanvas, hanging, joinBlocks, type Canvas, type Paint, type RenderOptions } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatBytes, formatCount, formatDuration, formatPlural } from './format-quantity.ts'
import { padText } from './text-width.ts'

/** One line of the table: its label and its text. */
type Line = { readonly label: string; readonly text: string; readonly paint?: Paint }

const LABEL_WIDTH = 15

/** Renders an inspection, one line per finding. */
export function renderRelay(inspection: RelayInspection, options: RenderOptions): string {
  const canvas = createCanvas(options)
  const lines: Line[] = [
    { label: 'relay', text: foreign(inspection.url), paint: canvas.bold },
    ...documentLines(canvas, inspection),
    readingLine(canvas, inspection),
    ...pageLine(inspection),
    ...rateLine(inspection),
    ...knownLines(inspection),
    ...refusedLines(canvas, inspection),
    authenticationLine(canvas, inspection),
    negentropyLine(canvas, inspection),
    clockLine(canvas, inspection),
  ]
  return joinBlocks([
    lines.flatMap(({ label, text, paint }) => hanging(canvas, padText(label, LABEL_WIDTH, 'left'), text, paint)),
  ])
}

function documentLines(canvas: Canvas, { document }: RelayInspection): Line[] {
  if (document.error !== null) {
    return [{ label: 'document', text: `none (NIP-11): ${foreign(document.error)}`, paint: canvas.warn }]
  }
  const { name, software, version, supportedNips, supportedGrasps } = document
  return [
    ...(name === null ? [] : [{ label: 'name', text: foreign(name) }]),
    { label: 'software', text: foreign([software ?? 'not said', version ?? ''].join(' ').trim()) },
    { label: 'NIPs', text: listText(supportedNips.map(String)) },
    { label: 'GRASPs', text: listText(supportedGrasps) },
    { label: 'limits', text: limitsText(document) },
  ]
}

function listText(values: readonly string[]): string {
  return values.length === 0 ? 'none said' : values.map(foreign).join(', ')
}

function limitsText({ maxMessageBytes, maxSubscriptions, maxLimit }: RelayInspection['document']): string {
  const parts = [
    maxMessageBytes === null ? undefined : `messages of ${formatBytes(maxMessageBytes)}`,
    maxSubscriptions === null ? undefined : `${formatCount(maxSubscriptions)} open REQs`,
    maxLimit === null ? undefined : `limit ${formatCount(maxLimit)}`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? 'none said' : parts.join(' · ')
}

function readingLine(canvas: Canvas, { reading }: RelayInspection): Line {
  const { works, reason, roundTripMs } = reading
  if (!works) return { label: 'reading', text: `not possible: "${foreign(reason ?? '')}"`, paint: canvas.bad }
  return { label: 'reading', text: `works; round trip ${formatDuration(roundTripMs ?? 0)} (median of 3)` }
}

function pageLine({ reading: { page } }: RelayInspection): Line[] {
  if (page === null) return []
  const rows = formatPlural(page.rows, 'event')
  const text = page.isCut ? `${rows} without a limit, more with one` : `${rows} at least: it showed no more`
  return [{ label: 'page', text }]
}

function rateLine({ rate }: RelayInspection): Line[] {
  if (rate === null) return []
  return [{ label: 'sending', text: `known to take ${rate.burst} at once, then ${describeRate(rate)}` }]
}

/** Known but undocumented limits of the software. */
function knownLines({ limits }: RelayInspection): Line[] {
  const { queries, maxEventBytes, maxNegentropySessions: sessions, maxNegentropyItems: items } = limits
  const lines: Line[] = []
  if (maxEventBytes !== null) {
    lines.push({ label: 'events', text: `known to take up to ${formatBytes(maxEventBytes)} each` })
  }
  if (queries !== null) {
    const { burst, gain } = queries
    const text = `known to answer ${formatCount(burst)} at once, then ${gain} after each second without any`
    lines.push({ label: 'questions', text })
  }
  if (sessions !== null && items !== null) {
    const text = `known to allow ${sessions} at once, of ${formatCount(items)} events together`
    lines.push({ label: 'comparisons', text })
  }
  return lines
}

/** Undocumented limits that the relay enforced when asked for much. */
function refusedLines({ warn }: Canvas, { refusesOver }: RelayInspection): Line[] {
  const { maxFilterValues, maxFilterBytes, maxOpenRequests } = refusesOver
  const texts = [
    maxFilterValues === null ? undefined : `filters of more than ${formatPlural(maxFilterValues, 'value')}`,
    maxFilterBytes === null ? undefined : `filters over ${formatBytes(maxFilterBytes)}`,
    maxOpenRequests === null ? undefined : `more than ${formatPlural(maxOpenRequests, 'question')} at once`,
  ].filter((text) => text !== undefined)
  return texts.length === 0 ? [] : [{ label: 'refuses', text: texts.join(' · '), paint: warn }]
}

function authenticationLine(canvas: Canvas, { authentication }: RelayInspection): Line {
  const { challenges, isRequiredToRead, isKeyAccepted, keyFailure } = authentication
  const label = 'NIP-42 AUTH'
  if (isKeyAccepted !== null) {
    if (isKeyAccepted) return { label, text: 'required to read; our key is accepted', paint: canvas.good }
    const text = `required to read; ${foreign(keyFailure ?? 'our key is not accepted')}`
    return { label, text, paint: canvas.bad }
  }
  if (isRequiredToRead) return { label, text: 'required to read: give a key with --key-file', paint: canvas.warn }
  return { label, text: challenges ? 'offered, not required to read' : 'not asked for' }
}

function negentropyLine(canvas: Canvas, { negentropy }: RelayInspection): Line {
  const { works, isAnnounced, reason } = negentropy
  const label = 'NIP-77 sync'
  const announced = isAnnounced ? 'announced' : 'not announced'
  if (works) return { label, text: `works (${announced})`, paint: canvas.good }
  return {
    label,
    text: `does not work (${announced}): "${foreign(reason ?? '')}"`,
    paint: isAnnounced ? canvas.warn : canvas.plain,
  }
}

function clockLine(canvas: Canvas, { clockOffsetSeconds: offset }: RelayInspection): Line {
  if (offset === null) return { label: 'clock', text: 'not shown' }
  if (Math.abs(offset) < 2) return { label: 'clock', text: 'as ours' }
  return {
    label: 'clock',
    text: `${formatDuration(Math.abs(offset) * 1000)} ${offset > 0 ? 'ahead of' : 'behind'} ours`,
    paint: canvas.warn,
  }
}
