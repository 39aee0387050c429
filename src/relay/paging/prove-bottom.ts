/*
 * Checks whether a comparison saw everything that a source has.
 *
 * A relay may silently compare only its newest matches. Two pages prove that nothing lies below the oldest listed id: a
 * page below its second must be empty, and its second must hold only what was listed, because a cap may cut a second in
 * two. Without that proof, the rest is read in pages.
 */
import { parseEvent, parseStamp } from '../../nostr/event.ts'
import { createMatcher, type Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'
import type { DrainContext } from './drain.ts'

type ProofContext = Pick<DrainContext, 'request' | 'capacity' | 'limit'>

/**
 * The part that must still be read in pages to drain the filter; `undefined` if nothing lies below what was listed.
 * `oldest` are the oldest ids that the source listed for this filter, or none if it listed nothing.
 */
export async function proveBottom(
  filter: Filter,
  oldest: readonly string[],
  context: ProofContext,
): Promise<Filter | undefined> {
  const { since = 0, until = Infinity } = filter
  // Pages reveal no more about a single second than a comparison does.
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

/** The second of the oldest event: of the first id if the relay serves it, else of all that it serves. */
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
 * Whether a page of one second brings only these ids, and fewer events than this relay's pages have held, so it was not
 * cut off. An empty page proves nothing: some relays treat `since` as exclusive (khatru in memory).
 */
async function holdsNoOther(filter: Filter, ids: readonly string[], context: ProofContext): Promise<boolean> {
  const { rows, end } = await context.request({ ...filter, limit: context.limit })
  const matches = createMatcher(filter)
  const events = rows.map((row) => parseEvent(row))
  const isKnown = events.every((event) => event !== undefined && matches(event) && ids.includes(event.id))
  if (end.type !== 'eose' || !isKnown || rows.length === 0 || rows.length >= context.capacity.cutAt) return false
  return rows.length < context.capacity.most || holdsNoMore(filter, rows.length, context)
}

/** Whether a page with room for one more row brings none, at a relay that has filled such a page. */
async function holdsNoMore(filter: Filter, count: number, { request, capacity }: ProofContext): Promise<boolean> {
  if (count >= capacity.probed) return false
  const { rows, end } = await request({ ...filter, limit: count + 1 })
  return end.type === 'eose' && rows.length <= count
}
