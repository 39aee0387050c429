import type { Filter } from '../../src/nostr/filter.ts'

/** How many of ids, authors, kinds and tags a filter names; all tags count as one. */
function conditionsOf(filter: Filter, idsCount: number): number {
  const isTagged = Object.keys(filter).some((key) => key.startsWith('#'))
  const { ids, authors, kinds } = filter
  return (
    (ids === undefined ? 0 : idsCount) +
    (authors === undefined ? 0 : 1) +
    (kinds === undefined ? 0 : 1) +
    (isTagged ? 1 : 0)
  )
}

/**
 * What nostr-rs-relay ignores with `limit_scrapers`: filters with fewer than two conditions. Ids count as two there.
 */
export function isScraper(filter: Filter, idsCount: 1 | 2 = 2): boolean {
  return conditionsOf(filter, idsCount) < 2
}
