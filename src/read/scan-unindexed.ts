/*
 * Finds tag values that are longer than a relay indexes. An empty answer to them proves nothing, so there are three
 * ways: by tag after all, where the relay's limit is not known; among the rare kinds, which refer to repositories and
 * little else; and among all events. Only the last proves that nothing is missing, if it ends within a separate budget:
 * whoever announces an identifier of a thousand letters decides what is read, but not how much.
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { createMatcher, tagConditions, type Filter, USUAL_LENGTH } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import { addDrains, drain, type Drain, type DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'

/** Bytes that scans for values that no person writes may bring from one source in a run. */
export const SCAN_BYTES = 8 * 2 ** 20

const COMMON_KINDS: readonly number[] = [KIND.note, KIND.deletion, KIND.vanishRequest, KIND.comment]
/** Kinds that hardly anything but git uses. */
const RARE_KINDS: readonly number[] = Object.values(KIND).filter((kind) => !COMMON_KINDS.includes(kind))

/** Longest value that is asked for by its tag, in bytes: relays drop connections over messages that are too long. */
const MAX_ASKED_LENGTH = 2_048

type Scan = Pick<PlannedRequest, 'filter' | 'anchors'> & { readonly scan: readonly Filter[] }

/**
 * Reads the events that the tag values of a scan name. Drained when all events were seen, or when the relay was seen to
 * find values that long.
 */
export async function scanUnindexed(
  { filter, scan, anchors }: Scan,
  peer: Peer,
  context: DrainContext,
): Promise<Drain> {
  const { since, until } = filter
  const window = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
  const byTag = peer.maxTagValueLength < USUAL_LENGTH ? NOTHING : await readByTag(scan, window, peer, context)
  if (byTag.longest >= longestValue(scan)) return byTag.drain
  const kinds = filter.kinds ?? RARE_KINDS
  const rare = addDrains(byTag.drain, await drain({ kinds, ...window }, context))
  if (filter.kinds !== undefined || rare.reason !== null) return explain(rare, anchors, peer)
  return explain(addDrains(rare, await drain({ since: 0, ...window }, context)), anchors, peer)
}

type ByTag = {
  readonly drain: Drain
  /** Length in bytes of the longest value that found a row; −1: none. */
  readonly longest: number
}

const NOTHING: ByTag = {
  drain: { reason: null, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 },
  longest: -1,
}

/** Failures do not count here: many relays refuse long values. */
async function readByTag(scan: readonly Filter[], window: Filter, peer: Peer, context: DrainContext): Promise<ByTag> {
  let { drain: total, longest } = NOTHING
  let isWhole = true
  for (const part of scan.flatMap((filter) => partsOf(filter, peer))) {
    const matches = createMatcher(part)
    const drained = await drain(
      { ...part, ...window },
      {
        ...context,
        sink: async (events) => {
          longest = Math.max(longest, longestFound(events.filter(matches), part))
          await context.sink(events)
        },
      },
    )
    isWhole &&= drained.reason === null
    total = { ...addDrains(total, drained), reason: null }
  }
  return { drain: total, longest: isWhole ? longest : -1 }
}

function partsOf(filter: Filter, { maxFilterBytes: maxBytes }: Peer): Filter[] {
  return tagConditions(filter).flatMap(([name, values]) => {
    const asked = values.filter((value) => Buffer.byteLength(value) <= MAX_ASKED_LENGTH)
    return [...chunkByCountAndBytes(asked, { maxCount: 100, maxBytes })].map((group): Filter => ({
      [`#${name}`]: group,
    }))
  })
}

function longestFound(events: readonly NostrEvent[], filter: Filter): number {
  const asked = new Set(tagConditions(filter).flatMap(([, values]) => values))
  const found = events.flatMap(({ tags }) => tags.flatMap(([, value = '']) => (asked.has(value) ? [value] : [])))
  return Math.max(-1, ...found.map((value) => Buffer.byteLength(value)))
}

/** Returns the length in bytes of the longest value that is asked for by tag. */
export function longestValue(scan: readonly Filter[]): number {
  const values = scan.flatMap((filter) => tagConditions(filter).flatMap(([, each]) => each))
  return values.reduce((longest, value) => Math.max(longest, Buffer.byteLength(value)), 0)
}

/** Adds to the reason which anchor it concerns, and how many more. */
function explain(drained: Drain, [first = '', ...others]: readonly string[], peer: Peer): Drain {
  if (drained.reason === null) return drained
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const name = first.length > 120 ? `${first.slice(0, 120)}…` : first
  const reason = `what refers to ${name}${more} may be missing: values over ${peer.maxTagValueLength} bytes are not found by tags, and a scan did not end: ${drained.reason}`
  // Whichever part of the scan is open, all anchors are.
  const { pages, rows, bytes, malformed, foreign } = drained
  return { reason, pages, rows, bytes, malformed, foreign }
}
