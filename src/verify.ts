/*
 * An OK is not proof of storage: some relays say OK and drop, some hold back until git data arrives. So whatever was
 * answered, or sent without an answer, is asked for again by id, and only what the target serves is accepted.
 */
import { addressOf, isNewerVersion } from './nostr/address.ts'
import { isDeleted, learnDeletions } from './deletions.ts'
import type { Ledger } from './ledger.ts'
import { isExpired, type NostrEvent } from './nostr/event.ts'
import type { Verifier } from './nostr/verifier.ts'
import { findServed, findVersions } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import type { Outcome } from './report.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import type { TargetState } from './store/target-state.ts'
import type { UnixSeconds } from './time.ts'

/** What the proof needs. */
export type VerifyContext = {
  readonly target: Peer
  readonly state: TargetState
  readonly verifier: Verifier
  readonly ledger: Ledger
  readonly now: UnixSeconds
  readonly software: string | undefined
  readonly witness: (url: string, events: readonly NostrEvent[], proof: { readonly isPublished: boolean }) => void
}

const PIECE = 250
const ERROR_RUNS = 3
const ERROR_SECONDS = 86_400

/** Settles or parks every event that was sent, by what the target serves now. Throws LostRelayError. */
export async function confirmSent(context: VerifyContext): Promise<void> {
  const { state } = context
  for (const piece of state.spool.inState('confirming', PIECE)) {
    const proofs = await prove(piece, context)
    state.transaction(() => {
      for (const spooled of piece) conclude(spooled, proofs.get(spooled.event.id), context)
    })
  }
}

async function prove(piece: readonly SpooledEvent[], context: VerifyContext): Promise<Map<string, Outcome>> {
  const proofs = new Map<string, Outcome>()
  const served = await findServed(
    context.target,
    piece.map(({ event }) => event.id),
  )
  const proved = piece.filter(({ event }) => served.has(event.id))
  for (const { event, outcome } of proved) proofs.set(event.id, outcome === 'duplicate' ? 'duplicate' : 'accepted')
  const shown = proved.map(({ event }) => event)
  context.witness(context.target.endpoint.url, shown, { isPublished: true })
  const absent = piece.map(({ event }) => event).filter((event) => !served.has(event.id))
  if (absent.length > 0) await explainAbsence(absent, proofs, context)
  return proofs
}

/** Not served after an answer: a newer version stands there, its author deleted it, or its time has passed. */
async function explainAbsence(
  absent: readonly NostrEvent[],
  proofs: Map<string, Outcome>,
  context: VerifyContext,
): Promise<void> {
  const addresses = absent.flatMap((event) => addressOf(event) ?? [])
  const versions = await findVersions(context.target, addresses)
  await learnDeletions(context.target, absent, context)
  for (const event of absent) {
    const version = versions.get(addressOf(event) ?? '')
    if (version !== undefined && isNewerVersion(version, event)) proofs.set(event.id, 'superseded')
    else if (isDeleted(event, context.state.run)) proofs.set(event.id, 'deleted')
    else if (isExpired(event, context.now)) proofs.set(event.id, 'expired')
  }
}

function conclude(spooled: SpooledEvent, proof: Outcome | undefined, context: VerifyContext): void {
  const { event, layer } = spooled
  if (proof === undefined) return park(spooled, context)
  context.state.spool.remove(event.id)
  context.ledger.settle(layer, proof)
}

/** An OK without storage is `pending`; what waited or had no answer stays so, until errors have lasted long enough. */
function park(spooled: SpooledEvent, { state, ledger, now, software }: VerifyContext): void {
  const { event, layer, outcome, reason, errorRuns, parkedAt } = spooled
  const isLasting = outcome === 'waiting' && errorRuns >= ERROR_RUNS && now - (parkedAt ?? now) >= ERROR_SECONDS
  if (isLasting) {
    state.spool.change(event.id, { state: 'refused', outcome: 'refused', software }, now)
    return ledger.settle(layer, 'refused')
  }
  const isAnswered = outcome !== 'waiting' && outcome !== 'unanswered'
  const pending = { outcome: 'pending', ...(reason === '' ? { reason: 'OK, but it is not served' } : {}) } as const
  state.spool.change(event.id, { state: 'parked', ...(isAnswered ? pending : {}) }, now)
}
