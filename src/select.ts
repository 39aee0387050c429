/*
 * From what was fetched to what is sent. Selection is over everything the run knows: scope needs all announcements,
 * deletions and newest versions need all sources and the target. So it runs once, after the last page, over the spool,
 * in pieces. What the target serves in an equal or newer version is never sent (rule 6).
 */
import { parkedWait } from './parking.ts'
import { isDeleted, learnDeletions } from './deletions.ts'
import { LostRelayError } from './errors.ts'
import type { IntakeContext } from './intake.ts'
import type { Membership } from './membership.ts'
import { addressOf, isNewerVersion } from './nostr/address.ts'
import { readDeletion } from './nostr/deletion.ts'
import { isExpired, type NostrEvent } from './nostr/event.ts'
import { KIND } from './nostr/kinds.ts'
import { referencesOf } from './nostr/references.ts'
import { findAuthors, findServed, findVersions, type OnGap } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import { noteArrivals } from './reopening.ts'
import { outOfScope, type Scope } from './scope.ts'
import { createStaging } from './stages.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import { hasVanished, learnVanishRequests } from './vanish.ts'

/** A source, and about which events it may be asked; absent: about all. */
export type AskedPeer = Peer & { readonly isAskedAbout: ((event: NostrEvent) => boolean) | undefined }

/** What selection needs beyond the intake. */
export type SelectContext = IntakeContext & {
  /** The sources that can be asked. */
  readonly peers: readonly AskedPeer[]
  readonly scope: Scope
  readonly members: Membership
  /** A source could not be asked for deletions and vanish requests: it was not read to its end. */
  readonly sourceFailed: (source: Peer, error: unknown) => void
  /** A source may hide one of these, though it answers: all that was read of it stands. */
  readonly onSourceGap: (source: Peer, reason: string) => void
}

const PIECE = 250

/** Marks every spooled event that must be sent as ready, in the order of publishing, and takes out what is not wanted. */
export async function selectEvents(context: SelectContext): Promise<void> {
  const { state, members } = context
  const staging = createStaging(members)
  for (const piece of state.spool.inState('candidate', PIECE)) await selectPiece(piece, staging, context)
  for (const piece of state.spool.inState('parked', PIECE)) await selectPiece(piece, staging, context)
  if (state.spool.count('outside') > 0) await selectParents(staging, context)
  for (const piece of state.spool.inState('outside', PIECE)) removeAll(piece, context)
  state.transaction(() => state.spool.orderByParents())
}

/** The same for some parked events alone. */
export async function selectParked(parked: readonly SpooledEvent[], context: SelectContext): Promise<void> {
  await selectPiece(parked, createStaging(context.members), context)
}

type Staging = ReturnType<typeof createStaging>
type Judged = { readonly spooled: SpooledEvent; readonly why: string | undefined }

async function selectPiece(
  piece: readonly SpooledEvent[],
  staging: Staging,
  context: SelectContext,
): Promise<readonly SpooledEvent[]> {
  const { state, ledger } = context
  await askForWithdrawals(piece, context)
  const held = await findHeld(piece, context)
  const authors = await findDeletedAuthors(piece, context)
  const judged = piece.map((spooled): Judged => ({
    spooled,
    why: held.get(spooled.event.id) ?? judge(spooled, authors, context),
  }))
  const wanted = judged.flatMap(({ spooled, why }) => (why === undefined ? [spooled] : []))
  const sendable = wanted.filter((spooled) => spooled.state !== 'parked' || parkedWait(spooled, context) === undefined)
  state.transaction(() => {
    for (const { spooled, why } of judged) if (why !== undefined) takeOut(spooled, why, context)
    noteArrivals(
      judged.flatMap(({ spooled, why }) => (why === 'held' && spooled.state === 'parked' ? [spooled] : [])),
      context,
    )
    for (const { event } of sendable) state.spool.makeReady(event.id, staging.stageOf(event))
  })
  for (const { layer, isLate, state: from } of sendable)
    if (isLate && from !== 'parked') ledger.count(layer, 'lateArrivals')
  return sendable
}

/** Why an event is not sent, by what is known here. Parked events were in scope when they were parked. */
function judge(
  spooled: SpooledEvent,
  authors: ReadonlyMap<string, string>,
  context: SelectContext,
): string | undefined {
  const { event } = spooled
  const { now, scope, members, deletions } = context
  if (isExpired(event, now)) return 'expired'
  if (hasVanished(event, context.state.run)) return 'vanished'
  if (deletions === 'apply' && isDeleted(event, context.state.run)) return 'deleted'
  if (spooled.state === 'parked') return undefined
  const outside = outOfScope(event, scope, members)
  if (outside !== undefined) return outside
  if (event.kind === KIND.deletion && deletesOnlyForOthers(event, authors)) return 'deletion of others'
  return undefined
}

/** Who signed what the deletions of a piece name: known from this run or from the spool, or served by the target. */
async function findDeletedAuthors(
  piece: readonly SpooledEvent[],
  { state, target }: SelectContext,
): Promise<ReadonlyMap<string, string>> {
  const deletions = piece.filter(({ event }) => event.kind === KIND.deletion)
  const ids = [...new Set(deletions.flatMap(({ event }) => readDeletion(event).ids))]
  const known = ids.flatMap((id): [string, string][] => {
    const author = state.run.authorOf(id) ?? state.spool.find(id)?.event.pubkey
    return author === undefined ? [] : [[id, author]]
  })
  const authors = new Map(known)
  const served = await findAuthors(
    target,
    ids.filter((id) => !authors.has(id)),
  )
  return new Map([...authors, ...served])
}

/** A deletion whose known targets all have other authors does nothing anywhere. */
function deletesOnlyForOthers(event: NostrEvent, authorOf: ReadonlyMap<string, string>): boolean {
  const { ids, addresses, foreignAddresses } = readDeletion(event)
  const authors = ids.flatMap((id) => authorOf.get(id) ?? [])
  const isForeign = authors.length + foreignAddresses.length > 0 && authors.every((author) => author !== event.pubkey)
  return isForeign && addresses.length === 0
}

/** Of a piece, what the target serves already: `held` as it is, `superseded` by a newer version. */
async function findHeld(
  piece: readonly SpooledEvent[],
  { target, witness }: SelectContext,
): Promise<Map<string, string>> {
  const held = new Map<string, string>()
  const parked = piece.filter(({ state }) => state !== 'candidate').map(({ event }) => event.id)
  for (const id of await findServed(target, parked)) held.set(id, 'held')
  const addresses = piece.flatMap(({ event }) => addressOf(event) ?? [])
  // What a full second hides of an address is sent: a target that has it, or a newer one, says so.
  const versions = await findVersions(target, addresses, () => undefined)
  for (const id of await findServed(target, tiesOf(piece, versions))) held.set(id, 'held')
  for (const { event } of piece) {
    const served = versions.get(addressOf(event) ?? '')
    if (served?.id === event.id) held.set(event.id, 'held')
    else if (served !== undefined && isNewerVersion(served, event)) held.set(event.id, 'superseded')
  }
  const shown = piece.map(({ event }) => event).filter(({ id }) => held.get(id) === 'held')
  witness(target.endpoint.url, shown)
  return held
}

/** Those of the same second as what the target serves: where it serves several versions, a page may have shown only one. */
function tiesOf(piece: readonly SpooledEvent[], versions: ReadonlyMap<string, NostrEvent>): string[] {
  return piece.flatMap(({ event }) => {
    const served = versions.get(addressOf(event) ?? '')
    return served?.created_at === event.created_at && isNewerVersion(event, served) ? [event.id] : []
  })
}

/** Asks sources and target whether what is about to be sent was deleted, or its author has vanished: nothing of that returns. */
async function askForWithdrawals(piece: readonly SpooledEvent[], context: SelectContext): Promise<void> {
  const events = piece.map(({ event }) => event)
  await Promise.all([
    learnWithdrawals({ peer: context.target, onGap: context.onTargetGap }, events, context),
    ...context.peers.map(async (source) => {
      try {
        const { isAskedAbout = () => true } = source
        const onGap = (reason: string): void => context.onSourceGap(source, reason)
        await learnWithdrawals({ peer: source, onGap }, events.filter(isAskedAbout), context)
      } catch (error) {
        if (!(error instanceof LostRelayError)) throw error
        context.sourceFailed(source, error)
      }
    }),
  ])
}

/** Requests to vanish are honoured whatever becomes of deletions. */
async function learnWithdrawals(
  { peer, onGap }: { readonly peer: Peer; readonly onGap: OnGap },
  events: readonly NostrEvent[],
  context: SelectContext,
): Promise<void> {
  const deletable = context.deletions === 'skip' ? [] : events.filter(({ kind }) => kind !== KIND.deletion)
  await Promise.all([
    learnDeletions(peer, deletable, context, onGap),
    learnVanishRequests(peer, events, context, onGap),
  ])
}

/** Missing parents of what is sent are sent too, even from outside the window of a backfill; so are theirs. */
async function selectParents(staging: Staging, context: SelectContext): Promise<void> {
  for (const piece of context.state.spool.inState('ready', PIECE)) {
    for (let parents = parentsOutside(piece, context); parents.length > 0;) {
      const found = await selectPiece(parents, staging, context)
      for (const { event } of found) noteParent(event, context)
      parents = parentsOutside(found, context)
    }
  }
}

function noteParent({ id }: NostrEvent, { ledger, target }: SelectContext): void {
  const reason = 'outside the window, but events in it need it'
  ledger.problem({ what: 'parent', where: target.endpoint.url, reason, example: id })
}

function parentsOutside(piece: readonly SpooledEvent[], { state }: SelectContext): SpooledEvent[] {
  const found = new Map<string, SpooledEvent>()
  for (const { event } of piece) {
    const { ids, addresses } = referencesOf(event)
    const parents = [
      ...ids.map((id) => state.spool.find(id)),
      ...addresses.map((address) => state.spool.findVersion(address)),
    ]
    for (const parent of parents) if (parent?.state === 'outside') found.set(parent.event.id, parent)
  }
  return [...found.values()]
}

function takeOut({ event, layer, state: from }: SpooledEvent, why: string, context: SelectContext): void {
  const { state, ledger } = context
  state.spool.remove(event.id)
  if (from === 'parked') return settleParked(event, layer, why, ledger)
  if (why === 'held') context.countHeld(layer, event)
  else ledger.drop(layer, why)
}

function settleParked(
  event: NostrEvent,
  layer: SpooledEvent['layer'],
  why: string,
  ledger: SelectContext['ledger'],
): void {
  switch (why) {
    case 'held':
      ledger.note('Some events that waited on disk are served by the target now.')
      return ledger.settle(layer, 'accepted')
    case 'superseded':
    case 'vanished':
    case 'deleted':
    case 'expired':
      return ledger.settle(layer, why)
    default:
      return ledger.drop(layer, why)
  }
}

function removeAll(piece: readonly SpooledEvent[], { state }: SelectContext): void {
  state.transaction(() => {
    for (const { event } of piece) state.spool.remove(event.id)
  })
}
