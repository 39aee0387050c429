import type { Filter } from '../../nostr/filter.ts'
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
/** One question to each side. */
const ROUND_TRIPS_OF_EQUALS = 2

/**
 * Returns the ids of those of a few events that the relay lists by NIP-77, which costs 70 bytes an event; `undefined`
 * when it does not list by id. It is a claim: that the relay serves them is for the caller to test.
 */
export async function findListed(
  peer: Peer,
  events: readonly Stamped[],
  now: UnixSeconds,
): Promise<ReadonlySet<string> | undefined> {
  const filter = { ids: events.map(({ id }) => id) }
  if (JSON.stringify(filter).length > peer.maxFilterBytes) return undefined
  const unlisted = await compare(peer, events, { filter, now, maxRoundTrips: MAX_ROUND_TRIPS })
  return unlisted && new Set(filter.ids.filter((id) => !unlisted.has(id)))
}

/**
 * Whether the relay lists by NIP-77 these events, and no other from the time of the oldest to that of the newest: it
 * then says so in 800 bytes. False says nothing. It is a claim as well.
 */
export async function listsJust(peer: Peer, events: readonly Stamped[], now: UnixSeconds): Promise<boolean> {
  const seconds = events.map(({ createdAt }) => createdAt)
  const filter = { since: Math.min(...seconds), until: Math.max(...seconds) }
  const unlisted = await compare(peer, events, { filter, now, maxRoundTrips: ROUND_TRIPS_OF_EQUALS })
  return unlisted?.size === 0
}

/** Whether the relay may list events by their ids. */
export function mayList({ support, listing, profile }: Peer): boolean {
  const isRefused = support.refusal !== undefined || listing.refusal !== undefined
  return !isRefused && profile.supportedNips.includes(NIP_NEGENTROPY)
}

type Comparing = { readonly filter: Filter; readonly now: UnixSeconds; readonly maxRoundTrips: number }

/** The ids of those of the events that the relay does not list for a filter; `undefined` when it does not answer that. */
async function compare(
  peer: Peer,
  events: readonly Stamped[],
  { filter, now, maxRoundTrips }: Comparing,
): Promise<Set<string> | undefined> {
  if (!mayList(peer)) return undefined
  // A relay may refuse such filters and compare by kinds all the same.
  const atRelay = createRelaySet({ ...peer, support: peer.listing }, filter)
  if (atRelay === undefined) return undefined
  const collector = new IdCollector()
  for (const { id, createdAt } of events) collector.add(createdAt, id)
  const unlisted = new Set<string>()
  const { type } = await reconcileFilter({
    source: createLocalSet(collector.seal()),
    target: atRelay,
    filter,
    now,
    maxRoundTrips,
    onMissing: async (ids) => ids.forEach((id) => unlisted.add(id)),
  })
  return type === 'done' ? unlisted : undefined
}
