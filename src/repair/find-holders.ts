import type { ObjectId } from '../git/git-access.ts'
import type { Places } from './find-places.ts'
import type { Listed } from './listings.ts'
import type { Holder } from './operator-command.ts'
import { wantedIds, type WantedRefs } from './wanted-refs.ts'

/** The servers that show any of these objects as refs, those with the most first. */
export function holdersOf(listed: readonly Listed[], ids: ReadonlySet<ObjectId>): Holder[] {
  const holders = listed.flatMap(({ place, listing }) => {
    if (listing.type !== 'refs') return []
    const shown = new Set([...listing.refs.values()].filter((id) => ids.has(id)))
    return shown.size === 0 ? [] : [{ url: place.url, ids: shown }]
  })
  return holders.sort((a, b) => b.ids.size - a.ids.size)
}

/** The URLs of the servers that show everything that is wanted; none if nothing is. */
export function findWhole(listed: readonly Listed[], wanted: WantedRefs): string[] {
  const ids = wantedIds(wanted)
  if (ids.size === 0) return []
  return holdersOf(listed, ids)
    .filter((holder) => holder.ids.size === ids.size)
    .map(({ url }) => url)
}

/** Whether every server that may have a repository was asked and answered. */
export function isEveryoneAsked({ unasked, leftOut }: Places, others: readonly Listed[]): boolean {
  const hasAnswered = others.every(({ listing: { type } }) => type === 'refs' || type === 'no repository')
  return hasAnswered && unasked.length === 0 && leftOut === 0
}
