import { LostRelayError } from '../errors.ts'
import { addressOf, formatAddress, isNewerVersion, parseAddress, type Address } from '../nostr/address.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'
import { isReplaceable, KIND } from '../nostr/kinds.ts'
import type { CloseContext } from './paging/close-second.ts'
import { describeEnd } from './describe-end.ts'
import type { End } from './endpoint.ts'
import { drain } from './paging/drain.ts'
import type { Peer } from './peer.ts'

const IDS_PER_REQ = 250
const VALUES_PER_REQ = 100

/**
 * Returns those of the ids that the relay serves. Page caps do no harm: missing ids are asked for again until a page
 * brings nothing new. Throws LostRelayError when the relay does not answer to the end.
 */
export async function findServed(peer: Peer, ids: readonly string[]): Promise<Set<string>> {
  return new Set((await findAuthors(peer, ids)).keys())
}

/** Like `findServed`, with the unverified public key of each author. Throws LostRelayError. */
export async function findAuthors(peer: Peer, ids: readonly string[]): Promise<Map<string, string>> {
  const authors = new Map<string, string>()
  const groups = [...chunkByCountAndBytes(ids, limitsOf(peer, IDS_PER_REQ))]
  await Promise.all(groups.map((group) => collectAuthors(peer, group, authors)))
  return authors
}

/** Called with the reason why a relay that answers may still hide events: one second holds more of them than a page. */
export type OnGap = (reason: string) => void

/**
 * The newest version that the relay serves at each of these addresses, unverified. Asks for each address until a
 * version or nothing comes, so no page has to be proved whole. Throws LostRelayError.
 */
export async function findVersions(
  peer: Peer,
  addresses: readonly string[],
  onGap: OnGap = lose(peer),
): Promise<Map<string, NostrEvent>> {
  const newest = new Map<string, NostrEvent>()
  for (const [kind, group] of byKind(addresses)) {
    const [indexed, unindexed] = splitByIdentifier(group, peer)
    for (const chunk of chunkByCountAndBytes(indexed, limitsOf(peer, VALUES_PER_REQ)))
      await collectVersions(peer, { kind, addresses: chunk, onGap }, newest)
    // The relay cannot find this identifier, so ask by author alone.
    for (const authors of chunkByCountAndBytes(authorsOf(unindexed), limitsOf(peer, VALUES_PER_REQ)))
      await readInHalves(peer, { kinds: [kind] }, { authors, onGap }, (events) => {
        for (const event of events) keepNewest(newest, event)
      })
  }
  return newest
}

/**
 * Hands every version that the relay serves at these addresses to `sink`, and possibly other addresses of the same
 * authors, unverified. Throws LostRelayError.
 */
export async function readVersions(peer: Peer, addresses: readonly string[], sink: Sink, onGap: OnGap): Promise<void> {
  const read = async (filter: Filter): Promise<void> => {
    const gap = await readThrough(peer, filter, sink)
    if (gap !== null) onGap(gap)
  }
  for (const [kind, group] of byKind(addresses)) {
    const [indexed, unindexed] = splitByIdentifier(group, peer)
    for (const chunk of chunkByCountAndBytes(indexed, limitsOf(peer, VALUES_PER_REQ)))
      await read(versionsFilter(kind, chunk))
    for (const authors of chunkByCountAndBytes(authorsOf(unindexed), limitsOf(peer, VALUES_PER_REQ)))
      await read({ kinds: [kind], authors })
  }
}

/** Possible targets of deletions: ids with the public keys of their authors, and addresses. */
export type Deletable = { readonly ids: ReadonlyMap<string, string>; readonly addresses: readonly string[] }

/** Takes events page by page. */
type Sink = (events: readonly NostrEvent[]) => unknown

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
function lose({ endpoint }: Peer): OnGap {
  return (reason) => {
    throw new LostRelayError(`read ${endpoint.url}: ${reason}`)
  }
}

/** Reads a filter for some authors; if one author fills a second, the others are still read. */
async function readInHalves(
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

function halvesOf<T>(values: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(values.length / 2)
  return [values.slice(0, middle), values.slice(middle)]
}

type Owned = readonly [reference: string, author: string]

/** Keeps the references of one author together, so that halving soon isolates an author who fills a second. */
function byAuthor(owned: readonly Owned[]): Owned[] {
  return owned.toSorted(([, a], [, b]) => (a < b ? -1 : Number(a > b)))
}

function signersOf(group: readonly Owned[]): string[] {
  return [...new Set(group.map(([, author]) => author))]
}

function limitsOf({ maxFilterBytes }: Peer, maxCount: number): { maxCount: number; maxBytes: number } {
  return { maxCount, maxBytes: maxFilterBytes }
}

async function collectAuthors(peer: Peer, ids: readonly string[], authors: Map<string, string>): Promise<void> {
  let rest = ids
  while (rest.length > 0) {
    const { rows, end } = await peer.endpoint.request({ ids: rest, limit: rest.length })
    if (end.type !== 'eose') throw new LostRelayError(`ask ${peer.endpoint.url} for ids: ${describeEnd(end)}`)
    const asked = new Set(rest)
    const came = rows.flatMap((row) => parseEvent(row) ?? []).filter(({ id }) => asked.has(id))
    if (came.length === 0) return
    peer.breadth.show({ ids: rest }, came)
    for (const { id, pubkey } of came) authors.set(id, pubkey)
    rest = rest.filter((id) => !authors.has(id))
  }
}

function byKind(addresses: readonly string[]): Map<number, Address[]> {
  const kinds = new Map<number, Address[]>()
  for (const address of addresses.flatMap((text) => parseAddress(text) ?? [])) {
    kinds.set(address.kind, [...(kinds.get(address.kind) ?? []), address])
  }
  return kinds
}

type Versions = { readonly kind: number; readonly addresses: readonly Address[]; readonly onGap: OnGap }

/**
 * Asks again for missing versions until nothing comes. If a page brings only known or unwanted ones, halves the group.
 */
async function collectVersions(
  peer: Peer,
  { kind, addresses, onGap }: Versions,
  newest: Map<string, NostrEvent>,
): Promise<void> {
  let rest = addresses
  while (rest.length > 0) {
    const filter = versionsFilter(kind, rest)
    const { rows, end } = await peer.endpoint.request({ ...filter, limit: peer.pageLimit })
    if (end.type !== 'eose') throw new LostRelayError(`ask ${peer.endpoint.url} for addresses: ${describeEnd(end)}`)
    const matches = createMatcher(filter)
    const events = rows.flatMap((row) => parseEvent(row) ?? []).filter(matches)
    peer.breadth.show(filter, events)
    for (const event of events) keepNewest(newest, event)
    const left = rest.filter((address) => !newest.has(formatAddress(address)))
    if (rows.length === 0) return
    if (left.length === rest.length) {
      if (rest.length === 1) return onGap('a page of versions brought only what was not asked for')
      for (const half of halvesOf(rest)) await collectVersions(peer, { kind, addresses: half, onGap }, newest)
      return
    }
    rest = left
  }
}

function versionsFilter(kind: number, addresses: readonly Address[]): Filter {
  const isNamed = !isReplaceable(kind)
  return {
    kinds: [kind],
    authors: authorsOf(addresses),
    ...(isNamed && { '#d': [...new Set(addresses.map(({ d }) => d))] }),
  }
}

/** Splits addresses into those that the relay finds by identifier, and the rest. */
function splitByIdentifier(addresses: readonly Address[], peer: Peer): [Address[], Address[]] {
  return peer.findsIdentifiers ? splitByLength(addresses, ({ d }) => d, peer) : [[], [...addresses]]
}

function authorsOf(addresses: readonly Address[]): string[] {
  return [...new Set(addresses.map(({ pubkey }) => pubkey))]
}

/** Splits values into those short enough for the peer's index, and the rest. */
function splitByLength<T>(values: readonly T[], textOf: (value: T) => string, { maxTagValueLength }: Peer): [T[], T[]] {
  const isIndexed = (value: T): boolean => Buffer.byteLength(textOf(value)) <= maxTagValueLength
  return [values.filter(isIndexed), values.filter((value) => !isIndexed(value))]
}

function keepNewest(newest: Map<string, NostrEvent>, event: NostrEvent): void {
  const address = addressOf(event)
  if (address === undefined) return
  const known = newest.get(address)
  if (known === undefined || isNewerVersion(event, known)) newest.set(address, event)
}
