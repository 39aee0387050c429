/*
 * Reading a filter at one relay to its bottom, beside the layers.
 */
import { LostRelayError } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import type { End } from './endpoint.ts'
import type { CloseContext } from './paging/close-second.ts'
import { drain } from './paging/drain.ts'
import type { Peer } from './peer.ts'

/** How many authors, addresses or tag values one filter names. */
export const VALUES_PER_REQ = 100

/** Called with the reason why a relay that answers may still hide events: one second holds more of them than a page. */
export type OnGap = (reason: string) => void

/** Takes events page by page. */
export type Sink = (events: readonly NostrEvent[]) => unknown

/**
 * Hands every matching event to `sink`, page by page, to the bottom of the filter. Returns null, or why an answering
 * relay may still hide events. Throws LostRelayError when it does not answer to the end.
 */
export async function readThrough(
  peer: Peer,
  filter: Filter,
  sink: Sink,
  { readSecond }: Pick<CloseContext, 'readSecond'> = {},
): Promise<string | null> {
  let last: End | undefined
  const { reason, rows } = await drain(filter, {
    request: async (asked) => {
      const page = await peer.endpoint.request(asked)
      last = page.end
      return page
    },
    sink: async (events) => {
      peer.breadth.show(filter, events)
      await sink(events)
    },
    capacity: peer.capacity,
    limit: peer.pageLimit,
    ...(readSecond !== undefined && { readSecond }),
  })
  if (reason !== null && last?.type !== 'eose') throw new LostRelayError(`read ${peer.endpoint.url}: ${reason}`)
  if (reason === null) peer.breadth.drained(filter, rows)
  return reason
}

/** Without a handler for gaps, treat the relay as lost. */
export function lose({ endpoint }: Peer): OnGap {
  return (reason) => {
    throw new LostRelayError(`read ${endpoint.url}: ${reason}`)
  }
}

/** Reads a filter for some authors; if one author fills a second, the others are still read. */
export async function readInHalves(
  peer: Peer,
  filter: Filter,
  { authors, onGap }: { readonly authors: readonly string[]; readonly onGap: OnGap },
  sink: Sink,
): Promise<void> {
  const gap = await readThrough(peer, { ...filter, authors }, sink)
  if (gap === null) return
  if (authors.length === 1) return onGap(gap)
  for (const half of halvesOf(authors)) await readInHalves(peer, filter, { authors: half, onGap }, sink)
}

/** The first and the second half. */
export function halvesOf<T>(values: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(values.length / 2)
  return [values.slice(0, middle), values.slice(middle)]
}

/** How much one filter may name at this relay. */
export function limitsOf({ maxFilterBytes }: Peer, maxCount: number): { maxCount: number; maxBytes: number } {
  return { maxCount, maxBytes: maxFilterBytes }
}

/** Splits values into those short enough for the peer's index, and the rest. */
export function splitByLength<T>(
  values: readonly T[],
  textOf: (value: T) => string,
  { maxTagValueLength }: Peer,
): [T[], T[]] {
  const isIndexed = (value: T): boolean => Buffer.byteLength(textOf(value)) <= maxTagValueLength
  return [values.filter(isIndexed), values.filter((value) => !isIndexed(value))]
}
