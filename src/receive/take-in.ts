/*
 * What happens to each batch of fetched events, in this order (rule 4): shape and filter were checked by the page
 * reader; then id and signature, and only then deduplication. What stays is asked of the target by id, so the spool
 * holds only what the target lacks. One transaction per batch.
 */
import { recordDeletion } from '../withdraw/deletions.ts'
import { SpoolFullError } from '../errors.ts'
import type { Fate } from '../run/fate.ts'
import type { Ledger } from '../run/ledger.ts'
import { isExpired, tagValues, type NostrEvent } from '../nostr/event.ts'
import { addressOf } from '../nostr/address.ts'
import { isEphemeral, KIND } from '../nostr/kinds.ts'
import type { RelayNames } from '../nostr/vanish.ts'
import type { Verifier } from '../nostr/verifier.ts'
import type { PlannedRequest } from '../checkpoint/plan.ts'
import { findServed, type OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { LayerName } from '../layer-name.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'
import { recordVanishRequest } from '../withdraw/vanish.ts'

/** What the intake of a run needs. `learn` is called with every verified event, in scope or not. */
export type IntakeContext = {
  readonly target: Peer
  readonly state: TargetState
  readonly verifier: Verifier
  readonly ledger: Ledger
  readonly fate: Fate
  readonly now: UnixSeconds
  readonly deletions: 'apply' | 'skip'
  /** By what requests to vanish name the target. */
  readonly targetNames: RelayNames
  readonly learn: (layer: LayerName, event: NostrEvent) => void
  /** Counts an event that the target holds already. */
  readonly countHeld: (layer: LayerName, event: NostrEvent) => void
  /** Called with events that an endpoint has shown to hold. */
  readonly witness: (url: string, events: readonly NostrEvent[], proof?: { readonly isPublished: boolean }) => void
  /** `backfill`: only what lies in the window is a candidate; what lies outside may still be its missing parent. */
  readonly window: Window | undefined
  /** Called with the reason why the target may hide something of what it was asked for; see `TargetGaps`. */
  readonly onTargetGap: OnGap
  /** What the target's software is, for refusals that are remembered. */
  readonly software: string | undefined
}

/** Inclusive bounds on `created_at`. */
export type Window = { readonly since: UnixSeconds | undefined; readonly until: UnixSeconds | undefined }

const AUDIT_TAG = 'grasp-audit-test-event'
const REFUSAL_SECONDS = 30 * 86_400

/** Takes in the events that a request brought from a source. Throws LostRelayError when the target stops answering. */
export async function takeIn(
  source: string,
  request: PlannedRequest,
  events: readonly NostrEvent[],
  context: IntakeContext,
): Promise<void> {
  const { layer } = request
  context.ledger.count(layer, 'fetched', events.length)
  const verified = await verifyNew(source, layer, events, context)
  const wanted = context.state.transaction(() => learnNew(layer, verified, context))
  const regular = wanted.filter((event) => addressOf(event) === undefined)
  context.witness(source, wanted)
  const served = await findHeld(regular, context)
  const held = regular.filter((event) => served.has(event.id))
  for (const event of held) context.countHeld(layer, event)
  context.witness(context.target.endpoint.url, held)
  const lacking = wanted.filter((event) => !served.has(event.id))
  context.state.transaction(() => {
    for (const spooled of held.flatMap(({ id }) => context.state.spool.find(id) ?? [])) context.fate.forget(spooled)
    for (const event of lacking) spool(source, request, event, context)
  })
}

/** Of these events, the ids that the target holds: those that it listed by NIP-77 need not be asked for. */
async function findHeld(events: readonly NostrEvent[], { target, state }: IntakeContext): Promise<Set<string>> {
  const listed = events.filter(({ id }) => state.run.isServed(id)).map(({ id }) => id)
  const known = new Set(listed)
  const asked = events.map(({ id }) => id).filter((id) => !known.has(id))
  for (const id of await findServed(target, asked)) known.add(id)
  return known
}

/**
 * Notes verified events as seen, with the anchors, deletions and vanish requests in them. Returns the new ones that are
 * wanted.
 */
export function learnNew(layer: LayerName, verified: readonly NostrEvent[], context: IntakeContext): NostrEvent[] {
  const { state, ledger, deletions, learn } = context
  const fresh = verified.filter((event) => state.run.markSeen(event, layer))
  ledger.count(layer, 'unique', fresh.length)
  if (deletions === 'apply') for (const event of fresh) recordDeletion(event, state.run)
  for (const event of fresh) recordVanishRequest(event, context)
  const wanted = fresh.filter((event) => isWanted(layer, event, context))
  for (const event of wanted) learn(layer, event)
  return wanted
}

async function verifyNew(
  source: string,
  layer: LayerName,
  events: readonly NostrEvent[],
  { state, verifier, ledger }: IntakeContext,
): Promise<NostrEvent[]> {
  const unseen = events.filter((event) => !state.run.isSeen(event.id))
  const verdicts = await verifier.verify(unseen)
  const valid: NostrEvent[] = []
  for (const [index, event] of unseen.entries()) {
    const verdict = verdicts[index] ?? 'wrong signature'
    if (verdict === 'valid') {
      valid.push(event)
      continue
    }
    ledger.count(layer, 'invalid')
    ledger.problem({ what: 'invalid', where: source, reason: verdict, example: event.id })
  }
  return valid
}

function isWanted(layer: LayerName, event: NostrEvent, { ledger, now, deletions }: IntakeContext): boolean {
  const why = unwantedBecause(event, now, deletions)
  if (why !== undefined) ledger.drop(layer, why)
  return why === undefined
}

/** Why an event is never copied, whatever else is known of it; `undefined` when it may be. */
export function unwantedBecause(event: NostrEvent, now: UnixSeconds, deletions: 'apply' | 'skip'): string | undefined {
  if (isEphemeral(event.kind)) return 'ephemeral'
  if (isExpired(event, now)) return 'expired'
  if (tagValues(event, 't').includes(AUDIT_TAG)) return 'audit'
  if (event.kind === KIND.vanishRequest) return 'vanish request'
  if (event.kind === KIND.deletion && deletions === 'skip') return 'deletion skipped'
  return undefined
}

/**
 * Keeps an event for selection, if it was not settled or parked before. Throws SpoolFullError when there is no room.
 */
export function spool(
  source: string,
  request: Pick<PlannedRequest, 'layer' | 'lateBefore'>,
  event: NostrEvent,
  context: IntakeContext,
): void {
  const { state, ledger, fate } = context
  const before = state.spool.find(event.id)
  if (before !== undefined && !mayBeTriedAgain(before, context)) {
    if (before.state === 'refused') ledger.drop(request.layer, 'refused before')
    if (before.state === 'held') context.countHeld(request.layer, event)
    return
  }
  if (before !== undefined) fate.forget(before)
  if (state.spool.isFull()) {
    state.checkpoints.freeze()
    throw new SpoolFullError()
  }
  const isLate = request.lateBefore !== undefined && event.created_at < request.lateBefore
  const isOutside = context.window !== undefined && !isWithin(event, context.window)
  fate.take(event, { layer: request.layer, source, isLate, isOutside })
}

/** Whether an event was signed within the window. */
export function isWithin(event: NostrEvent, { since = 0, until = Infinity }: Window): boolean {
  return event.created_at >= since && event.created_at <= until
}

/**
 * A refusal, or that it is held unseen, is remembered while the target's software is the same, as far as it says, for
 * 30 days.
 */
function mayBeTriedAgain(
  { state, settledAt, software }: SpooledEvent,
  context: Pick<IntakeContext, 'software' | 'now'>,
): boolean {
  if (state !== 'refused' && state !== 'held') return false
  const isOtherSoftware = context.software !== undefined && software !== context.software
  return isOtherSoftware || context.now - (settledAt ?? 0) > REFUSAL_SECONDS
}
