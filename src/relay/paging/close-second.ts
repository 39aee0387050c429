/*
 * Whether a second that filled a whole page was read to its end: more events in it than a page holds would be cut off
 * without a word.
 *
 * It was when this relay's pages have held more, or hold more when they are asked to. Some hold less the more is asked
 * of them (khatru gives a quarter of its cap to a limit above it), so what a page of a smaller limit held counts only
 * for a page of that limit. Else the filter is split: by its own values, which proves something, then by kinds and by
 * the authors of the rows, which may find more. Last NIP-77 is asked. What stays open is noted with the part of the
 * filter that has it, so that only the anchors in that part pay for it. For some relays `since` is exclusive (khatru in
 * memory): they show it by an empty answer for a second that has brought rows.
 */
import { tagConditions, type Filter } from '../../nostr/filter.ts'
import { parseStamp, type Stamp } from '../../nostr/event.ts'
import { isDisproved, mayBeAll, noteProbed, type Capacity } from './capacity.ts'
import { describeEnd } from '../describe-end.ts'
import { isSplitProof, SPLIT_KINDS, splitFilter } from '../split-filter.ts'
import type { End, Page } from '../endpoint.ts'

/** How one page was read; see `SortedRows`. */
export type Read = {
  readonly end: End
  readonly stamps: readonly Stamp[]
  readonly isMixed: boolean
  readonly rowCount: number
  /** Older rows came than are kept: the oldest second is whole. */
  readonly isCut: boolean
  /** Who signed the rows that match. */
  readonly authors: ReadonlySet<string>
}

/**
 * Reads one page of what matches the filter; `until` and `limit`, where given, are asked in place of the usual ones.
 */
export type Reader = (filter: Filter, asked?: { readonly until?: number; readonly limit?: number }) => Promise<Read>

/** What it takes to close a second; see `DrainContext`. */
export type CloseContext = {
  readonly request: (filter: Filter) => Promise<Page>
  readonly capacity: Capacity
  readonly limit: number
  /**
   * Reads a single second by NIP-77, where the relay speaks it: true when all of it came, and that was more than
   * `count` events.
   */
  readonly readSecond?: (filter: Filter, count: number) => Promise<boolean>
  /** Grows by what stays open. */
  readonly gaps?: Gap[]
}

/** A part of a filter that was not read to its bottom, and why. */
export type Gap = { readonly filter: Filter; readonly reason: string }

/** A page of `count` rows of one second. */
type FullPage = { readonly filter: Filter; readonly second: number; readonly count: number }

/** A page of `count` rows, and the second from which it was asked. */
export type AskedPage = { readonly filter: Filter; readonly until: number | undefined; readonly count: number }

/** What an operator can do, or ask of whoever runs the relay. */
const WHAT_CLOSES_IT = 'NIP-77 there or larger pages would show the rest'

/**
 * By at most this many authors of a full page its second is split further: each costs a REQ, and strangers choose how
 * many there are.
 */
const MAX_LEARNT_AUTHORS = 50

/** Proves that a second was read whole, or says what stays open. */
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

/** Reads a second part by part, and closes it in each. Returns how many rows came. */
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
 * Parts that may find more of a second and are not together the whole: all kinds one by one, a single kind by the
 * authors of its rows.
 */
async function looseParts(within: Filter, read: Reader): Promise<readonly Filter[]> {
  if (within.kinds === undefined) return splitFilter(within)
  if (within.authors !== undefined) return []
  const { authors } = await read(within)
  const isWorthIt = authors.size > 0 && authors.size <= MAX_LEARNT_AUTHORS
  return isWorthIt ? [{ ...within, authors: [...authors] }] : []
}

/** Names the values that the gap is about, when they are few, and what would close it. */
function describeGap(filter: Filter, second: number, { most }: Capacity): string {
  const named = tagConditions(filter).filter(([, values]) => values.length === 1)
  const values = named.map(([name, [value]]) => `, of #${name} ${value}`).join('')
  return `more events in second ${second} than a page holds (${most})${values}: ${WHAT_CLOSES_IT}`
}

/**
 * Why nothing can be taken for read at a relay that was taken for one with very few events: it has shown others since.
 * A relay that was given more in the meantime shows a larger page when it is asked for one.
 */
export async function findDisproof(context: CloseContext): Promise<string | null> {
  const { capacity } = context
  if (!isDisproved(capacity)) return null
  await probe(capacity.assumed + 1, context)
  return isDisproved(capacity) ? `more events in one second than a page holds (${capacity.most})` : null
}

/** The filter within the second of the page, as this relay takes `since`: the rows of the page must come again. */
async function windowOf({ filter, second }: FullPage, read: Reader, { capacity }: CloseContext): Promise<Filter> {
  const within = { ...filter, since: second, until: second }
  if (capacity.since === undefined) {
    const { end, rowCount } = await read(within)
    if (end.type === 'eose') capacity.since = rowCount > 0 ? 'inclusive' : 'exclusive'
  }
  return capacity.since === 'exclusive' ? { ...within, since: second - 1 } : within
}

/** Whether a page of `count` rows was not cut off, by what the relay has shown; asks it for one row more if need be. */
export async function isWholePage(page: AskedPage, read: Reader, context: CloseContext): Promise<boolean> {
  const { capacity, limit } = context
  const { count } = page
  if (count >= limit) return false
  if (count < capacity.most) return true
  if (capacity.probedFor < count) {
    capacity.probedFor = count
    capacity.probing = probe(count + 1, context)
  }
  await capacity.probing
  if (count >= capacity.probed) await probeByIds(count + 1, context)
  if (count < capacity.probed) return hasNoMore(page, read)
  if (count > 1 || !mayBeAll(count, capacity)) return false
  assume(count, capacity)
  return true
}

/** One that has to be asked narrowly is asked once it has shown another. */
function assume(count: number, capacity: Capacity): void {
  if (!capacity.isNarrow) capacity.assumed = Math.max(capacity.assumed, count)
}

/**
 * Asks for this many events of any sort: `since` as well, for a filter with nothing but a `limit` matches nothing at
 * some relays (nostr-relay 1.14). Filters that are read at the same time wait for the same probe.
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
 * Asks a relay that does not answer such a question for events that it has shown, with kinds: some count ids as one
 * condition.
 */
async function probeByIds(limit: number, { capacity, request }: CloseContext): Promise<void> {
  if (!capacity.isNarrow || capacity.shown.size < limit || capacity.probedByIds >= limit) return capacity.probing
  capacity.probedByIds = limit
  const ids = [...capacity.shown].slice(0, limit)
  capacity.probing = request({ ids, kinds: SPLIT_KINDS, limit }).then((page) => notePage(page, capacity))
  return capacity.probing
}

/** Whether a page that has room for one row more is not filled by the second from which it was asked. */
async function hasNoMore({ filter, until, count }: AskedPage, read: Reader): Promise<boolean> {
  const { end, stamps, isMixed, rowCount } = await read(filter, {
    ...(until !== undefined && { until }),
    limit: count + 1,
  })
  if (end.type !== 'eose') return false
  return rowCount <= count || (!isMixed && stamps.some(({ second }) => until !== undefined && second < until))
}
