import type { UnixSeconds } from '../time.ts'
import { drawPlaces } from './draw-places.ts'
import { findServed } from './holdings.ts'
import { findListed, type Stamped } from './negentropy/find-listed.ts'
import type { Peer } from './peer.ts'

const DRAWN = 6

/**
 * Returns the ids of those of a few events that the relay holds: it serves them, or it lists them by NIP-77 and serves
 * all of a sample. What it does not list is asked for too, so that nothing is missing by a claim alone. Throws
 * LostRelayError.
 */
export async function findClaimed(peer: Peer, events: readonly Stamped[], now: UnixSeconds): Promise<Set<string>> {
  const places = new Set(drawPlaces(events.length, DRAWN, now))
  const drawn = events.filter((_, place) => places.has(place))
  const rest = events.filter((_, place) => !places.has(place))
  const [served, listed] = await Promise.all([
    findServed(peer, drawn.map(idOf)),
    rest.length === 0 ? undefined : findListed(peer, rest, now),
  ])
  const isBelieved = served.size === drawn.length
  const claimed = isBelieved ? rest.filter(({ id }) => listed?.has(id)) : []
  const unclaimed = rest.filter((event) => !claimed.includes(event))
  const others = await findServed(peer, unclaimed.map(idOf))
  return new Set([...served, ...others, ...claimed.map(idOf)])
}

function idOf({ id }: Stamped): string {
  return id
}
