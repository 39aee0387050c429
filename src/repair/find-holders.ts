import type { ObjectId } from '../git/git-access.ts'
import type { Places } from './find-places.ts'
import type { Listed } from './listings.ts'
import type { Holder } from './operator-command.ts'
import { wantedIds, type WantedRefs } from './wanted-refs.ts'

/** By URL, what a server has without showing it as a ref. */
type Unshown = ReadonlyMap<string, ReadonlySet<ObjectId>>

/** The servers that have any of these objects, shown as refs or not, those with the most first. */
export function holdersOf(
  listed: readonly Listed[],
  ids: ReadonlySet<ObjectId>,
  unshown: Unshown = new Map(),
): Holder[] {
  const holders = listed.flatMap(({ place, listing }) => {
    if (listing.type !== 'refs') return []
    const all = [...listing.refs.values(), ...(unshown.get(place.url) ?? [])]
    const held = new Set(all.filter((id) => ids.has(id)))
    return held.size === 0 ? [] : [{ url: place.url, ids: held }]
  })
  return holders.sort((a, b) => b.ids.size - a.ids.size)
}

/** The URLs of the servers that have everything that is wanted; none if nothing is. */
export function findWhole(listed: readonly Listed[], wanted: WantedRefs, unshown: Unshown): string[] {
  const ids = wantedIds(wanted)
  if (ids.size === 0) return []
  return holdersOf(listed, ids, unshown)
    .filter((holder) => holder.ids.size === ids.size)
    .map(({ url }) => url)
}

/** Whether every server that may have a repository was asked and answered. */
export function isEveryoneAsked({ unasked, leftOut }: Places, others: readonly Listed[]): boolean {
  const hasAnswered = others.every(({ listing: { type } }) => type === 'refs' || type === 'no repository')
  return hasAnswered && unasked.length === 0 && leftOut === 0
}
