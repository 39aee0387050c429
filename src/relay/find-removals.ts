/*
 * What takes events away: deletions (NIP-09) and requests to vanish (NIP-62) that a relay holds.
 */
import { parseAddress } from '../nostr/address.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Peer } from './peer.ts'
import {
  type OnGap,
  type Sink,
  readThrough,
  readInHalves,
  halvesOf,
  lose,
  limitsOf,
  splitByLength,
  VALUES_PER_REQ,
} from './read-through.ts'

/** Possible targets of deletions: ids with the public keys of their authors, and addresses. */
export type Deletable = { readonly ids: ReadonlyMap<string, string>; readonly addresses: readonly string[] }

/**
 * Hands the deletions (NIP-09) that name any of these ids or addresses to `sink`, page by page, unverified. Reads only
 * deletions by the authors of the targets: nobody can delete for someone else. Throws LostRelayError.
 */
export async function findDeletions(
  peer: Peer,
  { ids, addresses }: Deletable,
  sink: Sink,
  onGap: OnGap = lose(peer),
): Promise<void> {
  const limits = limitsOf(peer, VALUES_PER_REQ)
  const owned = addresses.map((address): Owned => [address, parseAddress(address)?.pubkey ?? ''])
  const [indexed, unindexed] = splitByLength(owned, ([address]) => address, peer)
  await Promise.all([
    ...[...chunkByCountAndBytes(byAuthor([...ids]), limits)].map((group) =>
      readDeletions(peer, { tag: '#e', group, onGap }, sink),
    ),
    ...[...chunkByCountAndBytes(byAuthor(indexed), limits)].map((group) =>
      readDeletions(peer, { tag: '#a', group, onGap }, sink),
    ),
    ...[...chunkByCountAndBytes(signersOf(unindexed), limits)].map((authors) =>
      readInHalves(peer, { kinds: [KIND.deletion] }, { authors, onGap }, sink),
    ),
  ])
}

/**
 * Hands the requests to vanish (NIP-62) of these authors to `sink`, unverified and for any relay. Throws
 * LostRelayError.
 */
export async function findVanishRequests(
  peer: Peer,
  authors: readonly string[],
  sink: Sink,
  onGap: OnGap = lose(peer),
): Promise<void> {
  const groups = [...chunkByCountAndBytes(authors, limitsOf(peer, VALUES_PER_REQ))]
  // Relays index only single-letter tags, so `relay` cannot be filtered on.
  const filter = { kinds: [KIND.vanishRequest] }
  await Promise.all(groups.map((group) => readInHalves(peer, filter, { authors: group, onGap }, sink)))
}

type DeletionsOf = { readonly tag: '#e' | '#a'; readonly group: readonly Owned[]; readonly onGap: OnGap }

/**
 * Reads the deletions of some references by their authors. One row per reference is enough: pages come newest first,
 * and deletions of the same second are equivalent. So a flood of deletions hides nothing.
 */
async function readDeletions(peer: Peer, { tag, group, onGap }: DeletionsOf, sink: Sink): Promise<void> {
  let isNamed = false
  const references = group.map(([reference]) => reference)
  const filter: Filter = { kinds: [KIND.deletion], authors: signersOf(group), ...{ [tag]: references } }
  const gap = await readThrough(peer, filter, (events) => {
    isNamed ||= events.length > 0
    return sink(events)
  })
  if (gap === null) return
  if (group.length > 1) {
    for (const half of halvesOf(group)) await readDeletions(peer, { tag, group: half, onGap }, sink)
    return
  }
  if (!isNamed) onGap(gap)
}

type Owned = readonly [reference: string, author: string]

/** Keeps the references of one author together, so that halving soon isolates an author who fills a second. */
function byAuthor(owned: readonly Owned[]): Owned[] {
  return owned.toSorted(([, a], [, b]) => (a < b ? -1 : Number(a > b)))
}

function signersOf(group: readonly Owned[]): string[] {
  return [...new Set(group.map(([, author]) => author))]
}
