import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { UnixSeconds } from '../time.ts'
import { drawPlaces } from './draw-places.ts'
import { findServed } from './holdings.ts'
import { findListed, type Stamped } from './negentropy/find-listed.ts'
import type { Peer } from './peer.ts'
import { limitsOf } from './read-through.ts'

const EVENTS_PER_LIST = 250
const DRAWN = 6

/**
 * Returns the ids of those of some events that the relay holds: it serves them, or it lists them by NIP-77 and serves
 * all of a sample, of `drawn` of each 250. What it does not list is asked for too, so that nothing is missing by a claim
 * alone. Throws LostRelayError.
 */
export async function findClaimed(
  peer: Peer,
  events: readonly Stamped[],
  now: UnixSeconds,
  drawn = DRAWN,
): Promise<Set<string>> {
  const stamped = new Map(events.map((event) => [event.id, event]))
  const groups = [...chunkByCountAndBytes([...stamped.keys()], limitsOf(peer, EVENTS_PER_LIST))]
  const found = groups.map((ids) => {
    const group = ids.flatMap((id) => stamped.get(id) ?? [])
    return findInGroup(peer, group, { now, drawn })
  })
  return new Set((await Promise.all(found)).flat())
}

async function findInGroup(
  peer: Peer,
  events: readonly Stamped[],
  { now, drawn: count }: { readonly now: UnixSeconds; readonly drawn: number },
): Promise<string[]> {
  const places = new Set(drawPlaces(events.length, count, now))
  const drawn = events.filter((_, place) => places.has(place))
  const rest = events.filter((_, place) => !places.has(place))
  const [served, listed] = await Promise.all([
    findServed(peer, drawn.map(idOf)),
    rest.length === 0 ? undefined : findListed(peer, rest, now),
  ])
  const isBelieved = served.size === drawn.length
  const claimed = isBelieved ? rest.filter(({ id }) => listed?.has(id)).map(idOf) : []
  const known = new Set(claimed)
  const unclaimed = rest.map(idOf).filter((id) => !known.has(id))
  return [...served, ...claimed, ...(await findServed(peer, unclaimed))]
}

function idOf({ id }: Stamped): string {
  return id
}
