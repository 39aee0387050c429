import { readDeletion } from '../nostr/deletion.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { keepValid } from '../nostr/verifier.ts'
import { takeInAside } from '../receive/take-in-aside.ts'
import type { ReceivingRun } from '../receive/take-in.ts'
import { findDeletions } from '../relay/find-removals.ts'
import { findServed } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { OnGap } from '../relay/read-through.ts'
import { askedTarget, askSources } from '../run/ask-sources.ts'
import { isDeletedById } from '../run/withdrawn.ts'
import type { FoundVersion } from './living-versions.ts'
import { FIRST_STAGE } from './publish-order.ts'

/**
 * Returns the ids of served versions that an older one may replace: they have expired, or their author deleted them by
 * id and the target lacks the deletion. Such deletions are made ready, and are sent before everything else. A version
 * stays if the target has its deletion and serves it all the same, or refused the deletion. Throws LostRelayError.
 */
export async function freeAddresses(served: readonly NostrEvent[], run: ReceivingRun): Promise<ReadonlySet<string>> {
  const { startedAt, options, world } = run
  const freed = new Set(served.filter((event) => isExpired(event, startedAt)).map(({ id }) => id))
  const deleted = served.filter((event) => options.deletions === 'apply' && isDeletedById(event, world.state.run))
  if (deleted.length === 0) return freed
  const found = await collectDeletions(deleted, run)
  const known = await findServed(askedTarget(run), [...found.keys()])
  for (const { id } of deleted) {
    const naming = [...found.values()].filter(({ event }) => readDeletion(event).ids.includes(id))
    if (naming.some(({ event }) => known.has(event.id))) continue
    if (naming.filter((each) => makeReady(each, run)).length > 0) freed.add(id)
  }
  return freed
}

/** Returns the deletions of these events that the sources serve, by id. */
async function collectDeletions(
  deleted: readonly NostrEvent[],
  run: ReceivingRun,
): Promise<ReadonlyMap<string, FoundVersion>> {
  const found = new Map<string, FoundVersion>()
  const collect = async (peer: Peer, about: readonly NostrEvent[], onGap: OnGap): Promise<void> => {
    const ids = new Map(about.map(({ id, pubkey }) => [id, pubkey]))
    const keepNaming = async (events: readonly NostrEvent[]): Promise<void> => {
      for (const event of await keepValid(events, run.world.verifier)) {
        if (readDeletion(event).ids.some((id) => ids.get(id) === event.pubkey))
          found.set(event.id, { event, source: peer.endpoint.url })
      }
    }
    await findDeletions(peer, { ids, addresses: [] }, keepNaming, onGap)
  }
  await askSources(run, deleted, collect)
  return found
}

/** Makes a deletion ready; returns whether it will be sent. */
function makeReady({ event, source }: FoundVersion, run: ReceivingRun): boolean {
  const { fate } = run
  const { state } = run.world
  return state.transaction(() => {
    takeInAside(source, 'repositories', event, run)
    const spooled = state.spool.find(event.id)
    if (spooled === undefined || spooled.state === 'refused' || spooled.state === 'held') return false
    fate.makeReady(spooled, FIRST_STAGE)
    return true
  })
}
