/*
 * Coverage is believed only while relays still show what they showed: targets get restored from last week's backup,
 * wiped, or replaced behind the same URL. Before any `since` is used, witnesses are asked for.
 */
import { readDeletion } from './nostr/deletion.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { Verifier } from './nostr/verifier.ts'
import { LostRelayError } from './errors.ts'
import { findDeletions, findServed } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import type { TargetState } from './store/target-state.ts'
import type { Witness } from './store/witnesses.ts'
import type { UnixSeconds } from './time.ts'

const ASKED = 50

export type TrustContext = {
  readonly state: TargetState
  readonly verifier: Verifier
  readonly now: UnixSeconds
}

/** How many witnesses the target no longer shows, without a deletion or an expiry to explain it. Throws LostRelayError. */
export async function countMissingWitnesses(
  target: Peer,
  sources: readonly Peer[],
  context: TrustContext,
): Promise<number> {
  const { state } = context
  const missing = await findMissing(target, context)
  if (missing.length === 0) return 0
  const deletions = await Promise.all([target, ...sources].map((peer) => deletionsOf(missing, peer, context)))
  const deleted = new Set(deletions.flat())
  for (const { id } of missing) if (deleted.has(id)) state.witnesses.remove(target.endpoint.url, id)
  return missing.filter(({ id }) => !deleted.has(id)).length
}

/** Whether a source shows nothing of what it once served. A source that does not answer proves nothing either way. */
export async function hasLostEverything(source: Peer, context: TrustContext): Promise<boolean> {
  const witnesses = alive(context.state.witnesses.sample(source.endpoint.url, ASKED), context.now)
  if (witnesses.length === 0) return false
  try {
    const missing = await findMissing(source, context)
    return missing.length === witnesses.length
  } catch (error) {
    if (error instanceof LostRelayError) return false
    throw error
  }
}

async function findMissing(peer: Peer, { state, now }: TrustContext): Promise<Witness[]> {
  const witnesses = alive(state.witnesses.sample(peer.endpoint.url, ASKED), now)
  const served = await findServed(
    peer,
    witnesses.map(({ id }) => id),
  )
  return witnesses.filter(({ id }) => !served.has(id))
}

/** Of these witnesses, the ids that their own authors deleted, by the deletions that the peer serves. */
async function deletionsOf(missing: readonly Witness[], peer: Peer, { verifier }: TrustContext): Promise<string[]> {
  const authors = new Map(missing.map(({ id, pubkey }) => [id, pubkey]))
  const deleted = new Set<string>()
  const learn = async (found: readonly NostrEvent[]): Promise<void> => {
    const verdicts = await verifier.verify(found)
    for (const event of found.filter((_, index) => verdicts[index] === 'valid')) {
      for (const id of readDeletion(event).ids) if (authors.get(id) === event.pubkey) deleted.add(id)
    }
  }
  try {
    await findDeletions(peer, { ids: [...authors.keys()], addresses: [] }, learn)
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
  }
  return [...deleted]
}

function alive(witnesses: readonly Witness[], now: UnixSeconds): Witness[] {
  return witnesses.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
}
