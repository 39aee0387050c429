/*
 * Reads one filter to its bottom.
 *
 * A page may be cut off anywhere, and relays cap pages below the requested `limit`, so a count never proves the end
 * (rule 1). The cursor is the oldest second received, asked again *inclusively*, so that a second cut in two is
 * continued. A filter is drained only by an `eose` on an empty page below the oldest second, or by an `eose` that
 * declares its rows to be the last (NIP-67 `finish`). An `eose` on an empty page that must show the oldest second again
 * proves that the relay does not show all that it holds, or has lost it. A page asked with `until` = t that brings only
 * rows of second t may hide more of that second than fits into a page. Such a second is closed if the relay has shown
 * larger pages, or by splitting the filter; what stays open is a gap. Rows are counted raw, verified or not. A page cut
 * for its bytes ends with a whole second; the next one starts below it and asks for fewer rows.
 *
 * While a page is taken in, the next is asked for: on a long way both take time. After a page that is shorter than this
 * relay's pages have been, the two that should be left are asked for at once.
 *
 * Some relays treat `until` as exclusive (nostr-relay 1.14): their second page lacks the second in which the first one
 * ended. They reveal this when asked from one second above, and are asked that way from then on. Some ignore tag names
 * and look only at tag values (khatru on badger); rows that match in this way only are dropped, but still move the
 * cursor down.
 */
import type { NostrEvent, Stamp } from '../../nostr/event.ts'
import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import { AskedAhead } from './asked-ahead.ts'
import { Backlog } from './backlog.ts'
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
import { Intake } from './intake.ts'
import { learnCut } from './learn-cut.ts'
import { isDescending, sortRows } from '../sort-rows.ts'

/**
 * The inputs for draining a filter: `request` asks the relay, `sink` takes the matching events of each page.
 * `aftermath` is told what follows the ends of sessions (NIP-77); `request` has its own. `backlog` is shared by the
 * filters that are read at one source; absent: this is the only one.
 */
export type DrainContext = CloseContext & {
  readonly sink: (events: readonly NostrEvent[]) => Promise<void>
  readonly aftermath?: Aftermath
  readonly backlog?: Backlog
}

/** The result of reading one filter; `reason` is null if it was drained. Counts are rows. */
export type Drain = {
  readonly reason: string | null
  readonly pages: number
  readonly rows: number
  readonly bytes: number
  /** Rows that are not events at all. */
  readonly malformed: number
  /** Events that the filter did not ask for. */
  readonly foreign: number
  /** The undrained parts of the filter, if the others were drained. */
  readonly open?: readonly Filter[]
}

/** How fast pages grow again after one that was cut. */
const GROWTH = 1.5

/** `ahead` asks for the empty page below together with one that is likely to be the last. */
type Descent = DrainContext & { readonly ahead: AskedAhead; readonly take: Intake['take'] }

type Tally = { pages: number; rows: number; bytes: number; malformed: number; foreign: number }

/** Reads a filter to its bottom, newest first, and hands each page's new matching events to the sink. */
export async function drain(filter: Filter, given: DrainContext): Promise<Drain> {
  const tally: Tally = { pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
  const intake = new Intake(given.sink, given.backlog ?? new Backlog())
  const ahead = new AskedAhead(given.request)
  const gaps: Gap[] = []
  const context = { ...given, gaps, ahead, take: intake.take, request: ahead.request }
  const descent = descendInParts(filter, createReader(context, tally), context)
  const gap = await descent.finally(() => intake.end())
  if (gap !== null) return { reason: gap, ...tally, open: gaps.map((each) => each.filter) }
  return { reason: await findDisproof(context), ...tally }
}

/** Combines two reads of one filter. The second decides whether it was drained. */
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

/** Reads a filter with mixed pages value by value, so that each part fits into a page. */
async function descendInParts(filter: Filter, read: Reader, context: Descent): Promise<string | null> {
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

async function descend(filter: Filter, read: Reader, context: Descent): Promise<string | null> {
  const floor = filter.since ?? 0
  let gap: string | null = null
  let received: number | undefined
  /** The second in which the events of the page before ended. */
  let lastEvent: number | undefined
  let above: AskedPage | undefined
  let { limit } = context
  for (let page = 1, asked = filter.until; ; page += 1) {
    const next = await readOn(filter, { until: asked, limit }, read, context)
    const { end, stamps, isMixed, rowCount, isCut } = next
    if (above !== undefined && stamps.some(({ second }) => second < (received ?? 0)))
      await learnCut(above, read, context)
    above = limit === context.limit && !isCut && !next.isJoined ? { filter, until: asked, count: rowCount } : undefined
    limit = isCut ? rowCount : Math.min(context.limit, Math.ceil(GROWTH * limit))
    if (end.type !== 'eose') return `${describeEnd(end)} on page ${page}`
    if (isMixed) return (await isWholeMixture({ filter, until: asked, count: rowCount }, read, context)) ? gap : MIXED
    if (rowCount > 0 && stamps.length === 0) return `page ${page} brought only what was not asked for`
    if (!isDescending(stamps)) return `page ${page} is not in descending order`
    const isBelowAll = received === undefined || asked === undefined || asked < received
    if (rowCount === 0 && end.hint === 'more') return `page ${page} is empty, and the relay says that there is more`
    if (rowCount === 0 && isBelowAll) return gap
    // Rows that are no events prove nothing, here or there.
    if (rowCount === 0 && lastEvent === asked) gap = `page ${page} lacks the second in which the page before it ended`
    lastEvent = next.oldestEvent
    // NIP-67: nothing lies below these rows, so none of them was cut off.
    if (rowCount > 0 && end.hint === 'finish' && !isCut) return gap
    const oldest = lowestOf(stamps, asked)
    // A row dated before the floor came last: nothing else lies below, and nothing above was cut off.
    if (oldest < floor) return gap
    const isOneSecond = oldest === asked
    if (isOneSecond && rowCount > 0 && !isCut)
      gap = (await closeSecond({ filter, second: oldest, count: rowCount }, read, context)) ?? gap
    const isPast = isOneSecond || isCut
    if (isPast && oldest <= floor) return gap
    received = oldest
    asked = isPast ? oldest - 1 : oldest
    const isShort = rowCount < context.capacity.most && limit === context.limit
    if (isShort && !isPast && oldest > floor && context.capacity.until === 'inclusive')
      context.ahead.ask({ ...filter, until: oldest - 1, limit })
  }
}

type Next = { readonly until: number | undefined; readonly limit: number }

/**
 * Reads the next page. If a small page is filled by one second or mixed, it proves nothing; reads it again with the
 * usual limit.
 */
async function readOn(filter: Filter, { until, limit }: Next, read: Reader, context: DrainContext): Promise<Read> {
  if (until === undefined) return read(filter)
  const page = await readFrom(filter, { until, limit }, read, context)
  const isTelling = !page.isMixed && page.stamps.some(({ second }) => second < until)
  if (limit === context.limit || page.rowCount === 0 || isTelling) return page
  return readFrom(filter, { until, limit: context.limit }, read, context)
}

/** khatru cuts a page that asks for identifiers to as many rows as the filter names addresses. */
async function isWholeMixture(page: AskedPage, read: Reader, context: DrainContext): Promise<boolean> {
  return page.filter['#d'] === undefined && (await isWholePage(page, read, context))
}

/**
 * Reads the page from `second` downwards. While it is unknown how this relay treats `until`, a page without that second
 * is asked again from one second above; if the second comes now, `until` is exclusive.
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
  // Another filter may have found out meanwhile.
  if (capacity.until === 'inclusive') return page
  const above = await read(below, { until: second + 1, limit })
  if (above.end.type === 'eose' && !holdsSecond(above, second)) return page
  if (above.end.type === 'eose') capacity.until = 'exclusive'
  return above
}

function holdsSecond({ stamps }: Read, second: number): boolean {
  return stamps.some((stamp) => stamp.second === second)
}

/** The oldest second of the page; for an empty page, the second it was asked for. */
function lowestOf(stamps: readonly Stamp[], asked: number | undefined): number {
  return stamps.reduce((least, { second }) => Math.min(least, second), asked ?? Infinity)
}

/** Asks for pages, keeps the counts, and drops rows of the boundary second that were already passed on. */
function createReader(context: Descent, tally: Tally): Reader {
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
    await context.take(fresh, bytes)
    return {
      ...{ end, stamps, isMixed, rowCount: rows.length, isCut: readOver > 0, isJoined: isJoined === true },
      authors: new Set(events.map(({ pubkey }) => pubkey)),
      oldestEvent: events.length === 0 ? undefined : oldestOf(events),
    }
  }
}

/** The `until` to send, adjusted to how this relay treats it. */
function untilAsked({ until }: Filter, { capacity }: DrainContext): number | undefined {
  return capacity.until === 'exclusive' && until !== undefined ? until + 1 : until
}

/** The rows of the oldest second, which the next page repeats. Earlier keys of that second are kept. */
function boundaryOf(events: readonly NostrEvent[], before: ReadonlySet<string>): Set<string> {
  const oldest = oldestOf(events)
  const keys = events.filter((event) => event.created_at === oldest).map(keyOf)
  const isSameSecond = events.every((event) => event.created_at === oldest)
  return new Set(isSameSecond ? [...before, ...keys] : keys)
}

function oldestOf(events: readonly NostrEvent[]): number {
  return events.reduce((least, event) => Math.min(least, event.created_at), Infinity)
}

/** A copy with another signature counts as another row, because it may be the genuine one. */
function keyOf(event: NostrEvent): string {
  return event.id + event.sig
}
