/*
 * Decides whether a second that filled a whole page was read to its end; events beyond the page would be cut off
 * silently.
 *
 * It was if this relay's pages have held more, or hold more when asked to. Some hold less the more is asked (khatru
 * gives a quarter of its cap to a limit above it), so a page with a smaller limit only proves pages of that limit.
 * Otherwise the filter is split: by its own values, which proves something, then by kinds and by the authors of the
 * rows, which may find more. NIP-77 comes last. What stays open is recorded with its part of the filter, so that only
 * the anchors in that part suffer. Some relays treat `since` as exclusive (khatru in memory); they show it by an empty
 * answer for a second that has brought rows.
 */
import { tagConditions, type Filter } from '../../nostr/filter.ts'
import { parseStamp, type Stamp } from '../../nostr/event.ts'
import { isDisproved, mayBeAll, noteProbed, type Capacity } from './capacity.ts'
import { describeEnd } from '../describe-end.ts'
import { isSplitProof, SPLIT_KINDS, splitFilter } from '../split-filter.ts'
import type { End, Page } from '../endpoint.ts'

/** The result of reading one page; see `SortedRows`. */
export type Read = {
  readonly end: End
  readonly stamps: readonly Stamp[]
  readonly isMixed: boolean
  readonly rowCount: number
  /** The relay sent older rows that were dropped, so the oldest second is whole. */
  readonly isCut: boolean
  /** The rows come from several REQs, so their number says nothing about the page size. */
  readonly isJoined: boolean
  /** The authors of the matching rows. */
  readonly authors: ReadonlySet<string>
  /** The oldest second of a matching row that is an event. */
  readonly oldestEvent: number | undefined
}

/** Reads one page of matching events; `until` and `limit`, if given, replace the usual ones. */
export type Reader = (filter: Filter, asked?: { readonly until?: number; readonly limit?: number }) => Promise<Read>

/** The inputs for closing a second; see `DrainContext`. */
export type CloseContext = {
  readonly request: (filter: Filter) => Promise<Page>
  readonly capacity: Capacity
  readonly limit: number
  /**
   * Reads a single second by NIP-77, if the relay supports it. True if all of it came and that was more than `count`
   * events.
   */
  readonly readSecond?: (filter: Filter, count: number) => Promise<boolean>
  /** Collects what stays open. */
  readonly gaps?: Gap[]
}

/** A part of a filter that was not read to its bottom, and why. */
export type Gap = { readonly filter: Filter; readonly reason: string }

/** A page of `count` rows of one second. */
type FullPage = { readonly filter: Filter; readonly second: number; readonly count: number }

/** A page of `count` rows, and its `until`. */
export type AskedPage = { readonly filter: Filter; readonly until: number | undefined; readonly count: number }

/** What the operator can do, or ask of the relay's operator. */
const WHAT_CLOSES_IT = 'NIP-77 there or larger pages would show the rest'

/** The most authors by whom a full second is split further. Each costs a REQ, and strangers control their number. */
const MAX_LEARNT_AUTHORS = 50

/** Proves that a second was read whole, or returns what stays open. */
export async function closeSecond(page: FullPage, read: Reader, context: CloseContext): Promise<string | null> {
  const { filter, second, count } = page
  if (await isWholePage({ filter, until: second, count }, read, context)) return null
  const within = await windowOf(page, read, context)
  const { capacity, gaps = [] } = context
  const partGaps: Gap[] = []
  const found = await readParts(page, within, read, { ...context, gaps: partGaps })
  if (isSplitProof(within) && found >= count) {
    gaps.push(...partGaps)
    return partGaps[0]?.reason ?? null
  }
  if ((await context.readSecond?.(within, count)) === true) return null
  if (count < context.limit && mayBeAll(count, capacity)) {
    assume(count, capacity)
    return null
  }
  const reason = describeGap(within, second, capacity)
  gaps.push({ filter, reason })
  return reason
}

/** Reads a second part by part and closes each part. Returns the number of rows. */
async function readParts({ second }: FullPage, within: Filter, read: Reader, context: CloseContext): Promise<number> {
  let found = 0
  for (const part of isSplitProof(within) ? splitFilter(within) : await looseParts(within, read)) {
    const { end, rowCount } = await read(part)
    found += rowCount
    if (end.type === 'eose') await closeSecond({ filter: part, second, count: rowCount }, read, context)
    else context.gaps?.push({ filter: part, reason: describeEnd(end) })
  }
  return found
}

/**
 * Parts that may reveal more of a second but do not cover it: each kind separately, or a single kind by the authors of
 * its rows.
 */
async function looseParts(within: Filter, read: Reader): Promise<readonly Filter[]> {
  if (within.kinds === undefined) return splitFilter(within)
  if (within.authors !== undefined) return []
  const { authors } = await read(within)
  const isWorthIt = authors.size > 0 && authors.size <= MAX_LEARNT_AUTHORS
  return isWorthIt ? [{ ...within, authors: [...authors] }] : []
}

/** Names the tag values affected by the gap, if there are few, and what would close it. */
function describeGap(filter: Filter, second: number, { most, cutAt }: Capacity): string {
  const named = tagConditions(filter).filter(([, values]) => values.length === 1)
  const values = named.map(([name, [value]]) => `, of #${name} ${value}`).join('')
  return `more events in second ${second} than a page holds (${Math.min(most, cutAt)})${values}: ${WHAT_CLOSES_IT}`
}

/**
 * Why nothing counts as drained at a relay that has cut off pages no larger than one that was believed to be whole, or
 * that was assumed to hold very few events and has shown others since. If the relay merely received more events
 * meanwhile, it shows a larger page when asked for one.
 */
export async function findDisproof(context: CloseContext): Promise<string | null> {
  const { capacity } = context
  if (capacity.believed >= capacity.cutAt)
    return `more events in one second than a page may hold: it has cut off pages at ${capacity.cutAt} rows`
  if (!isDisproved(capacity)) return null
  await probe(capacity.assumed + 1, context)
  return isDisproved(capacity) ? `more events in one second than a page holds (${capacity.most})` : null
}

/**
 * The filter restricted to the second of the page, adjusted to how this relay treats `since`: the page must come again.
 */
async function windowOf({ filter, second }: FullPage, read: Reader, { capacity }: CloseContext): Promise<Filter> {
  const within = { ...filter, since: second, until: second }
  if (capacity.since === undefined) {
    const { end, rowCount } = await read(within)
    if (end.type === 'eose') capacity.since = rowCount > 0 ? 'inclusive' : 'exclusive'
  }
  return capacity.since === 'exclusive' ? { ...within, since: second - 1 } : within
}

/**
 * Whether a page of `count` rows is complete, judging by what the relay has shown; asks for one row more if necessary.
 */
export async function isWholePage(page: AskedPage, read: Reader, context: CloseContext): Promise<boolean> {
  const { capacity, limit } = context
  const { count } = page
  if (count >= limit || count >= capacity.cutAt) return false
  if (count < capacity.most) return believe(count, capacity)
  if (capacity.probedFor < count) {
    capacity.probedFor = count
    capacity.probing = probe(count + 1, context)
  }
  await capacity.probing
  if (count >= capacity.probed) await probeByIds(count + 1, context)
  if (count < capacity.probed) return (await hasNoMore(page, read)) && believe(count, capacity)
  if (count > 1 || !mayBeAll(count, capacity)) return false
  assume(count, capacity)
  return true
}

/** A page of so many rows is believed to be whole, because the relay has shown larger ones. */
function believe(count: number, capacity: Capacity): true {
  capacity.believed = Math.max(capacity.believed, count)
  return true
}

/** A relay that must be asked narrowly is tested by ids instead, once it has shown another event. */
function assume(count: number, capacity: Capacity): void {
  if (!capacity.isNarrow) capacity.assumed = Math.max(capacity.assumed, count)
}

/**
 * Asks for this many events of any kind. Includes `since`, because some relays match nothing with only a `limit`
 * (nostr-relay 1.14). Filters read at the same time share one probe.
 */
async function probe(limit: number, { capacity, request }: CloseContext): Promise<void> {
  const page = await request({ since: 0, limit })
  capacity.isNarrow = page.end.type === 'eose' && page.rows.length === 0
  notePage(page, capacity)
}

function notePage({ rows, readOver }: Page, capacity: Capacity): void {
  noteProbed(
    capacity,
    rows.flatMap((row) => parseStamp(row) ?? []),
    readOver,
  )
}

/**
 * Asks a relay that ignores the usual probe for events that it has shown. Adds kinds, because some relays count ids as
 * one condition.
 */
async function probeByIds(limit: number, { capacity, request }: CloseContext): Promise<void> {
  if (!capacity.isNarrow || capacity.shown.size < limit || capacity.probedByIds >= limit) return capacity.probing
  capacity.probedByIds = limit
  const ids = [...capacity.shown].slice(0, limit)
  capacity.probing = request({ ids, kinds: SPLIT_KINDS, limit }).then((page) => notePage(page, capacity))
  return capacity.probing
}

/** Whether the second from which the page was asked leaves room in a page of one row more. */
async function hasNoMore({ filter, until, count }: AskedPage, read: Reader): Promise<boolean> {
  const { end, stamps, isMixed, rowCount } = await read(filter, {
    ...(until !== undefined && { until }),
    limit: count + 1,
  })
  if (end.type !== 'eose') return false
  return rowCount <= count || (!isMixed && stamps.some(({ second }) => until !== undefined && second < until))
}
