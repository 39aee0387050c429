import type { GitPlace, ObjectId, Workshop } from '../git/git-access.ts'
import { hostAndPort } from '../nostr/host.ts'
import type { Listings } from './listings.ts'

type Lists = Pick<Listings, 'list'>

/** What is still missing after every server was asked, and why; `isTooLarge`: a limit of ours ended it. */
export type Gathered = {
  readonly missing: readonly ObjectId[]
  readonly reasons: readonly string[]
  readonly isTooLarge: boolean
}

/**
 * Fetches objects with all that they reach from one server after the other, those that advertise most of them first,
 * until nothing is missing: objects may be spread over several servers.
 */
export async function gatherObjects(
  listings: Lists,
  { workshop, places }: { readonly workshop: Workshop; readonly places: readonly GitPlace[] },
  ids: readonly ObjectId[],
): Promise<Gathered> {
  let missing = await workshop.findIncomplete(ids)
  const reasons: string[] = []
  let isTooLarge = false
  for (const { place, advertised, reason } of missing.length === 0 ? [] : await rank(listings, places, missing)) {
    if (missing.length === 0 || isTooLarge) break
    if (reason !== undefined) {
      reasons.push(`${hostOf(place)}: ${reason}`)
      continue
    }
    const fetched = await workshop.fetch(place, missing, advertised)
    if (fetched.reason !== null) reasons.push(`${hostOf(place)}: ${fetched.reason}`)
    isTooLarge = fetched.isTooLarge
    missing = await workshop.findIncomplete(missing)
  }
  return { missing, reasons, isTooLarge: isTooLarge && missing.length > 0 }
}

/** A server with the object ids that its refs point to, or why it cannot be asked. */
type Ranked = {
  readonly place: GitPlace
  readonly advertised: ReadonlySet<ObjectId>
  readonly reason: string | undefined
}

async function rank(
  listings: Pick<Listings, 'list'>,
  places: readonly GitPlace[],
  ids: readonly ObjectId[],
): Promise<Ranked[]> {
  const ranked = await Promise.all(places.map((place) => list(listings, place)))
  const countOf = ({ advertised }: Ranked): number => ids.filter((id) => advertised.has(id)).length
  return ranked.sort((one, other) => countOf(other) - countOf(one))
}

async function list(listings: Pick<Listings, 'list'>, place: GitPlace): Promise<Ranked> {
  const listing = await listings.list(place)
  if (listing.type !== 'refs') return { place, advertised: new Set(), reason: `${listing.type}: ${listing.reason}` }
  return { place, advertised: new Set(listing.refs.values()), reason: undefined }
}

function hostOf({ url }: GitPlace): string {
  return hostAndPort(url) ?? url
}
