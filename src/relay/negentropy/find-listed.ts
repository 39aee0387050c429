import type { UnixSeconds } from '../../time.ts'
import type { Peer } from '../peer.ts'
import { createLocalSet, createRelaySet } from './compared-set.ts'
import { IdCollector } from './id-set.ts'
import { reconcileFilter } from './reconcile-filter.ts'

/** An event as NIP-77 knows it. */
export type Stamped = { readonly id: string; readonly createdAt: UnixSeconds }

const NIP_NEGENTROPY = 77
/** More than sets of this size need: a relay that compares other events as well is given up. */
const MAX_ROUND_TRIPS = 8

/**
 * Returns the ids of those of a few events that the relay lists by NIP-77, which costs 70 bytes an event; `undefined`
 * when it does not list by id. It is a claim: that the relay serves them is for the caller to test.
 */
export async function findListed(
  peer: Peer,
  events: readonly Stamped[],
  now: UnixSeconds,
): Promise<ReadonlySet<string> | undefined> {
  if (peer.support.refusal !== undefined || !peer.profile.supportedNips.includes(NIP_NEGENTROPY)) return undefined
  const collector = new IdCollector()
  for (const { id, createdAt } of events) collector.add(createdAt, id)
  const listed = new Set(events.map(({ id }) => id))
  const filter = { ids: [...listed] }
  // A relay may refuse ids and compare by kinds all the same.
  const atRelay = createRelaySet({ ...peer, support: peer.listing }, filter)
  if (atRelay === undefined || JSON.stringify(filter).length > peer.maxFilterBytes) return undefined
  const { type } = await reconcileFilter({
    source: createLocalSet(collector.seal()),
    target: atRelay,
    filter,
    now,
    maxRoundTrips: MAX_ROUND_TRIPS,
    onMissing: async (ids) => ids.forEach((id) => listed.delete(id)),
  })
  return type === 'done' ? listed : undefined
}
