/*
 * Decides when `since` applies, for one anchor at one source (rule 3):
 *
 *   `--full`, or a window                               → everything
 *   `--since T` and the target already holds the anchor → since T (creates no checkpoint, see advance.ts)
 *   never drained, or a checkpoint in the future        → everything
 *   drained ≤ quick window ago and in full ≤ full-every → since last drained − overlap
 *   otherwise                                           → everything
 *
 * Authors choose `created_at`; it does not tell when an event arrived. So the only safe lower bound is the start of an
 * earlier run, and only while the gap is short. An anchor that was not drained last time keeps its old row, so the same
 * table also covers debts.
 */
import type { Layer, Variant } from './layers.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { tagConditions, type Filter, USUAL_LENGTH } from '../nostr/filter.ts'
import { isRootKind, KIND, ROOT_KINDS } from '../nostr/kinds.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'

// Requests to vanish are asked for by author, and never copied.
const KNOWN_KINDS: readonly number[] = Object.values(KIND).filter((kind) => kind !== KIND.vanishRequest)

/** The starts of the last run, and of the last full run, in which the anchor was drained at the source. */
export type Checkpoint = { readonly drainedAt: UnixSeconds; readonly fullAt: UnixSeconds }

/** An anchor at one source. `held`: the target already has it. */
export type PlannedAnchor = {
  readonly anchor: string
  readonly checkpoint: Checkpoint | undefined
  readonly held: boolean
}

/** The options of the operator, and the start of the run. */
export type SincePolicy = {
  readonly startedAt: UnixSeconds
  readonly quickWindowSeconds: number
  readonly fullEverySeconds: number
  readonly overlapSeconds: number
  readonly full: boolean
  readonly since: UnixSeconds | undefined
  readonly until: UnixSeconds | undefined
  /** `backfill`: the window bounds what is copied; checkpoints do not matter. */
  readonly windowOnly: boolean
}

/** How to read an anchor. If a full pass finds events older than `lateBefore`, `since` would have missed them. */
export type Read = {
  readonly mode: 'full' | 'since'
  readonly since: UnixSeconds | undefined
  readonly lateBefore: UnixSeconds | undefined
}

/**
 * One REQ to drain, and its anchors. `match`: the relay does not index these values, so `filter` asks for whole kinds
 * of the same authors, and the rows are matched here. `scan`: the relay does not index the values of these tags either,
 * and nothing else narrows the filter; see `scanUnindexed`. `accepts`: see `Variant`.
 */
export type PlannedRequest = Read & {
  readonly layer: LayerName
  readonly filter: Filter
  readonly match?: Filter
  readonly scan?: readonly Filter[]
  readonly accepts?: (event: NostrEvent) => boolean
  readonly anchors: readonly string[]
}

/** Decides how to read the anchor at a source with this checkpoint. */
export function decideRead({ checkpoint, held }: PlannedAnchor, policy: SincePolicy): Read {
  const everything: Read = { mode: 'full', since: undefined, lateBefore: lateBefore(checkpoint, policy) }
  if (policy.windowOnly || policy.full) return everything
  if (policy.since !== undefined) {
    return held ? { mode: 'since', since: policy.since, lateBefore: undefined } : everything
  }
  if (checkpoint === undefined || isInFuture(checkpoint, policy)) return everything
  const isQuick = policy.startedAt - checkpoint.drainedAt <= policy.quickWindowSeconds
  const isFullRecent = policy.startedAt - checkpoint.fullAt <= policy.fullEverySeconds
  if (!isQuick || !isFullRecent) return everything
  return { mode: 'since', since: Math.max(0, checkpoint.drainedAt - policy.overlapSeconds), lateBefore: undefined }
}

/** The largest filter of a relay, and what it finds by tags. */
export type FilterLimits = {
  readonly maxCount: number
  readonly maxBytes: number
  readonly maxTagValueLength?: number
  /** See `Peer`. @default true */
  readonly findsIdentifiers?: boolean
  /** The relay answers filters on tags only if kinds are named as well. @default false */
  readonly needsKinds?: boolean
}

/**
 * Plans the REQs that read a layer for these anchors: grouped by how they are read, then chunked by count and bytes.
 */
export function* planRequests(
  layer: Layer,
  anchors: readonly PlannedAnchor[],
  policy: SincePolicy,
  limits: FilterLimits,
): Generator<PlannedRequest> {
  for (const [read, names] of groupByRead(anchors, policy)) {
    for (const variant of layer.variants) {
      const served = names.filter((name) => variant.serves(name))
      const isIndexed = (name: string): boolean => isShort(name, limits) || isFound(variant.filter([name]), limits)
      for (const group of chunkByCountAndBytes(served.filter(isIndexed), limits)) {
        for (const request of requestsFor(layer, variant, group, read, policy)) {
          yield limits.needsKinds === true ? withKinds(request) : request
        }
      }
      const unindexed = isOnlyTags(variant, names) ? [] : served.filter((name) => !isIndexed(name))
      for (const group of chunkByCountAndBytes(unindexed, limits)) {
        for (const request of requestsFor(layer, variant, group, read, policy)) yield asScan(request)
      }
    }
    yield* scansFor(layer, names, read, { policy, limits })
  }
}

/** In `backfill` the window bounds what is copied, not what is known, so announcements and roots are read in full. */
function* requestsFor(
  layer: Layer,
  variant: Variant,
  anchors: readonly string[],
  read: Read,
  policy: SincePolicy,
): Generator<PlannedRequest> {
  const filter = variant.filter(anchors)
  const { accepts } = variant
  const request = { layer: layer.name, anchors, ...read, ...(accepts === undefined ? {} : { accepts }) }
  if (!policy.windowOnly) {
    yield { ...request, filter: withWindow(filter, read.since, policy.until) }
    return
  }
  if (layer.name === 'announcements') {
    yield { ...request, filter }
    return
  }
  const leadsToRoots = layer.name === 'repositories' || layer.name === 'threads'
  const roots = filter.kinds?.filter(isRootKind) ?? ROOT_KINDS
  if (leadsToRoots && roots.length > 0) yield { ...request, filter: { ...filter, kinds: roots } }
  yield { ...request, filter: withWindow(filter, policy.since, policy.until) }
}

/** The same request restricted to the known kinds, for a relay that answers no question for all kinds. */
function withKinds(request: PlannedRequest): PlannedRequest {
  return { ...request, filter: { kinds: KNOWN_KINDS, ...request.filter } }
}

type Planning = { readonly policy: SincePolicy; readonly limits: FilterLimits }

/** Whether the variant filters only by tags. */
function isOnlyTags({ serves, filter }: Variant, names: readonly string[]): boolean {
  const name = names.find(serves)
  return name !== undefined && Object.keys(filter([name])).every((key) => key.startsWith('#') && key !== '#d')
}

/**
 * One scan for all values that the relay finds by no tag. Values longer than any person writes are scanned apart from
 * those that are too long only for this relay.
 */
function* scansFor(
  layer: Layer,
  names: readonly string[],
  read: Read,
  { policy, limits }: Planning,
): Generator<PlannedRequest> {
  const variants = layer.variants.filter((variant) => isOnlyTags(variant, names))
  const isLong = (name: string): boolean =>
    !isShort(name, limits) && variants.some(({ serves, filter }) => serves(name) && !isFound(filter([name]), limits))
  const isHuge = (name: string): boolean => Buffer.byteLength(name) > USUAL_LENGTH
  const long = names.filter(isLong)
  for (const group of [long.filter((name) => !isHuge(name)), long.filter(isHuge)].filter(({ length }) => length > 0)) {
    const scan = variants.map(({ serves, filter }) => filter(group.filter(serves)))
    const anything: Variant = { name: 'scan', serves: () => true, filter: () => ({}) }
    for (const request of requestsFor(layer, anything, group, read, policy)) yield { ...request, scan }
  }
}

/** The same request as a scan: asks for whole kinds and matches the tags here. */
function asScan(request: PlannedRequest): PlannedRequest {
  const { authors, kinds, since, until } = request.filter
  const filter = withWindow(
    { ...(kinds === undefined ? {} : { kinds }), ...(authors === undefined ? {} : { authors }) },
    since,
    until,
  )
  return { ...request, filter, match: request.filter }
}

/** Whether no filter for this anchor asks for too much: tag values are anchors or parts of them. */
function isShort(name: string, { maxTagValueLength = Infinity, findsIdentifiers = true }: FilterLimits): boolean {
  return findsIdentifiers && Buffer.byteLength(name) <= maxTagValueLength
}

function isFound(filter: Filter, { maxTagValueLength = Infinity, findsIdentifiers = true }: FilterLimits): boolean {
  return longestTagValue(filter) <= maxTagValueLength && (findsIdentifiers || filter['#d'] === undefined)
}

function longestTagValue(filter: Filter): number {
  return Math.max(0, ...tagConditions(filter).flatMap(([, values]) => values.map((value) => Buffer.byteLength(value))))
}

function groupByRead(anchors: readonly PlannedAnchor[], policy: SincePolicy): [Read, string[]][] {
  const groups = new Map<string, [Read, string[]]>()
  for (const anchor of anchors) {
    const read = decideRead(anchor, policy)
    const key = `${read.since} ${read.lateBefore}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [read, [anchor.anchor]])
    else group[1].push(anchor.anchor)
  }
  return [...groups.values()]
}

function withWindow(filter: Filter, since: UnixSeconds | undefined, until: UnixSeconds | undefined): Filter {
  return { ...filter, ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) }
}

function lateBefore(checkpoint: Checkpoint | undefined, policy: SincePolicy): UnixSeconds | undefined {
  if (checkpoint === undefined || isInFuture(checkpoint, policy)) return undefined
  return checkpoint.drainedAt - policy.overlapSeconds
}

function isInFuture(checkpoint: Checkpoint, policy: SincePolicy): boolean {
  return checkpoint.drainedAt > policy.startedAt || checkpoint.fullAt > policy.startedAt
}
