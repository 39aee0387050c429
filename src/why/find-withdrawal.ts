import { LostRelayError } from '../errors.ts'
import { addressOf } from '../nostr/address.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { vanishesUntil, type RelayNames } from '../nostr/vanish.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findDeletions, findVanishRequests } from '../relay/find-removals.ts'
import type { Peer } from '../relay/peer.ts'
import type { Run } from '../run/run.ts'
import { recordDeletion, recordVanishRequest } from '../run/withdrawn.ts'

/** How an author took an event back, and the id of the event that says so. */
export type Withdrawal = { readonly why: 'deleted' | 'vanished'; readonly by: string }

/**
 * Asks everywhere whether the author took the event back. What is found is noted in the run's tables. Of a place that
 * does not answer nothing is said here: it was asked for the event too.
 */
export async function findWithdrawal(
  event: NostrEvent,
  peers: readonly Peer[],
  run: Pick<Run, 'world' | 'targetNames' | 'options'>,
): Promise<Withdrawal | undefined> {
  const found = await Promise.all(peers.map((peer) => askForWithdrawal(event, peer, run)))
  const all = found.flat()
  return all.find(({ why }) => why === 'vanished') ?? all[0]
}

async function askForWithdrawal(
  event: NostrEvent,
  peer: Peer,
  { world: { state, verifier }, targetNames, options }: Pick<Run, 'world' | 'targetNames' | 'options'>,
): Promise<Withdrawal[]> {
  const found: Withdrawal[] = []
  const keep = async (events: readonly NostrEvent[]): Promise<void> => {
    for (const removal of await keepValid(events, verifier)) {
      if (removal.pubkey !== event.pubkey) continue
      recordDeletion(removal, state.run)
      recordVanishRequest(removal, targetNames, state.run)
      const why = withdraws(removal, event, targetNames)
      if (why !== undefined) found.push({ why, by: removal.id })
    }
  }
  try {
    if (options.deletions === 'apply' && event.kind !== KIND.deletion) {
      const address = addressOf(event)
      const addresses = address === undefined ? [] : [address]
      await findDeletions(peer, { ids: new Map([[event.id, event.pubkey]]), addresses }, keep, ignoreGap)
    }
    await findVanishRequests(peer, [event.pubkey], keep, ignoreGap)
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
  }
  return found
}

function withdraws(removal: NostrEvent, event: NostrEvent, targetNames: RelayNames): Withdrawal['why'] | undefined {
  if ((vanishesUntil(removal, targetNames) ?? -1) >= event.created_at) return 'vanished'
  if (removal.kind !== KIND.deletion || event.kind === KIND.deletion) return undefined
  const { ids, addresses } = readDeletion(removal)
  if (ids.includes(event.id)) return 'deleted'
  return addresses.includes(addressOf(event) ?? '') && removal.created_at >= event.created_at ? 'deleted' : undefined
}

function ignoreGap(): void {
  // One second that holds more removals than a page hides none that is needed here: any one of them decides.
}
