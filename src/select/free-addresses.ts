import { readDeletion } from '../nostr/deletion.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { keepValid } from '../nostr/verifier.ts'
import { takeInAside } from '../receive/take-in-aside.ts'
import type { ReceivingRun } from '../receive/take-in.ts'
import { findDeletions, findServed, type OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { askedTarget, askSources } from '../run/ask-sources.ts'
import { isDeletedById } from '../run/withdrawn.ts'
import type { FoundVersion } from './living-versions.ts'
import { FIRST_STAGE } from './publish-order.ts'

/**
 * Of versions that the target serves, those in whose place an older one may be sent: their time has passed, or their
 * author deleted them by id and the target has not heard of it. Such deletions are made ready, and are sent before
 * everything else. One that has the deletion and serves the version all the same, or refused the deletion, is left as
 * it is. Throws LostRelayError.
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

/** The deletions of these events that the sources serve, by id. */
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

/** Whether the deletion is going to be sent. */
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
