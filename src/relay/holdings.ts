import { LostRelayError } from '../errors.ts'
import { addressOf, isNewerVersion, parseAddress, type Address } from '../nostr/address.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { isReplaceable, KIND } from '../nostr/kinds.ts'
import { describeEnd } from './describe-end.ts'
import { drain } from './paging.ts'
import type { Peer } from './peer.ts'

const IDS_PER_REQ = 250
const VALUES_PER_REQ = 100

/**
 * Of these ids, the ones that the relay serves. Caps on pages do no harm: what did not come is asked again until a page
 * brings nothing more. Throws LostRelayError when the relay does not answer to the end.
 */
export async function findServed(peer: Peer, ids: readonly string[]): Promise<Set<string>> {
  return new Set((await findAuthors(peer, ids)).keys())
}

/** Of these ids, the ones that the relay serves as `findServed` does, with the public keys of their authors, unverified. Throws LostRelayError. */
export async function findAuthors(peer: Peer, ids: readonly string[]): Promise<Map<string, string>> {
  const authors = new Map<string, string>()
  const groups = [...chunkByCountAndBytes(ids, limitsOf(peer, IDS_PER_REQ))]
  await Promise.all(groups.map((group) => collectAuthors(peer, group, authors)))
  return authors
}

/** The newest version that the relay serves at each of these addresses. Throws LostRelayError. */
export async function findVersions(peer: Peer, addresses: readonly string[]): Promise<Map<string, NostrEvent>> {
  const newest = new Map<string, NostrEvent>()
  await readVersions(peer, addresses, (events) => {
    for (const event of events) keepNewest(newest, event)
  })
  return newest
}

/** Hands every version that the relay serves at these addresses to the sink, and of others of their authors, unverified. Throws LostRelayError. */
export async function readVersions(
  peer: Peer,
  addresses: readonly string[],
  sink: (events: readonly NostrEvent[]) => unknown,
): Promise<void> {
  for (const [kind, group] of byKind(addresses)) {
    for (const filter of versionsFilters(peer, kind, group)) await readThrough(peer, filter, sink)
  }
}

/** What may have been deleted: ids with the public keys of their authors, and addresses. */
export type Deletable = { readonly ids: ReadonlyMap<string, string>; readonly addresses: readonly string[] }

/**
 * Hands the deletions (NIP-09) that name any of these ids or addresses to the sink, page by page, unverified. Only those of
 * authors of what is asked about are read: nobody deletes for another. Throws LostRelayError.
 */
export async function findDeletions(
  peer: Peer,
  { ids, addresses }: Deletable,
  sink: (deletions: readonly NostrEvent[]) => unknown,
): Promise<void> {
  const limits = limitsOf(peer, VALUES_PER_REQ)
  const kinds = [KIND.deletion]
  const owned = addresses.map((address): [string, string] => [address, parseAddress(address)?.pubkey ?? ''])
  const [indexed, unindexed] = splitByLength(owned, ([address]) => address, peer)
  const filters = [
    ...[...chunkByCountAndBytes(ids, limits)].map((group): Filter => ({ kinds, '#e': keysOf(group), ...by(group) })),
    ...[...chunkByCountAndBytes(indexed, limits)].map((group): Filter => ({
      kinds,
      '#a': keysOf(group),
      ...by(group),
    })),
    ...[...chunkByCountAndBytes(by(unindexed).authors, limits)].map((authors): Filter => ({ kinds, authors })),
  ]
  await Promise.all(filters.map((filter) => readThrough(peer, filter, sink)))
}

/** Hands the requests to vanish (NIP-62) of these authors to the sink, whatever relay they name, unverified. Throws LostRelayError. */
export async function findVanishRequests(
  peer: Peer,
  authors: readonly string[],
  sink: (requests: readonly NostrEvent[]) => unknown,
): Promise<void> {
  const groups = [...chunkByCountAndBytes(authors, limitsOf(peer, VALUES_PER_REQ))]
  // Their `relay` tag has more than one letter: no relay finds by it.
  await Promise.all(groups.map((group) => readThrough(peer, { kinds: [KIND.vanishRequest], authors: group }, sink)))
}

/** Hands every event that matches to `sink`, page by page, to the bottom of the filter. Throws LostRelayError when the relay does not get there. */
export async function readThrough(
  peer: Peer,
  filter: Filter,
  sink: (events: readonly NostrEvent[]) => unknown,
): Promise<void> {
  const { reason, rows } = await drain(filter, {
    request: (asked) => peer.endpoint.request(asked),
    sink: async (events) => {
      peer.breadth.show(filter, events)
      await sink(events)
    },
    capacity: peer.capacity,
    limit: peer.pageLimit,
  })
  if (reason !== null) throw new LostRelayError(`read ${peer.endpoint.url}: ${reason}`)
  peer.breadth.drained(filter, rows)
}

type Owned = readonly (readonly [reference: string, author: string])[]

function keysOf(group: Owned): string[] {
  return group.map(([reference]) => reference)
}

function by(group: Owned): { authors: string[] } {
  return { authors: [...new Set(group.map(([, author]) => author))] }
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

/** An identifier that the relay does not find is asked for by its author alone. */
function* versionsFilters(peer: Peer, kind: number, addresses: readonly Address[]): Generator<Filter> {
  const limits = limitsOf(peer, VALUES_PER_REQ)
  const [indexed, unindexed] = peer.findsIdentifiers ? splitByLength(addresses, ({ d }) => d, peer) : [[], addresses]
  for (const chunk of chunkByCountAndBytes(indexed, limits)) {
    const authors = authorsOf(chunk)
    const isNamed = !isReplaceable(kind)
    yield { kinds: [kind], authors, ...(isNamed && { '#d': [...new Set(chunk.map(({ d }) => d))] }) }
  }
  for (const authors of chunkByCountAndBytes(authorsOf(unindexed), limits)) yield { kinds: [kind], authors }
}

function authorsOf(addresses: readonly Address[]): string[] {
  return [...new Set(addresses.map(({ pubkey }) => pubkey))]
}

/** What a peer indexes, and what is too long for that. */
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
