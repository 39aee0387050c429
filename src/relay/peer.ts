import { USUAL_LENGTH } from '../nostr/filter.ts'
import { withoutTrailing } from '../nostr/host.ts'
import type { Aftermath } from './aftermath.ts'
import { hearEnds, type Endpoint, type Profile } from './endpoint.ts'
import { knownLimits, type KnownLimits } from './pace/known-limits.ts'
import { NegentropySupport } from './negentropy/negentropy-support.ts'
import { Breadth } from './paging/breadth.ts'
import { createCapacity, type Capacity } from './paging/capacity.ts'

/** An opened endpoint with its profile and what its pages have shown. */
export type Peer = {
  readonly endpoint: Endpoint
  readonly profile: Profile
  readonly capacity: Capacity
  /** Whether it answers broad questions, as shown so far. */
  readonly breadth: Breadth
  /** Known limits of its software. */
  readonly limits: KnownLimits
  /** Whether it supports NIP-77, as tried so far. */
  readonly support: NegentropySupport
  /** Whether it compares a few events by their ids, as tried so far. */
  readonly listing: NegentropySupport
  /** The `limit` of each REQ: the relay's stated maximum, at most 500. */
  readonly pageLimit: number
  /** The largest filter, in bytes of JSON. */
  readonly maxFilterBytes: number
  /** Longer tag values, in bytes, are not indexed: an empty answer to them proves nothing. */
  readonly maxTagValueLength: number
  /**
   * Whether the relay finds addressable events by their identifiers. khatru with badger also finds identifiers with the
   * same beginning, and cuts a page to as many rows as the filter names addresses, so an empty answer proves nothing.
   */
  readonly findsIdentifiers: boolean
}

const PAGE_LIMIT = 500
const FILTER_BYTES = 48 * 1024
/** The longest indexed tag values in bytes: khatru with badger, and so ngit-relay; rnostr. */
const KHATRU = /\b(khatru|ngit-relay)\b/i
const INDEXED_LENGTHS: readonly (readonly [software: RegExp, bytes: number])[] = [
  [KHATRU, 100],
  [/\brnostr\b/i, 255],
]

/** Returns a peer before its first page. */
export function createPeer(endpoint: Endpoint, profile: Profile): Peer {
  return {
    endpoint,
    profile,
    limits: knownLimits(profile),
    capacity: createCapacity(),
    breadth: new Breadth(),
    support: new NegentropySupport(),
    listing: new NegentropySupport(),
    pageLimit: Math.max(1, Math.min(PAGE_LIMIT, profile.maxLimit ?? PAGE_LIMIT)),
    maxTagValueLength: indexedLengthOf(profile.software ?? ''),
    findsIdentifiers: !KHATRU.test(profile.software ?? ''),
    maxFilterBytes: Math.min(FILTER_BYTES, Math.floor((profile.maxMessageBytes ?? Infinity) / 2)),
  }
}

/** Returns the peer with requests whose ends are watched by `aftermath`; without NIP-77. */
export function hearPeer(peer: Peer, aftermath: Aftermath): Peer {
  return { ...peer, endpoint: hearEnds(peer.endpoint, aftermath) }
}

function indexedLengthOf(software: string): number {
  return INDEXED_LENGTHS.find(([name]) => name.test(software))?.[1] ?? USUAL_LENGTH
}

/** The relay's claimed software, such as `ngit-grasp 1.0.2`; `undefined` if it claims none. */
export function softwareOf({ software, version }: Profile): string | undefined {
  if (software === undefined) return undefined
  const name =
    withoutTrailing(software, '/')
      .split('/')
      .at(-1)
      ?.replace(/^git\+/, '') ?? software
  return version === undefined ? name : `${name} ${version}`
}
