/*
 * What no ref shows may still be there: a mirror that is ahead of the signed state has it below a newer ref. So servers
 * are asked for it by its id before anything is called lost.
 */
import type { GitPlace, ObjectId, Probed } from '../git/git-access.ts'
import { holdersOf } from './find-holders.ts'
import type { Listed, Listings } from './listings.ts'

/** What servers said of objects that none of them shows. */
export type Hidden = {
  /** By URL, what a server has without showing it. */
  readonly at: ReadonlyMap<string, ReadonlySet<ObjectId>>
  /** What every server that lists refs says it lacks. */
  readonly absent: ReadonlySet<ObjectId>
}

const NOT_PROBED: Hidden = { at: new Map(), absent: new Set() }

const MAX_PROBED = 10

/** Asks the servers that list refs for the first ten of these objects that none of them shows. */
export async function probeHidden(
  listed: readonly Listed[],
  ids: ReadonlySet<ObjectId>,
  listings: Pick<Listings, 'probe'>,
): Promise<Hidden> {
  const shown = new Set(holdersOf(listed, ids).flatMap((holder) => [...holder.ids]))
  const wanted = [...ids].filter((id) => !shown.has(id)).slice(0, MAX_PROBED)
  if (wanted.length === 0) return NOT_PROBED
  const places = listed.filter(({ listing }) => listing.type === 'refs').map(({ place }) => place)
  const answers = await Promise.all(
    places.map(async (place): Promise<Answer> => [place, await listings.probe(place, wanted)]),
  )
  return {
    at: new Map(answers.map(([{ url }, said]) => [url, new Set(wanted.filter((id) => said.get(id) === 'has it'))])),
    absent: new Set(wanted.filter((id) => answers.every(([, said]) => said.get(id) === 'lacks it'))),
  }
}

type Answer = readonly [place: GitPlace, said: ReadonlyMap<ObjectId, Probed>]
