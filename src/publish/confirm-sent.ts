/*
 * An OK is not proof of storage: some relays say OK and drop, some hold back until git data arrives. So events that
 * were sent, answered or not, are asked for again, and only those that the target serves are accepted. A target with
 * NIP-77 is asked for a list and a sample of them, so that they need not all be read back.
 */
import { hasLasted, isLastTry } from '../checkpoint/next-try.ts'
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { isHeldUnserved } from '../relay/answers.ts'
import { findClaimed } from '../relay/find-claimed.ts'
import { findVersions } from '../relay/holdings.ts'
import type { Outcome } from '../report/report.ts'
import type { Run } from '../run/run.ts'
import { isDeleted } from '../run/withdrawn.ts'
import { noteArrivals } from '../select/reopening.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { learnDeletions } from '../withdraw/withdrawals.ts'

/** The part of a run that the proof needs. */
type ConfirmingRun = Pick<Run, 'target' | 'world' | 'fate' | 'startedAt' | 'witnesses'>

const PIECE = 1_000
/** How many of 250 events that the target lists are asked for all the same. */
const READ_BACK = 16
const SAME_SECOND = 'the target serves another version of the same second'
const GONE = 'the target still serves a newer version that was deleted or has expired'

/** Settles or parks every event that was sent, by whether the target serves it now. Throws LostRelayError. */
export async function confirmSent(run: ConfirmingRun): Promise<void> {
  const { state } = run.world
  for (const piece of state.spool.inState('confirming', PIECE)) {
    const proofs = await prove(piece, run)
    state.transaction(() => {
      for (const spooled of piece) conclude(spooled, proofs.get(spooled.event.id), run)
      noteArrivals(
        piece.filter((spooled) => hasArrived(spooled, proofs.get(spooled.event.id))),
        run,
      )
    })
  }
}

type Proof = Outcome | 'of the same second' | 'below what is gone'

/** Whether the event is served, or an announcement that now waits for git data: its members count from then on. */
function hasArrived({ event, outcome, attempts }: SpooledEvent, proof: Proof | undefined): boolean {
  if (proof === 'accepted') return true
  return proof === undefined && event.kind === KIND.announcement && outcome === 'pending' && attempts === 1
}

async function prove(piece: readonly SpooledEvent[], run: ConfirmingRun): Promise<Map<string, Proof>> {
  const proofs = new Map<string, Proof>()
  const sent = piece.map(({ event: { id, created_at: createdAt } }) => ({ id, createdAt }))
  const served = await findClaimed(run.target, sent, run.startedAt, READ_BACK)
  const proved = piece.filter(({ event }) => served.has(event.id))
  for (const { event, outcome } of proved) proofs.set(event.id, outcome === 'duplicate' ? 'duplicate' : 'accepted')
  const shown = proved.map(({ event }) => event)
  run.witnesses.add(run.target.endpoint.url, shown, { isPublished: true })
  const absent = piece.filter(({ event }) => !served.has(event.id))
  if (absent.length > 0) await explainAbsence(absent, proofs, run)
  return proofs
}

/** Finds why events are not served: a newer version stands there, or they were deleted, or have expired. */
async function explainAbsence(
  absent: readonly SpooledEvent[],
  proofs: Map<string, Proof>,
  run: ConfirmingRun,
): Promise<void> {
  const events = absent.map(({ event }) => event)
  const addresses = events.flatMap((event) => addressOf(event) ?? [])
  // An event that a full second hides stays pending.
  const versions = await findVersions(run.target, addresses, () => undefined)
  await learnDeletions(run.target, events, run, () => undefined)
  for (const { event, outcome } of absent) {
    const version = versions.get(addressOf(event) ?? '')
    if (version !== undefined && isNewerVersion(version, event))
      proofs.set(event.id, isGone(version, run) ? 'below what is gone' : 'superseded')
    else if (version?.created_at === event.created_at && outcome !== 'pending')
      proofs.set(event.id, 'of the same second')
    else if (isDeleted(event, run.world.state.run)) proofs.set(event.id, 'deleted')
    else if (isExpired(event, run.world.clock())) proofs.set(event.id, 'expired')
  }
}

/**
 * Whether a version no longer counts. An older one was sent in its place, and would be sent again if nobody remembered.
 */
function isGone(version: NostrEvent, { world }: ConfirmingRun): boolean {
  return isDeleted(version, world.state.run) || isExpired(version, world.clock())
}

function conclude(spooled: SpooledEvent, proof: Proof | undefined, run: ConfirmingRun): void {
  const { fate } = run
  // The only OK without storage that counts: sending again would bring the same answer.
  if (proof === undefined && isHeldUnserved(spooled.event, spooled.reason ?? '')) return fate.hold(spooled)
  if (proof === undefined) return park(spooled, run)
  if (proof === 'of the same second' || proof === 'below what is gone') {
    const reason = proof === 'of the same second' ? SAME_SECOND : GONE
    // Some relays keep their own of two, whatever its id: without this memory every full run sends ours again.
    return fate.refuse(spooled, 'superseded', { reason })
  }
  fate.settle(spooled, proof)
}

/**
 * Parks an event that is not served: `pending` after an OK, else `unanswered` or `waiting`. Refuses it when errors have
 * lasted long enough.
 */
function park(spooled: SpooledEvent, { fate, startedAt: now }: ConfirmingRun): void {
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
