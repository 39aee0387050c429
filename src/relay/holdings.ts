import { LostRelayError } from '../errors.ts'
import { addressOf, formatAddress, isNewerVersion, parseAddress, type Address } from '../nostr/address.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'
import { isReplaceable } from '../nostr/kinds.ts'
import { describeEnd } from './describe-end.ts'
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

const IDS_PER_REQ = 250

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
  const keepAll = (events: readonly NostrEvent[]): void => events.forEach((event) => keepNewest(newest, event))
  const ofKind = ([kind, group]: readonly [number, readonly Address[]]): Promise<void>[] => {
    const limits = limitsOf(peer, VALUES_PER_REQ)
    const [indexed, unindexed] = splitByIdentifier(group, peer)
    return [
      ...[...chunkByCountAndBytes(indexed, limits)].map((chunk) =>
        collectVersions(peer, { kind, addresses: chunk, onGap }, newest),
      ),
      // The relay cannot find this identifier, so ask by author alone.
      ...[...chunkByCountAndBytes(authorsOf(unindexed), limits)].map((authors) =>
        readInHalves(peer, { kinds: [kind] }, { authors, onGap }, keepAll),
      ),
    ]
  }
  await Promise.all([...byKind(addresses)].flatMap(ofKind))
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

function keepNewest(newest: Map<string, NostrEvent>, event: NostrEvent): void {
  const address = addressOf(event)
  if (address === undefined) return
  const known = newest.get(address)
  if (known === undefined || isNewerVersion(event, known)) newest.set(address, event)
}
