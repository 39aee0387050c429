/*
 * Whether a comparison saw all that a source has.
 *
 * A relay may compare only the newest part of what matches, without saying so. Below the oldest id that it listed there
 * must then be something: a page there has to be empty, and the second of the oldest must hold what was listed and
 * nothing else, as a cap may cut a second in two. Where that cannot be shown, the rest is read in pages.
 */
import { parseEvent, parseStamp } from '../../nostr/event.ts'
import { createMatcher, type Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'
import type { DrainContext } from './drain.ts'

type ProofContext = Pick<DrainContext, 'request' | 'capacity' | 'limit'>

/**
 * What must still be read in pages so that the filter is drained; `undefined` when nothing is left below what was
 * listed. `oldest` are the oldest ids that the source listed for this filter: none when it listed nothing at all.
 */
export async function proveBottom(
  filter: Filter,
  oldest: readonly string[],
  context: ProofContext,
): Promise<Filter | undefined> {
  const { since = 0, until = Infinity } = filter
  // Pages cannot tell more of a single second than a comparison.
  if (since === until && oldest.length > 0) return undefined
  if (oldest.length === 0) return (await isEmpty(filter, context)) ? undefined : filter
  const second = await findSecond(oldest, context)
  if (second === undefined || second < since || second > until) return filter
  const proofs = await Promise.all([
    second <= since || isEmpty({ ...filter, until: second - 1 }, context),
    holdsNoOther({ ...filter, since: second, until: second }, oldest, context),
  ])
  return proofs.every(Boolean) ? undefined : { ...filter, until: second }
}

/** The second of the oldest event: of the first id when it is served, else of all that are. */
async function findSecond(oldest: readonly string[], context: ProofContext): Promise<UnixSeconds | undefined> {
  return (await oldestServed(oldest.slice(0, 1), context)) ?? oldestServed(oldest, context)
}

async function oldestServed(ids: readonly string[], { request }: ProofContext): Promise<UnixSeconds | undefined> {
  const { rows } = await request({ ids, limit: ids.length })
  const stamps = rows.flatMap((row) => parseStamp(row) ?? []).filter(({ id }) => ids.includes(id))
  return stamps.length === 0 ? undefined : Math.min(...stamps.map(({ second }) => second))
}

async function isEmpty(filter: Filter, { request }: ProofContext): Promise<boolean> {
  const { rows, end } = await request({ ...filter, limit: 1 })
  return end.type === 'eose' && end.hint !== 'more' && rows.length === 0
}

/**
 * Whether a page of one second brings only these ids, and fewer events than this relay's pages have held: it was not
 * cut off. A page without any is none of this second: for some relays `since` is exclusive (khatru in memory).
 */
async function holdsNoOther(filter: Filter, ids: readonly string[], context: ProofContext): Promise<boolean> {
  const { rows, end } = await context.request({ ...filter, limit: context.limit })
  const matches = createMatcher(filter)
  const events = rows.map((row) => parseEvent(row))
  const isKnown = events.every((event) => event !== undefined && matches(event) && ids.includes(event.id))
  if (end.type !== 'eose' || !isKnown || rows.length === 0) return false
  return rows.length < context.capacity.most || holdsNoMore(filter, rows.length, context)
}

/** Whether a page with room for one row more brings none, at a relay that has filled such a page. */
async function holdsNoMore(filter: Filter, count: number, { request, capacity }: ProofContext): Promise<boolean> {
  if (count >= capacity.probed) return false
  const { rows, end } = await request({ ...filter, limit: count + 1 })
  return end.type === 'eose' && rows.length <= count
}
