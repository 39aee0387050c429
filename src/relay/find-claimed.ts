import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { UnixSeconds } from '../time.ts'
import { drawPlaces } from './draw-places.ts'
import { findServed } from './holdings.ts'
import { findListed, listsJust, mayList, type Stamped } from './negentropy/find-listed.ts'
import type { Peer } from './peer.ts'
import { limitsOf } from './read-through.ts'

const EVENTS_PER_LIST = 250
const DRAWN = 6

/** How a list is asked for. */
export type Claiming = {
  /** How many of 250 are served and not only listed. @default 6 */
  readonly drawn?: number
  /** Whether the relay may well hold nothing else of their time: up to 250 events are then compared by that. */
  readonly areAlone?: boolean
}

/**
 * Returns the ids of those of some events that the relay holds: it serves them, or it lists them by NIP-77 and serves
 * all of a sample. What it does not list is asked for too, so that nothing is missing by a claim alone. Throws
 * LostRelayError.
 */
export async function findClaimed(
  peer: Peer,
  events: readonly Stamped[],
  now: UnixSeconds,
  { drawn = DRAWN, areAlone = false }: Claiming = {},
): Promise<Set<string>> {
  const stamped = new Map(events.map((event) => [event.id, event]))
  const groups = [...chunkByCountAndBytes([...stamped.keys()], limitsOf(peer, EVENTS_PER_LIST))]
  const found = groups.map((ids) => {
    const group = ids.flatMap((id) => stamped.get(id) ?? [])
    return findInGroup(peer, group, { now, drawn, areAlone: areAlone && groups.length === 1 })
  })
  return new Set((await Promise.all(found)).flat())
}

async function findInGroup(
  peer: Peer,
  events: readonly Stamped[],
  { now, drawn: count, areAlone }: Required<Claiming> & { readonly now: UnixSeconds },
): Promise<string[]> {
  if (!mayList(peer)) return [...(await findServed(peer, events.map(idOf)))]
  const places = new Set(drawPlaces(events.length, count, now))
  const drawn = events.filter((_, place) => places.has(place))
  const rest = events.filter((_, place) => !places.has(place))
  const [served, listed] = await Promise.all([
    findServed(peer, drawn.map(idOf)),
    findRest(peer, { events, rest }, { now, areAlone }),
  ])
  const isBelieved = served.size === drawn.length
  const claimed = isBelieved ? rest.filter(({ id }) => listed?.has(id)).map(idOf) : []
  const known = new Set(claimed)
  const unclaimed = rest.map(idOf).filter((id) => !known.has(id))
  return [...served, ...claimed, ...(await findServed(peer, unclaimed))]
}

type Parts = { readonly events: readonly Stamped[]; readonly rest: readonly Stamped[] }
type Listing = { readonly areAlone: boolean; readonly now: UnixSeconds }

/** The ids of the rest that the relay lists: by time where nothing else lies between these events, else by id. */
async function findRest(
  peer: Peer,
  { events, rest }: Parts,
  { now, areAlone }: Listing,
): Promise<ReadonlySet<string> | undefined> {
  if (rest.length === 0) return undefined
  if (areAlone && (await listsJust(peer, events, now))) return new Set(rest.map(idOf))
  return findListed(peer, rest, now)
}

function idOf({ id }: Stamped): string {
  return id
}
