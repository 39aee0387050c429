/*
 * Filters that ask the target for the events of its anchors.
 */
import type { Layer } from '../checkpoint/layers.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND, ROOT_KINDS } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import type { Peer } from '../relay/peer.ts'

const VALUES_PER_FILTER = 100

/** A question to the target, with a test for the answers that count. */
export type TargetFilter = { readonly filter: Filter; readonly isWanted: (event: NostrEvent) => boolean }

/** Yields the filters for the announcements of these anchors. */
export function* announcementFilters(
  variants: Layer['variants'],
  names: readonly string[],
  target: Peer,
): Generator<TargetFilter> {
  for (const filter of layerFilters(variants, names, target))
    if (filter.kinds?.includes(KIND.announcement)) yield { filter, isWanted: () => true }
}

/** Yields the filters of a layer for these anchors, as large as the target takes them. */
export function* layerFilters(
  variants: Layer['variants'],
  names: readonly string[],
  { maxFilterBytes: maxBytes }: Peer,
): Generator<Filter> {
  for (const variant of variants.filter(({ accepts }) => accepts === undefined)) {
    const served = names.filter((name) => variant.serves(name))
    for (const group of chunkByCountAndBytes(served, { maxCount: VALUES_PER_FILTER, maxBytes }))
      yield variant.filter(group)
  }
}

/** Yields the filters for events that the target hosts without an announcement, if those are an anchor (GRASP-06). */
export function* hostedFilters(variants: Layer['variants'], names: readonly string[]): Generator<TargetFilter> {
  for (const { serves, filter, accepts } of variants) {
    const served = names.filter((name) => serves(name))
    if (accepts !== undefined && served.length > 0) yield { filter: filter(served), isWanted: accepts }
  }
}

/** Yields the filters for the roots of these addresses: all roots, for values too long for the target's index. */
export function* rootFilters(addresses: readonly string[], target: Peer): Generator<TargetFilter> {
  const limits = { maxCount: VALUES_PER_FILTER, maxBytes: target.maxFilterBytes }
  const isIndexed = (address: string): boolean => Buffer.byteLength(address) <= target.maxTagValueLength
  for (const group of chunkByCountAndBytes(addresses.filter(isIndexed), limits)) {
    yield { filter: { kinds: ROOT_KINDS, '#a': group }, isWanted: () => true }
  }
  const unindexed = new Set(addresses.filter((address) => !isIndexed(address)))
  if (unindexed.size === 0) return
  const isWanted = (event: NostrEvent): boolean =>
    referencesOf(event).addresses.some((address) => unindexed.has(address))
  yield { filter: { kinds: ROOT_KINDS }, isWanted }
}
