/*
 * What proves that an event is settled at the target: it serves it, or what it serves instead, or nothing is left to
 * serve.
 */
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { findVersions } from '../relay/holdings.ts'
import type { Outcome } from '../report/report.ts'
import type { Fate } from '../run/fate.ts'
import type { Run } from '../run/run.ts'
import { isDeleted } from '../run/withdrawn.ts'
import type { SpooledEvent, SpooledHead } from '../store/spooled-event.ts'
import { learnDeletions } from '../withdraw/withdrawals.ts'

/** The part of a run that a proof needs. */
export type ProvingRun = Pick<Run, 'target' | 'world'>

/** What the target was seen to do with an event; the last two mean that another version stands in its place. */
export type Proof = Outcome | 'of the same second' | 'below what is gone'

const SAME_SECOND = 'the target serves another version of the same second'
const GONE = 'the target still serves a newer version that was deleted or has expired'

/**
 * Finds why events are not served, and adds it to `proofs`: a newer version stands there, or they were deleted, or have
 * expired. Throws LostRelayError.
 */
export async function explainAbsence(
  absent: readonly SpooledEvent[],
  proofs: Map<string, Proof>,
  run: ProvingRun,
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
function isGone(version: NostrEvent, { world }: ProvingRun): boolean {
  return isDeleted(version, world.state.run) || isExpired(version, world.clock())
}

/** Settles an event by its proof. */
export function concludeProof(spooled: SpooledHead, proof: Proof, fate: Fate): void {
  if (proof === 'of the same second' || proof === 'below what is gone') {
    const reason = proof === 'of the same second' ? SAME_SECOND : GONE
    // Some relays keep their own of two, whatever its id: without this memory every full run sends ours again.
    return fate.refuse(spooled, 'superseded', { reason })
  }
  fate.settle(spooled, proof)
}
