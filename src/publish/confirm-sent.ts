/*
 * An OK is not proof of storage: some relays say OK and drop, some hold back until git data arrives. So events that
 * were sent, answered or not, are asked for again, and only those that the target serves are accepted. A target with
 * NIP-77 is asked for a list and a sample of them, so that they need not all be read back. After an outage the target
 * lacked a whole stretch of time, so what it holds of that time should be just what was sent.
 */
import { hasLasted, isLastTry } from '../checkpoint/next-try.ts'
import { KIND } from '../nostr/kinds.ts'
import { isHeldUnserved } from '../relay/answers.ts'
import { findClaimed } from '../relay/find-claimed.ts'
import { workAhead } from '../relay/side-by-side.ts'
import type { Run } from '../run/run.ts'
import { concludeProof, explainAbsence, type Proof } from '../select/proof.ts'
import { noteArrivals } from '../select/reopening.ts'
import { newestOf } from '../run/witness-log.ts'
import type { Spool } from '../store/spool.ts'
import type { NumberedHead, SpooledEvent, SpooledHead } from '../store/spooled-event.ts'

/** The part of a run that the proof needs. */
type ConfirmingRun = Pick<Run, 'target' | 'world' | 'fate' | 'startedAt' | 'witnesses'>

const PIECE = 1_000
/** While one is concluded, so many are asked about. */
const PIECES_AHEAD = 3
/** How many of 250 events that the target lists are asked for all the same. */
const READ_BACK = 16

/** Settles or parks every event that was sent, by whether the target serves it now. Throws LostRelayError. */
export async function confirmSent(run: ConfirmingRun): Promise<void> {
  const { state } = run.world
  const pieces = state.spool.headsInState('confirming', PIECE)
  for await (const [piece, proofs] of workAhead(pieces, { count: PIECES_AHEAD }, (piece) => prove(piece, run))) {
    state.transaction(() => {
      for (const spooled of piece) conclude(spooled, proofs.get(spooled.event.id), run)
      noteArrivals(
        piece.filter((spooled) => hasArrived(spooled, proofs.get(spooled.event.id))),
        run,
      )
    })
  }
}

/** Whether the event is served, or an announcement that now waits for git data: its members count from then on. */
function hasArrived({ event, outcome, attempts }: SpooledHead, proof: Proof | undefined): boolean {
  if (proof === 'accepted') return true
  return proof === undefined && event.kind === KIND.announcement && outcome === 'pending' && attempts === 1
}

async function prove(piece: readonly NumberedHead[], run: ConfirmingRun): Promise<Map<string, Proof>> {
  const { state } = run.world
  const proofs = new Map<string, Proof>()
  const sent = piece.map(({ event: { id, created_at: createdAt } }) => ({ id, createdAt }))
  const served = await findClaimed(run.target, sent, run.startedAt, { drawn: READ_BACK, areAlone: true })
  const proved = piece.filter(({ event }) => served.has(event.id))
  for (const { event, outcome } of proved) proofs.set(event.id, outcome === 'duplicate' ? 'duplicate' : 'accepted')
  run.witnesses.add(run.target.endpoint.url, state.spool.eventsOf(newestOf(proved)), { isPublished: true })
  const absent = wholeOf(
    piece.filter(({ event }) => !served.has(event.id)),
    state.spool,
  )
  if (absent.length > 0) await explainAbsence(absent, proofs, run)
  return proofs
}

function wholeOf(heads: readonly NumberedHead[], spool: Spool): SpooledEvent[] {
  const events = new Map(spool.eventsOf(heads).map((event) => [event.id, event]))
  return heads.flatMap((head) => {
    const event = events.get(head.event.id)
    return event === undefined ? [] : [{ ...head, event }]
  })
}

function conclude(spooled: SpooledHead, proof: Proof | undefined, run: ConfirmingRun): void {
  const { fate } = run
  // The only OK without storage that counts: sending again would bring the same answer.
  if (proof === undefined && isHeldUnserved(spooled.event, spooled.reason ?? '')) return fate.hold(spooled)
  if (proof === undefined) return park(spooled, run)
  concludeProof(spooled, proof, fate)
}

/**
 * Parks an event that is not served: `pending` after an OK, else `unanswered` or `waiting`. Refuses it when errors have
 * lasted long enough.
 */
function park(spooled: SpooledHead, { fate, startedAt: now }: ConfirmingRun): void {
  const { outcome, reason, lastOkAt } = spooled
  if (outcome === 'unanswered') return fate.park(spooled)
  if (outcome === 'waiting') {
    return hasLasted(spooled, now) ? fate.refuse(spooled, 'refused') : fate.park(spooled)
  }
  const saidYes = lastOkAt !== undefined && lastOkAt >= now
  if (!saidYes) {
    // The target said that it has something else at the address, and serves no such thing: an error of the relay.
    if (isLastTry(spooled, now)) return fate.refuse(spooled, 'refused')
    return fate.park(spooled, { outcome: 'waiting', isError: true })
  }
  fate.park(spooled, { outcome: 'pending', ...(reason === '' ? { reason: 'OK, but it is not served' } : {}) })
}
