/*
 * What the rows of a page are worth for the way down: which match, which have their place in its order, and whether the
 * page is mixed.
 *
 * khatru above badger looks at the values of tags only and not at their names, and finds a value by its beginning:
 * asked for `hello` it gives `hello-world` as well, in no order, below any `until`, and twice when both are asked for.
 */
import { parseEvent, parseStamp, type NostrEvent, type Stamp } from '../nostr/event.ts'
import { createMatcher, createPrefixMatcher, createValueMatcher, type Filter } from '../nostr/filter.ts'

/** The rows of a page. */
export type SortedRows = {
  /** Those that match. */
  readonly events: readonly NostrEvent[]
  /**
   * Of those that match, but for the names of tags, and of those that are no events and lie where events were asked
   * for.
   */
  readonly stamps: readonly Stamp[]
  /**
   * Whether values that begin like what was asked for disturb its order: its rows then say nothing of what is below.
   */
  readonly isMixed: boolean
  /** Rows that are not events at all. */
  readonly malformed: number
  /** Events that were not asked for. */
  readonly foreign: number
}

type Parsed = { readonly event: NostrEvent | undefined; readonly stamp: Stamp | undefined }

/** Sorts the rows of a page that was asked for as `asked`: the filter with a cursor. */
export function sortRows(rows: readonly unknown[], filter: Filter, asked: Filter): SortedRows {
  const matches = createMatcher(filter)
  const hasPlace = createValueMatcher(filter)
  const wasAsked = createValueMatcher(asked)
  const parsed = rows.map((row): Parsed => ({ event: parseEvent(row), stamp: parseStamp(row) }))
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

/** Whether each is as old as the one before, or older. */
export function isDescending(stamps: readonly Stamp[]): boolean {
  return stamps.every(({ second }, index) => index === 0 || second <= (stamps[index - 1]?.second ?? Infinity))
}

/** Whether a row comes twice that is not among the calm ones. */
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
