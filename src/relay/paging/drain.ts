/*
 * Reading one filter to its bottom.
 *
 * A page may be cut off anywhere, and relays cap pages below the asked `limit`, so a count never proves the end (rule
 * 1). The cursor is the oldest second received, asked again *inclusively*: a cut-off second is then read on. Only an
 * `eose` on an empty page below the oldest second drains the filter, or one by which the relay says that its rows are
 * the last (NIP-67 `finish`). A page asked with `until` = t that brings rows of second t only may hide more of that
 * second than a page holds: it is closed when the relay has shown larger pages, or by splitting the filter; what stays
 * open is a gap. Rows are counted raw, verified or not. A page that was cut for its bytes ends with a whole second: the
 * next one starts below, and asks for fewer rows.
 *
 * For some relays `until` is exclusive (nostr-relay 1.14): their second page lacks the second in which the first one
 * ended. They show it when they are asked from one second above, and are asked so from then on. Some look at the values
 * of tags only and not at their names (khatru above badger): such rows are dropped, and count as a place on the way
 * down.
 */
import type { NostrEvent, Stamp } from '../../nostr/event.ts'
import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import { noteProbed, noteShown } from './capacity.ts'
import {
  closeSecond,
  findDisproof,
  isWholePage,
  type AskedPage,
  type CloseContext,
  type Gap,
  type Read,
  type Reader,
} from './close-second.ts'
import { isSplitProof, splitFilter } from '../split-filter.ts'
import { describeEnd } from '../describe-end.ts'
import { isDescending, sortRows } from '../sort-rows.ts'

/**
 * What the drain of a filter needs: `request` asks the relay, `sink` takes the matching events of each page.
 * `aftermath` is told what follows the ends of sessions (NIP-77); `request` has its own.
 */
export type DrainContext = CloseContext & {
  readonly sink: (events: readonly NostrEvent[]) => Promise<void>
  readonly aftermath?: Aftermath
}

/** How the read of one filter went. `reason` is null when it was drained. Counts are rows. */
export type Drain = {
  readonly reason: string | null
  readonly pages: number
  readonly rows: number
  readonly bytes: number
  /** Rows that are not events at all. */
  readonly malformed: number
  /** Events that the filter did not ask for. */
  readonly foreign: number
  /** The parts of the filter that were not drained, when the others were. */
  readonly open?: readonly Filter[]
}

/** How fast pages grow again after one that was cut. */
const GROWTH = 1.5

type Tally = { pages: number; rows: number; bytes: number; malformed: number; foreign: number }
/** Reads a filter to its bottom, newest first, handing each page's new matching events to the sink. */
export async function drain(filter: Filter, context: DrainContext): Promise<Drain> {
  const tally: Tally = { pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
  const reader = createReader(context, tally)
  const gaps: Gap[] = []
  const gap = await descendInParts(filter, reader, { ...context, gaps })
  if (gap !== null) return { reason: gap, ...tally, open: gaps.map((each) => each.filter) }
  return { reason: await findDisproof(context), ...tally }
}

/** Two reads of one filter as one: the second has the last word on whether it was drained. */
export function addDrains(a: Drain, b: Drain): Drain {
  return {
    reason: b.reason,
    ...(b.open !== undefined && { open: b.open }),
    pages: a.pages + b.pages,
    rows: a.rows + b.rows,
    bytes: a.bytes + b.bytes,
    malformed: a.malformed + b.malformed,
    foreign: a.foreign + b.foreign,
  }
}

const MIXED = 'a page mixed with values that begin like what was asked for may be cut off'

/** A filter whose pages are mixed is read value by value, so that each fits into a page. */
async function descendInParts(filter: Filter, read: Reader, context: DrainContext): Promise<string | null> {
  const reason = await descend(filter, read, context)
  if (reason !== MIXED || !isSplitProof(filter)) {
    const isNoted = reason === null || context.gaps?.some((gap) => gap.reason === reason) === true
    if (!isNoted) context.gaps?.push({ filter, reason })
    return reason
  }
  let gap: string | null = null
  for (const part of splitFilter(filter)) gap = (await descendInParts(part, read, context)) ?? gap
  return gap
}

async function descend(filter: Filter, read: Reader, context: DrainContext): Promise<string | null> {
  const floor = filter.since ?? 0
  let gap: string | null = null
  let received: number | undefined
  let { limit } = context
  for (let page = 1, asked = filter.until; ; page += 1) {
    const { end, stamps, isMixed, rowCount, isCut } = await readOn(filter, { until: asked, limit }, read, context)
    limit = isCut ? rowCount : Math.min(context.limit, Math.ceil(GROWTH * limit))
    if (end.type !== 'eose') return `${describeEnd(end)} on page ${page}`
    if (isMixed) return (await isWholeMixture({ filter, until: asked, count: rowCount }, read, context)) ? gap : MIXED
    if (rowCount > 0 && stamps.length === 0) return `page ${page} brought only what was not asked for`
    if (!isDescending(stamps)) return `page ${page} is not in descending order`
    const isBelowAll = received === undefined || asked === undefined || asked < received
    if (rowCount === 0 && end.hint === 'more') return `page ${page} is empty, and the relay says that there is more`
    if (rowCount === 0 && isBelowAll) return gap
    // NIP-67: nothing lies below these rows, and so nothing of them was cut off.
    if (rowCount > 0 && end.hint === 'finish' && !isCut) return gap
    const oldest = oldestOf(stamps, asked)
    // What lies below all time came last: there is nothing else below, and nothing above was cut off.
    if (oldest < floor) return gap
    const isOneSecond = oldest === asked
    if (isOneSecond && rowCount > 0 && !isCut)
      gap = (await closeSecond({ filter, second: oldest, count: rowCount }, read, context)) ?? gap
    const isPast = isOneSecond || isCut
    if (isPast && oldest <= floor) return gap
    received = oldest
    asked = isPast ? oldest - 1 : oldest
  }
}

type Next = { readonly until: number | undefined; readonly limit: number }

/** The next page. A small one that one second fills, or that is mixed, says nothing: then it is asked for as usual. */
async function readOn(filter: Filter, { until, limit }: Next, read: Reader, context: DrainContext): Promise<Read> {
  if (until === undefined) return read(filter)
  const page = await readFrom(filter, { until, limit }, read, context)
  const isTelling = !page.isMixed && page.stamps.some(({ second }) => second < until)
  if (limit === context.limit || page.rowCount === 0 || isTelling) return page
  return readFrom(filter, { until, limit: context.limit }, read, context)
}

/** Where identifiers are asked for, khatru cuts a page to as many rows as the filter names addresses. */
async function isWholeMixture(page: AskedPage, read: Reader, context: DrainContext): Promise<boolean> {
  return page.filter['#d'] === undefined && (await isWholePage(page, read, context))
}

/**
 * The page from `second` on downwards. While nobody knows how this relay takes `until`, a page without that second is
 * asked for again from the second above: what it brings then, an exclusive `until` has left out.
 */
async function readFrom(
  filter: Filter,
  { until: second, limit }: { readonly until: number; readonly limit: number },
  read: Reader,
  { capacity }: DrainContext,
): Promise<Read> {
  const known = capacity.until
  const below = { ...filter, until: second }
  const page = await read(below, { limit })
  if (known !== undefined || page.end.type !== 'eose') return page
  if (holdsSecond(page, second)) capacity.until ??= 'inclusive'
  // Another filter may have found it out in the meantime.
  if (capacity.until === 'inclusive') return page
  const above = await read(below, { until: second + 1, limit })
  if (above.end.type === 'eose' && !holdsSecond(above, second)) return page
  if (above.end.type === 'eose') capacity.until = 'exclusive'
  return above
}

function holdsSecond({ stamps }: Read, second: number): boolean {
  return stamps.some((stamp) => stamp.second === second)
}

/** The oldest second of the page; of an empty page, the second that it was asked for. */
function oldestOf(stamps: readonly Stamp[], asked: number | undefined): number {
  return stamps.reduce((least, { second }) => Math.min(least, second), asked ?? Infinity)
}

/** Asks for pages, keeps the counts, and passes on what was not passed on before at the boundary second. */
function createReader(context: DrainContext, tally: Tally): Reader {
  const { capacity, limit: usual } = context
  let boundary = new Set<string>()
  return async (filter, { until = untilAsked(filter, context), limit = usual } = {}) => {
    const asked = until === undefined ? filter : { ...filter, until }
    const { rows, end, bytes, isJoined, readOver = 0 } = await context.request({ ...asked, limit })
    tally.pages += 1
    tally.bytes += bytes
    const { events, stamps, isMixed, malformed, foreign } = sortRows(rows, filter, asked)
    tally.malformed += malformed
    tally.foreign += foreign
    if (limit === usual && isJoined === undefined) noteShown(capacity, stamps, readOver)
    else if (isJoined === undefined) noteProbed(capacity, stamps, readOver)
    const fresh = events.filter((event) => !boundary.has(keyOf(event)))
    tally.rows += fresh.length
    if (events.length > 0) boundary = boundaryOf(events, boundary)
    await context.sink(fresh)
    const authors = new Set(events.map(({ pubkey }) => pubkey))
    return { end, stamps, isMixed, rowCount: rows.length, isCut: readOver > 0, authors }
  }
}

/** The `until` of the filter as this relay has to be told it. */
function untilAsked({ until }: Filter, { capacity }: DrainContext): number | undefined {
  return capacity.until === 'exclusive' && until !== undefined ? until + 1 : until
}

/** The rows of the oldest second: the next page brings them again. Earlier keys of that second stay. */
function boundaryOf(events: readonly NostrEvent[], before: ReadonlySet<string>): Set<string> {
  const oldest = Math.min(...events.map((event) => event.created_at))
  const keys = events.filter((event) => event.created_at === oldest).map(keyOf)
  const isSameSecond = events.every((event) => event.created_at === oldest)
  return new Set(isSameSecond ? [...before, ...keys] : keys)
}

/** A copy with another signature is another row: it may be the true one. */
function keyOf(event: NostrEvent): string {
  return event.id + event.sig
}
