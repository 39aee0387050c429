/*
 * Handles relays that accept only small requests without documenting it. The filter is halved until it fits, and the
 * pages of its parts are joined. The accepted size is remembered for the run.
 */
import { parseStamp } from '../../nostr/event.ts'
import type { Filter } from '../../nostr/filter.ts'
import { isSplitProof, splitFilter } from '../split-filter.ts'
import type { End, LearntLimits, Page } from '../endpoint.ts'
import { readRefusal } from './refusal.ts'
import { isDescending } from '../sort-rows.ts'

/** A close with this code means that a message was too large (RFC 6455). It cannot refer to a small message. */
const TOO_BIG = /\(1009\)$/
const SMALL_BYTES = 1_024
const COUNTS = /\btoo many\b/i

/** The largest filter that one relay accepts, as shown so far. */
export class RequestSize {
  readonly #most = { values: Infinity, bytes: Infinity }

  /** The limits of filters; empty while none was refused. */
  get limits(): Pick<LearntLimits, 'maxFilterValues' | 'maxFilterBytes'> {
    const { values, bytes } = this.#most
    return { ...(values < Infinity && { maxFilterValues: values }), ...(bytes < Infinity && { maxFilterBytes: bytes }) }
  }

  /** Splits a filter that is known to be too large; the parts together equal the whole. */
  partsOf(filter: Filter): readonly Filter[] {
    const isLarge = countValues(filter) > this.#most.values || sizeOf(filter) > this.#most.bytes
    return isLarge && isSplitProof(filter) ? splitFilter(filter) : []
  }

  /** Whether an end means that the filter was too large and can be halved; records that. */
  learn(filter: Filter, end: End): boolean {
    const refused = refusedMeasure(filter, end)
    if (refused === undefined || !isSplitProof(filter)) return false
    const size = refused === 'values' ? countValues(filter) : sizeOf(filter)
    this.#most[refused] = Math.min(this.#most[refused], Math.floor(size / 2))
    return true
  }
}

/**
 * Joins the pages of the parts of a filter into one page. A part may have been cut off at its end, so older rows of the
 * other parts are dropped; the next page brings them again.
 */
export function joinPages(pages: readonly Page[]): Page {
  const bytes = pages.reduce((sum, page) => sum + page.bytes, 0)
  const failed = pages.find(({ end }) => end.type !== 'eose')
  const rows = pages.flatMap((page) => page.rows)
  if (failed !== undefined) return { rows, end: failed.end, bytes, isJoined: true }
  const end: End = pages.some((page) => page.end.type === 'eose' && page.end.hint === 'more')
    ? { type: 'eose', hint: 'more' }
    : { type: 'eose' }
  const parts = pages.map((page) => page.rows.flatMap((row) => parseStamp(row) ?? []))
  // Out-of-order rows and non-events are left to the reader of the page.
  if (!parts.every((stamps) => isDescending(stamps))) return { rows, end, bytes, isJoined: true }
  const cut = Math.max(...parts.flatMap((stamps) => stamps.at(-1)?.second ?? []))
  const kept = rows.filter((row) => secondOf(row) >= cut).toSorted((a, b) => secondOf(b) - secondOf(a))
  return { rows: kept, end, bytes, isJoined: true }
}

function refusedMeasure(filter: Filter, end: End): 'values' | 'bytes' | undefined {
  if (end.type === 'closed' && readRefusal(end.reason) === 'smaller')
    return COUNTS.test(end.reason) ? 'values' : 'bytes'
  return end.type === 'disconnected' && TOO_BIG.test(end.reason) && sizeOf(filter) > SMALL_BYTES ? 'bytes' : undefined
}

function countValues(filter: Filter): number {
  return Object.values(filter).reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 0), 0)
}

function secondOf(row: unknown): number {
  return parseStamp(row)?.second ?? Infinity
}

function sizeOf(filter: Filter): number {
  return Buffer.byteLength(JSON.stringify(filter))
}
