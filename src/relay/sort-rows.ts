/*
 * Sorts the rows of a page: which match, which have a place in its order, and whether the page is mixed.
 *
 * khatru on badger ignores tag names and finds a value by its beginning: asked for `hello` it also returns
 * `hello-world`, in no order, regardless of `until`, and twice if both are asked for.
 */
import { parseEvent, parseStamp, type NostrEvent, type Stamp } from '../nostr/event.ts'
import { createMatcher, createPrefixMatcher, createValueMatcher, type Filter } from '../nostr/filter.ts'

/** The rows of a page. */
export type SortedRows = {
  /** The matching rows. */
  readonly events: readonly NostrEvent[]
  /** The stamps of rows that match if tag names are ignored, and of non-events within the time range of the filter. */
  readonly stamps: readonly Stamp[]
  /**
   * Whether values with the same beginning disturb the order of the page, so that its rows say nothing about what lies
   * below.
   */
  readonly isMixed: boolean
  /** Rows that are not events at all. */
  readonly malformed: number
  /** Events that were not asked for. */
  readonly foreign: number
}

type Parsed = { readonly event: NostrEvent | undefined; readonly stamp: Stamp | undefined }

/** Sorts the rows of a page asked for as `asked`: the filter with a cursor. */
export function sortRows(rows: readonly unknown[], filter: Filter, asked: Filter): SortedRows {
  const matches = createMatcher(filter)
  const hasPlace = createValueMatcher(filter)
  const wasAsked = createValueMatcher(asked)
  const parsed = rows.map(parseRow)
  const placed = parsed.filter(({ event, stamp }) =>
    event === undefined ? liesWithin(stamp, filter) : hasPlace(event),
  )
  const events = parsed.flatMap(({ event }) => (event !== undefined && matches(event) ? [event] : []))
  const unasked = parsed.flatMap(({ event }) => (event === undefined || wasAsked(event) ? [] : [event]))
  const isSimilar = createPrefixMatcher(filter)
  const similar = unasked.filter(isSimilar)
  const calm = placed.filter(({ event }) => event === undefined || !isSimilar(event))
  const isDisturbed = isDescending(stampsOf(calm)) && (!isDescending(stampsOf(placed)) || hasTwice(placed, calm))
  return {
    events,
    stamps: stampsOf(isDisturbed ? calm : placed),
    isMixed: isDisturbed || (similar.length > 0 && similar.length === unasked.length),
    malformed: parsed.filter(({ event }) => event === undefined).length,
    foreign: unasked.filter((event) => !hasPlace(event) && !isSimilar(event)).length,
  }
}

function parseRow(row: unknown): Parsed {
  const event = parseEvent(row)
  return { event, stamp: event === undefined ? parseStamp(row) : { id: event.id, second: event.created_at } }
}

/** Whether each stamp is as old as the previous one, or older. */
export function isDescending(stamps: readonly Stamp[]): boolean {
  return stamps.every(({ second }, index) => index === 0 || second <= (stamps[index - 1]?.second ?? Infinity))
}

/** Whether a row outside `calm` comes twice. */
function hasTwice(placed: readonly Parsed[], calm: readonly Parsed[]): boolean {
  const isCalm = new Set(calm)
  const ids = placed.filter((row) => !isCalm.has(row)).map(({ stamp }) => stamp?.id)
  return new Set(ids).size < ids.length
}

function stampsOf(rows: readonly Parsed[]): Stamp[] {
  return rows.flatMap(({ stamp }) => stamp ?? [])
}

function liesWithin(stamp: Stamp | undefined, { since = -Infinity, until = Infinity }: Filter): boolean {
  return stamp !== undefined && stamp.second >= since && stamp.second <= until
}
