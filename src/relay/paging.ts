/*
 * Reading one filter to its bottom.
 *
 * A page may be cut off anywhere, and relays cap pages below the asked `limit`, so a count never proves the end (rule 1).
 * The cursor is the oldest second received, asked again *inclusively*: a cut-off second is then read on. Only an `eose`
 * on an empty page below the oldest second drains the filter. A page asked with `until` = t that brings rows of second t
 * only may hide more of that second than a page holds: it is closed when the relay has shown larger pages, or by
 * splitting the filter; what stays open is a gap. Rows are counted raw, verified or not.
 *
 * For some relays `until` is exclusive (nostr-relay 1.14): their second page lacks the second in which the first one
 * ended. They show it when they are asked from one second above, and are asked so from then on.
 */
import { parseEvent, parseStamp, type NostrEvent, type Stamp } from '../nostr/event.ts'
import { createMatcher, tagConditions, type Filter } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import type { End, Page } from './endpoint.ts'

/**
 * What is known of the size of a relay's pages: the most events that one has brought, and whether it ever showed two.
 * `assumed`: a second was taken for whole because the relay had shown only one event by then. `until`: how it takes
 * that word of a filter, once its pages have shown it.
 */
export type Capacity = {
  most: number
  readonly shown: Set<string>
  probedFor: number
  probing: Promise<void>
  assumed: boolean
  until: 'inclusive' | 'exclusive' | undefined
}

/** A relay of which no page has been seen. */
export function createCapacity(): Capacity {
  return { most: 0, shown: new Set(), probedFor: 0, probing: Promise.resolve(), assumed: false, until: undefined }
}

/** What the drain of a filter needs: `request` asks the relay, `sink` takes the matching events of each page. */
export type DrainContext = {
  readonly request: (filter: Filter) => Promise<Page>
  readonly sink: (events: readonly NostrEvent[]) => Promise<void>
  readonly capacity: Capacity
  readonly limit: number
  /** Reads a single second by NIP-77, where the relay speaks it: true when all of it came. */
  readonly readSecond?: (filter: Filter) => Promise<boolean>
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
}

type Tally = { pages: number; rows: number; bytes: number; malformed: number; foreign: number }
/** `stamps`: of the rows that match, and of those that are no events and lie where events were asked for, in their order. */
type Read = { end: End; stamps: readonly Stamp[]; rowCount: number }

const SPLIT_KINDS: readonly number[] = Object.values(KIND)

/** Reads a filter to its bottom, newest first, handing each page's new matching events to the sink. */
export async function drain(filter: Filter, context: DrainContext): Promise<Drain> {
  const tally: Tally = { pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
  const reader = createReader(context, tally)
  const reason = (await descend(filter, reader, context)) ?? disproved(context.capacity)
  return { reason, ...tally }
}

/** Two reads of one filter as one: the second has the last word on whether it was drained. */
export function addDrains(a: Drain, b: Drain): Drain {
  return {
    reason: b.reason,
    pages: a.pages + b.pages,
    rows: a.rows + b.rows,
    bytes: a.bytes + b.bytes,
    malformed: a.malformed + b.malformed,
    foreign: a.foreign + b.foreign,
  }
}

/** How an end reads in a report. */
export function describeEnd(end: End): string {
  switch (end.type) {
    case 'eose':
      return 'eose'
    case 'closed':
      return end.reason === '' ? 'closed without a reason' : `closed: ${end.reason}`
    case 'idle':
      return `idle ${end.afterMs / 1000} s`
    case 'disconnected':
      return `disconnected: ${end.reason}`
    case 'aborted':
      return end.reason
  }
}

/** Reads one page of what matches the filter; `until`, where given, is asked in place of the filter's. */
type Reader = (filter: Filter, until?: number) => Promise<Read>

async function descend(filter: Filter, read: Reader, context: DrainContext): Promise<string | null> {
  const floor = filter.since ?? 0
  let gap: string | null = null
  let received: number | undefined
  for (let page = 1, asked = filter.until; ; page += 1) {
    const { end, stamps, rowCount } =
      asked === undefined ? await read(filter) : await readFrom(filter, asked, read, context)
    if (end.type !== 'eose') return `${describeEnd(end)} on page ${page}`
    if (rowCount > 0 && stamps.length === 0) return `page ${page} brought only what was not asked for`
    if (!isDescending(stamps)) return `page ${page} is not in descending order`
    const isBelowAll = received === undefined || asked === undefined || asked < received
    if (rowCount === 0 && isBelowAll) return gap
    const oldest = oldestOf(stamps, asked)
    // What lies below all time came last: there is nothing else below, and nothing above was cut off.
    if (oldest < floor) return gap
    const isOneSecond = oldest === asked
    if (isOneSecond && rowCount > 0) gap = (await closeSecond(filter, oldest, rowCount, read, context)) ?? gap
    if (isOneSecond && oldest <= floor) return gap
    received = oldest
    asked = isOneSecond ? oldest - 1 : oldest
  }
}

/**
 * The page from `second` on downwards. While nobody knows how this relay takes `until`, a page without that second is
 * asked for again from the second above: what it brings then, an exclusive `until` has left out.
 */
async function readFrom(filter: Filter, second: number, read: Reader, { capacity }: DrainContext): Promise<Read> {
  const known = capacity.until
  const below = { ...filter, until: second }
  const page = await read(below)
  if (known !== undefined || page.end.type !== 'eose') return page
  if (holdsSecond(page, second)) capacity.until ??= 'inclusive'
  // Another filter may have found it out in the meantime.
  if (capacity.until === 'inclusive') return page
  const above = await read(below, second + 1)
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

/** Proves that a second was read whole, or says what stays open. */
async function closeSecond(
  filter: Filter,
  second: number,
  count: number,
  read: Reader,
  context: DrainContext,
): Promise<string | null> {
  if (await holdsMore(count, context)) return null
  const within = { ...filter, since: second, until: second }
  let isWhole = isSplitProof(within)
  for (const part of splitFilter(within)) {
    const { end, rowCount } = await read(part)
    if (end.type !== 'eose') return describeEnd(end)
    isWhole = (await closeSecond(part, second, rowCount, read, context)) === null && isWhole
  }
  if (isWhole || (await context.readSecond?.(within)) === true) return null
  return `more events in second ${second} than a page holds (${context.capacity.most})`
}

/** Whether the relay's pages hold more than `count` rows, by what it has shown; asks it for one more than that if need be. */
async function holdsMore(count: number, context: DrainContext): Promise<boolean> {
  const { capacity, limit } = context
  if (count >= limit) return false
  if (count >= capacity.most && capacity.probedFor < count) {
    capacity.probedFor = count
    capacity.probing = probe(count + 1, context)
  }
  if (count >= capacity.most) await capacity.probing
  if (count < capacity.most) return true
  // A relay that never showed more than one event has nothing to cut off, as far as anyone can see.
  if (count > 1 || capacity.shown.size > 1) return false
  capacity.assumed = true
  return true
}

/**
 * Asks for so many events of any sort: `since` as well, for a filter with nothing but a `limit` matches nothing at some
 * relays (nostr-relay 1.14). Filters that are read at the same time wait for the same probe.
 */
async function probe(limit: number, { capacity, request }: DrainContext): Promise<void> {
  const { rows } = await request({ since: 0, limit })
  noteShown(
    capacity,
    rows.flatMap((row) => parseStamp(row) ?? []),
  )
}

/** What was taken for a relay with a single event has shown another one since, one a page. */
function disproved({ assumed, most, shown }: Capacity): string | null {
  return assumed && most === 1 && shown.size > 1 ? 'more events in one second than a page holds (1)' : null
}

/** Halves the longest list of the filter; an any-kind filter of one value is looked through kind by kind, which finds but proves nothing. */
function splitFilter(filter: Filter): Filter[] {
  const [longest] = valueLists(filter).sort(([, a], [, b]) => b.length - a.length)
  if (longest !== undefined && longest[1].length > 1) {
    const [key, values] = longest
    const middle = Math.ceil(values.length / 2)
    return [values.slice(0, middle), values.slice(middle)].map((half) => ({ ...filter, [key]: half }))
  }
  if (filter.kinds !== undefined) return []
  return SPLIT_KINDS.map((kind) => ({ ...filter, kinds: [kind] }))
}

/** Whether the parts of the split are together the whole. */
function isSplitProof(filter: Filter): boolean {
  return valueLists(filter).some(([, values]) => values.length > 1)
}

function valueLists(filter: Filter): (readonly [key: string, values: readonly (string | number)[]])[] {
  const { ids, authors, kinds } = filter
  const lists = [['ids', ids] as const, ['authors', authors] as const, ['kinds', kinds] as const]
  const tags = tagConditions(filter).map(([name, values]) => [`#${name}`, values] as const)
  return [...tags, ...lists.flatMap(([key, values]) => (values === undefined ? [] : [[key, values] as const]))]
}

/** Asks for pages, keeps the counts, and passes on what was not passed on before at the boundary second. */
function createReader(context: DrainContext, tally: Tally): Reader {
  let boundary = new Set<string>()
  return async (filter, until = untilAsked(filter, context)) => {
    const asked = until === undefined ? filter : { ...filter, until }
    const { rows, end, bytes } = await context.request({ ...asked, limit: context.limit })
    tally.pages += 1
    tally.bytes += bytes
    const matches = createMatcher(filter)
    const wasAsked = createMatcher(asked)
    const events: NostrEvent[] = []
    const stamps: Stamp[] = []
    for (const row of rows) {
      const event = parseEvent(row)
      const stamp = parseStamp(row)
      const isInPlace = event === undefined ? liesWithin(stamp, filter) : matches(event)
      if (stamp !== undefined && isInPlace) stamps.push(stamp)
      if (event === undefined) tally.malformed += 1
      else if (isInPlace) events.push(event)
      else if (!wasAsked(event)) tally.foreign += 1
    }
    noteShown(context.capacity, stamps)
    const fresh = events.filter((event) => !boundary.has(keyOf(event)))
    tally.rows += fresh.length
    if (events.length > 0) boundary = boundaryOf(events, boundary)
    await context.sink(fresh)
    return { end, stamps, rowCount: rows.length }
  }
}

function liesWithin(stamp: Stamp | undefined, { since = -Infinity, until = Infinity }: Filter): boolean {
  return stamp !== undefined && stamp.second >= since && stamp.second <= until
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

/** Rows without a place, foreign and repeated ones make no page larger; whether a second was cut off, they count (rule 1). */
function noteShown(capacity: Capacity, stamps: readonly Stamp[]): void {
  const ids = new Set(stamps.map(({ id }) => id))
  capacity.most = Math.max(capacity.most, ids.size)
  for (const id of ids) if (capacity.shown.size < 2) capacity.shown.add(id)
}

function isDescending(stamps: readonly Stamp[]): boolean {
  return stamps.every(({ second }, index) => index === 0 || second <= (stamps[index - 1]?.second ?? Infinity))
}
