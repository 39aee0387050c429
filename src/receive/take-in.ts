/*
 * What happens to each batch of fetched events (rule 4). The page reader has checked shape and filter. The target is
 * asked by id for regular events, so of these the spool holds only what the target lacks. Ids and signatures are
 * verified, and only then is an id marked as seen. Of an event that the target serves only the id is checked: it is the
 * hash of the rest, so the copy here is the target's own, which nobody sends and nobody has to believe
 * (docs/decisions/0007).
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import { SpoolFullError } from '../errors.ts'
import type { LayerName } from '../layer-name.ts'
import { addressOf } from '../nostr/address.ts'
import { isExpired, tagValues, type NostrEvent } from '../nostr/event.ts'
import { isEphemeral, KIND } from '../nostr/kinds.ts'
import { hasRightId } from '../nostr/signed.ts'
import { findServed } from '../relay/holdings.ts'
import { OTHER_SHARD } from '../report/report.ts'
import { isWithin, windowOf } from '../report/run-options.ts'
import type { Run } from '../run/run.ts'
import { recordDeletion, recordVanishRequest } from '../run/withdrawn.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'

/** A run that takes in events, with the catalog that learns from them. */
export type ReceivingRun = Run & {
  readonly catalog: {
    /** Learns from a verified event, in scope or not. */
    learn(layer: LayerName, event: NostrEvent, held: boolean): void
    repositoryOf(event: NostrEvent): string | undefined
    isOfAnotherShard(event: NostrEvent): boolean
  }
}

const AUDIT_TAG = 'grasp-audit-test-event'
const REFUSAL_SECONDS = 30 * 86_400

/** Takes in the events that a request brought from a source. Throws LostRelayError when the target stops answering. */
export async function takeIn(
  source: string,
  request: PlannedRequest,
  events: readonly NostrEvent[],
  run: ReceivingRun,
): Promise<void> {
  const { layer } = request
  const { state } = run.world
  run.ledger.count(layer, 'fetched', events.length)
  const unseen = events.filter((event) => !state.run.isSeen(event.id))
  const served = await findHeld(unseen.filter(isRegular), run)
  const verified = await verifyNew(source, layer, { unseen, served }, run)
  const wanted = state.transaction(() => learnNew(layer, verified, run))
  noteWitnesses(source, events, wanted, run)
  const held = wanted.filter((event) => served.has(event.id))
  for (const event of held) countHeld(layer, event, run)
  run.witnesses.add(run.target.endpoint.url, held)
  const lacking = wanted.filter((event) => !served.has(event.id))
  state.transaction(() => {
    for (const spooled of held.flatMap(({ id }) => state.spool.find(id) ?? [])) run.fate.forget(spooled)
    for (const event of lacking) spool(source, request, event, run)
  })
}

/** What others have shown before serves as well, until there are enough: a source may show nothing else. */
function noteWitnesses(
  source: string,
  events: readonly NostrEvent[],
  wanted: readonly NostrEvent[],
  run: ReceivingRun,
): void {
  const isKnown = (event: NostrEvent): boolean => run.world.state.run.isSeen(event.id) && hasRightId(event)
  const isWitness = (event: NostrEvent): boolean => isKnown(event) && unwantedBecause(event, run) === undefined
  run.witnesses.add(source, run.witnesses.isFull(source) ? wanted : events.filter(isWitness))
}

/** Counts an event that the target holds already. */
export function countHeld(layer: LayerName, event: NostrEvent, run: ReceivingRun): void {
  const { options, ledger, differences, catalog } = run
  // Anchors are read in full even for a window: events outside it were not asked about.
  if (!isWithin(event, windowOf(options))) return
  ledger.count(layer, 'held')
  if (options.command !== 'check') return
  differences.add('targetHas', { layer, kind: event.kind, repository: catalog.repositoryOf(event) ?? null })
}

/** Returns the ids of the events that the target holds. Ids that it listed by NIP-77 are not asked for again. */
async function findHeld(
  events: readonly NostrEvent[],
  { target, world }: Pick<Run, 'target' | 'world'>,
): Promise<Set<string>> {
  const listed = events.filter(({ id }) => world.state.run.isServed(id)).map(({ id }) => id)
  const known = new Set(listed)
  const asked = events.map(({ id }) => id).filter((id) => !known.has(id))
  for (const id of await findServed(target, asked)) known.add(id)
  return known
}

/**
 * Notes verified events as seen, with the anchors, deletions and vanish requests in them. Returns the new ones that are
 * wanted.
 */
export function learnNew(layer: LayerName, verified: readonly NostrEvent[], run: ReceivingRun): NostrEvent[] {
  const { ledger, options, targetNames, catalog } = run
  const tables = run.world.state.run
  const fresh = verified.filter((event) => tables.markSeen(event, layer))
  ledger.count(layer, 'unique', fresh.length)
  if (options.deletions === 'apply') for (const event of fresh) recordDeletion(event, tables)
  for (const event of fresh) recordVanishRequest(event, targetNames, tables)
  const wanted = fresh.filter((event) => isWanted(layer, event, run))
  for (const event of wanted) catalog.learn(layer, event, false)
  return wanted
}

async function verifyNew(
  source: string,
  layer: LayerName,
  { unseen, served }: { readonly unseen: readonly NostrEvent[]; readonly served: ReadonlySet<string> },
  { world: { verifier }, ledger }: Pick<Run, 'world' | 'ledger'>,
): Promise<NostrEvent[]> {
  const isTargets = (event: NostrEvent): boolean => served.has(event.id) && !isBelieved(event) && hasRightId(event)
  const doubtful = unseen.filter((event) => !isTargets(event))
  const verdicts = await verifier.verify(doubtful)
  const verdictOf = new Map(doubtful.map((event, index) => [event, verdicts[index] ?? 'wrong signature']))
  return unseen.filter((event) => {
    const verdict = verdictOf.get(event) ?? 'valid'
    if (verdict === 'valid') return true
    ledger.count(layer, 'invalid')
    ledger.problem({ what: 'invalid', where: source, reason: verdict, example: event.id })
    return false
  })
}

function isRegular(event: NostrEvent): boolean {
  return addressOf(event) === undefined
}

/** Whether something else is decided by this event: what an author took back. */
function isBelieved({ kind }: NostrEvent): boolean {
  return kind === KIND.deletion || kind === KIND.vanishRequest
}

function isWanted(layer: LayerName, event: NostrEvent, run: Run): boolean {
  const why = unwantedBecause(event, run)
  if (why !== undefined) run.ledger.drop(layer, why)
  return why === undefined
}

/** Returns why an event is never copied, by the event and the options alone; `undefined` when it may be. */
export function unwantedBecause(
  event: NostrEvent,
  { startedAt, options }: Pick<Run, 'startedAt' | 'options'>,
): string | undefined {
  if (isEphemeral(event.kind)) return 'ephemeral'
  if (isExpired(event, startedAt)) return 'expired'
  if (tagValues(event, 't').includes(AUDIT_TAG)) return 'audit'
  if (event.kind === KIND.vanishRequest) return 'vanish request'
  if (event.kind === KIND.deletion && options.deletions === 'skip') return 'deletion skipped'
  return undefined
}

/**
 * Keeps an event for selection unless the spool has it or another shard copies it; an old refusal is forgotten first.
 * Throws SpoolFullError.
 */
export function spool(
  source: string,
  request: Pick<PlannedRequest, 'layer' | 'lateBefore'>,
  event: NostrEvent,
  run: ReceivingRun,
): void {
  const { ledger, fate } = run
  const { state } = run.world
  if (run.catalog.isOfAnotherShard(event)) return ledger.drop(request.layer, OTHER_SHARD)
  const before = state.spool.find(event.id)
  if (before !== undefined && !mayBeTriedAgain(before, run)) {
    if (before.state === 'refused') ledger.drop(request.layer, 'refused before')
    if (before.state === 'held') countHeld(request.layer, event, run)
    return
  }
  if (before !== undefined) fate.forget(before)
  if (state.spool.isFull()) {
    state.checkpoints.freeze()
    throw new SpoolFullError()
  }
  const isLate = request.lateBefore !== undefined && event.created_at < request.lateBefore
  // An event outside the window of a backfill may still be the missing parent of one inside.
  const isOutside = !isWithin(event, windowOf(run.options))
  fate.take(event, { layer: request.layer, source, isLate, isOutside })
}

/**
 * Whether to forget that the target refused an event, or holds it without serving it: after 30 days, or once the target
 * says that it runs other software.
 */
function mayBeTriedAgain(
  { state, settledAt, software }: SpooledEvent,
  run: Pick<Run, 'software' | 'startedAt'>,
): boolean {
  if (state !== 'refused' && state !== 'held') return false
  const isOtherSoftware = run.software !== undefined && software !== run.software
  return isOtherSoftware || run.startedAt - (settledAt ?? 0) > REFUSAL_SECONDS
}
