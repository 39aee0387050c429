/*
 * Tag values longer than a relay indexes. An empty answer to them proves nothing, so they are looked for in three ways:
 * by the tag all the same, where nobody knows how long is too long; among the rare kinds, which refer to repositories
 * and little else; and among everything. The last proves that nothing is missing, where it comes to its end within a
 * budget of its own: whoever announces an identifier of a thousand letters chooses what is read, but not how much.
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { createMatcher, tagConditions, type Filter, USUAL_LENGTH } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import { addDrains, drain, type Drain, type DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'

/** What scans for values that no person writes may bring of one source in a run, in bytes. */
export const SCAN_BYTES = 8 * 2 ** 20

const COMMON_KINDS: readonly number[] = [KIND.note, KIND.deletion, KIND.vanishRequest, KIND.comment]
/** Kinds that hardly anything but git uses. */
const RARE_KINDS: readonly number[] = Object.values(KIND).filter((kind) => !COMMON_KINDS.includes(kind))

/** Relays drop connections over longer messages than they take; no value that is longer is asked for by its tag. */
const MAX_ASKED_LENGTH = 2_048

type Scan = Pick<PlannedRequest, 'filter' | 'anchors'> & { readonly scan: readonly Filter[] }

/**
 * Reads what the tags of a scan name. Drained when everything was seen, or when the relay has shown to find such
 * values.
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
  /** How long the longest value is by which a row was found. */ readonly longest: number
}

const NOTHING: ByTag = {
  drain: { reason: null, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 },
  longest: -1,
}

/** What fails here is nothing: many relays refuse long values. */
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

/** How long the longest value is that tags are asked for, in bytes. */
export function longestValue(scan: readonly Filter[]): number {
  const values = scan.flatMap((filter) => tagConditions(filter).flatMap(([, each]) => each))
  return values.reduce((longest, value) => Math.max(longest, Buffer.byteLength(value)), 0)
}

/** Names the anchor that this is about, and how many more. */
function explain(drained: Drain, [first = '', ...others]: readonly string[], peer: Peer): Drain {
  if (drained.reason === null) return drained
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const name = first.length > 120 ? `${first.slice(0, 120)}…` : first
  const reason = `what refers to ${name}${more} may be missing: values over ${peer.maxTagValueLength} bytes are not found by tags, and a scan did not end: ${drained.reason}`
  // Whatever part of the scan is open, the anchors are.
  const { pages, rows, bytes, malformed, foreign } = drained
  return { reason, pages, rows, bytes, malformed, foreign }
}
