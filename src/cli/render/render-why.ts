import { encodeEventId, encodePublicKey } from '../../nostr/nip19.ts'
import { isHex32 } from '../../nostr/event.ts'
import type { PlaceAnswer, ScopePlace, WhyVerdict } from '../../report/why.ts'
import { createCanvas, hanging, joinBlocks, labelled, type Canvas, type Paint, type RenderOptions } from './canvas.ts'
import { foreign } from './foreign.ts'
import { formatPlural } from './format-quantity.ts'
import { formatTimeWithAge } from './format-time.ts'
import { kindName } from './kind-name.ts'
import { layerTitle } from './layer-title.ts'
import { meaningOf } from './next-steps.ts'
import { labelRepository } from './render-check.ts'
import { ellipsize } from './text-width.ts'
import type { WhyDocument } from './why-steps.ts'

const SHORT_PUBKEY = 16

/** Renders the path of one event: what it is, who has it, whether it belongs, what was sent, and the verdict last. */
export function renderWhy(report: WhyDocument, options: RenderOptions): string {
  const canvas = createCanvas(options)
  return joinBlocks([
    renderEvent(canvas, report),
    [...renderPlaces(canvas, report), ...renderScope(canvas, report)],
    renderHistory(canvas, report),
    renderVerdict(canvas, report),
  ])
}

function renderEvent(canvas: Canvas, { event, subject }: WhyDocument): string[] {
  if (event === null) return labelled(canvas, 'event', name(subject.type === 'id' ? subject.id : subject.address))
  const { id, kind, pubkey, createdAt, repository } = event
  const author = ellipsize(encodePublicKey(pubkey), SHORT_PUBKEY)
  const facts = `${kindName(kind)} by ${author}, signed ${formatTimeWithAge(createdAt, canvas)}`
  const called =
    event.name === null || repository?.endsWith(`:${event.name}`) === true ? '' : ` (${foreign(event.name)})`
  return [
    ...labelled(canvas, 'event', name(id)),
    ...labelled(canvas, '', facts),
    ...(repository === null ? [] : labelled(canvas, 'in', `${name(repository)}${called}`)),
  ]
}

const ANSWERS: Readonly<Record<PlaceAnswer['answer'], string>> = {
  has: 'has it',
  newer: 'has a newer version',
  older: 'has an older version',
  lacks: 'does not have it',
  damaged: 'serves a damaged or forged copy',
  unanswered: 'did not answer',
  'not asked': 'not asked',
}

function renderPlaces(canvas: Canvas, { target, targetSoftware, sources }: WhyDocument): string[] {
  const software = targetSoftware === null ? '' : ` · ${foreign(targetSoftware)}`
  return [
    ...renderPlace(canvas, 'target', target, software),
    ...sources.flatMap((source) => renderPlace(canvas, 'source', source, readText(canvas, source))),
  ]
}

function renderPlace(
  canvas: Canvas,
  label: string,
  { url, answer, reason, version }: PlaceAnswer,
  more: string,
): string[] {
  const details = reason === null ? '' : `: ${foreign(reason)}`
  const other = version === null ? '' : `: ${name(version)}`
  return labelled(
    canvas,
    label,
    `${foreign(url)}${label === 'target' ? more : ''} · ${ANSWERS[answer]}${other}${details}${label === 'source' ? more : ''}`,
  )
}

function readText(canvas: Canvas, { drainedAt }: PlaceAnswer): string {
  return drainedAt === null ? '' : ` · last read to its end ${formatTimeWithAge(drainedAt, canvas)}`
}

function renderScope(canvas: Canvas, { scope, place, shard }: WhyDocument): string[] {
  return [
    ...labelled(canvas, 'scope', `${scope.kind} · ${foreign(scope.why)}`),
    ...(place === null ? [] : labelled(canvas, 'belongs', placeText(place))),
    ...(shard === null ? [] : labelled(canvas, 'shard', shardText(shard))),
  ]
}

function shardText({ number, of, copiedBy }: NonNullable<WhyDocument['shard']>): string {
  const asked = `${number} of ${of}`
  if (copiedBy === null) return asked
  return copiedBy === number
    ? `${asked} copies it`
    : `${copiedBy} of ${of} copies it; this is what shard ${number} remembers`
}

function placeText(place: ScopePlace): string {
  if (place.layer === null) return `no: ${foreign(place.why)}`
  const isNamed = isHex32(place.anchor) || /^\d+:/.test(place.anchor)
  return `yes: layer ${layerTitle(place.layer)}, by ${place.filter}${isNamed ? ` of ${name(place.anchor)}` : ''}`
}

function renderHistory(canvas: Canvas, { history, seenAtTarget, lastRun }: WhyDocument): string[] {
  const at = (time: number): string => formatTimeWithAge(time, canvas)
  const lines: string[] = []
  if (history !== null) {
    const { attempts, waitsSince, settledAt, lastOkAt, nextTryAt, software, reason, obstacle } = history
    const by = software === null ? '' : ` by ${foreign(software)}`
    lines.push(attempts === 0 ? 'never sent' : `sent ${formatPlural(attempts, 'time')}`)
    if (history.state === 'waiting' && waitsSince !== null) lines.push(`waits since ${at(waitsSince)}`)
    if (history.state === 'refused' && settledAt !== null) lines.push(`refused ${at(settledAt)}${by}`)
    if (lastOkAt !== null) lines.push(`the target last took it ${at(lastOkAt)}`)
    if (reason !== '') lines.push(`"${foreign(reason)}"`)
    if (obstacle !== null) lines.push(`lacks ${name(obstacle)}`)
    if (nextTryAt !== null) lines.push(`sent again from ${at(nextTryAt)}`)
  }
  if (seenAtTarget !== null) lines.push(seenText(seenAtTarget.isOurs, seenAtTarget.at, at))
  if (lastRun !== null) lines.push(`last run ${at(lastRun.startedAt)}: exit ${lastRun.exit}`)
  if (lines.length === 0) lines.push('the state file knows nothing of it')
  return lines.flatMap((line, index) => labelled(canvas, index === 0 ? 'state' : '', line))
}

function seenText(isOurs: boolean, time: number | null, at: (time: number) => string): string {
  const when = time === null ? '' : ` ${at(time)}`
  return isOurs ? `sent by a run, and served by the target${when}` : `served by the target when a run asked${when}`
}

function renderVerdict(canvas: Canvas, report: WhyDocument): string[] {
  const { verdict, exit, next } = report
  return [
    ...hanging(canvas, '', `${verdict} (${exit}): ${sentenceOf(report)}`, paintOf(canvas, report)),
    ...(next === null ? [] : hanging(canvas, '→ ', next)),
    ...followUp(report),
  ]
}

/** What the event waits for has a path of its own. */
function followUp({ history, verdict }: WhyDocument): string[] {
  const obstacle = history?.obstacle ?? null
  if (obstacle === null || (verdict !== 'waiting' && verdict !== 'refused')) return []
  // Not wrapped: it is there to be copied.
  return ['→ What it lacks has a path of its own:', `  ngit-sync why ${isHex32(obstacle) ? obstacle : name(obstacle)}`]
}

const SENTENCES: Readonly<Record<WhyVerdict, string>> = {
  held: 'the target serves it.',
  waiting: 'not taken by the target yet.',
  refused: 'the target does not take it.',
  working: 'a run has fetched it and is not through with it.',
  missing: 'it belongs, a source has it, and no run has sent it yet.',
  superseded: 'a newer version of it counts.',
  deleted: 'its author deleted it.',
  vanished: 'its author asked relays to forget them (NIP-62).',
  expired: 'past its expiration time (NIP-40).',
  'left out': 'no run copies such events.',
  'out of scope': 'it does not belong to the run.',
  damaged: 'what is served under this id is not the event: nobody has a true copy.',
  gone: 'the target does not serve it, and no source has it.',
  undecided: 'the target did not answer.',
  unknown: 'no source and not the target has it, and the state file does not know it.',
}

function sentenceOf({ verdict, history, by, offline, target }: WhyDocument): string {
  if (verdict === 'waiting' || verdict === 'refused') return `${meaningOf(history?.outcome ?? verdict).meaning}.`
  if (verdict === 'held' && history?.state === 'held') return 'the target has it, and does not serve it any more.'
  if (verdict === 'held' && offline) return 'the target served it when a run last asked.'
  if (verdict === 'unknown' && offline) return 'the state file does not know it.'
  if (verdict === 'unknown' && target.answer === 'lacks') return SENTENCES.unknown
  return by === null ? SENTENCES[verdict] : `${SENTENCES[verdict].slice(0, -1)}: ${name(by)}.`
}

function paintOf(canvas: Canvas, { verdict, exit }: WhyDocument): Paint {
  if (exit !== 0) return canvas.bad
  if (verdict === 'held') return canvas.good
  return verdict === 'waiting' || verdict === 'refused' || verdict === 'missing' ? canvas.warn : canvas.plain
}

/** An id as nevent, an address as `npub1…/identifier` where it is a repository: forms that `why` takes. */
function name(reference: string): string {
  const isId: boolean = isHex32(reference)
  if (isId) return encodeEventId(reference)
  return reference.startsWith('30617:') ? labelRepository(reference, (npub) => npub) : foreign(reference)
}
