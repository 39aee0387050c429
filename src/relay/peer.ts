import { USUAL_LENGTH } from '../nostr/filter.ts'
import { withoutTrailing } from '../nostr/host.ts'
import type { Aftermath } from './aftermath.ts'
import { hearEnds, type Endpoint, type Profile } from './endpoint.ts'
import { knownLimits, type KnownLimits } from './pace/known-limits.ts'
import { NegentropySupport } from './negentropy/negentropy-support.ts'
import { Breadth } from './paging/breadth.ts'
import { createCapacity, type Capacity } from './paging/capacity.ts'

/**
 * One end of a run once it has been asked what it is: the endpoint, what it says of itself, and what its pages have
 * shown.
 */
export type Peer = {
  readonly endpoint: Endpoint
  readonly profile: Profile
  readonly capacity: Capacity
  /** Whether it answers broad questions, as far as it has shown. */
  readonly breadth: Breadth
  /** What is known of its limits from its software. */
  readonly limits: KnownLimits
  /** Whether it speaks NIP-77, as far as was tried. */
  readonly support: NegentropySupport
  /** The `limit` of each REQ: what the relay says it allows, at most 500. */
  readonly pageLimit: number
  /** How large a filter may be, in bytes of JSON. */
  readonly maxFilterBytes: number
  /** Tag values of more bytes are not indexed: an empty answer to them proves nothing. */
  readonly maxTagValueLength: number
  /**
   * Whether it finds addressable events by their identifiers. khatru with badger finds those that begin alike as well,
   * and cuts a page to as many rows as the filter names addresses: an empty answer proves nothing.
   */
  readonly findsIdentifiers: boolean
}

const PAGE_LIMIT = 500
const FILTER_BYTES = 48 * 1024
/** Up to how many bytes they index a tag value: khatru with badger, and so ngit-relay; rnostr. */
const KHATRU = /\b(khatru|ngit-relay)\b/i
const INDEXED_LENGTHS: readonly (readonly [software: RegExp, bytes: number])[] = [
  [KHATRU, 100],
  [/\brnostr\b/i, 255],
]

/** A peer of which no page has been seen yet. */
export function createPeer(endpoint: Endpoint, profile: Profile): Peer {
  return {
    endpoint,
    profile,
    limits: knownLimits(profile),
    capacity: createCapacity(),
    breadth: new Breadth(),
    support: new NegentropySupport(),
    pageLimit: Math.max(1, Math.min(PAGE_LIMIT, profile.maxLimit ?? PAGE_LIMIT)),
    maxTagValueLength: indexedLengthOf(profile.software ?? ''),
    findsIdentifiers: !KHATRU.test(profile.software ?? ''),
    maxFilterBytes: Math.min(FILTER_BYTES, Math.floor((profile.maxMessageBytes ?? Infinity) / 2)),
  }
}

/** The peer as somebody reads it who wants to know what follows the ends of its pages. It speaks no NIP-77. */
export function hearPeer(peer: Peer, aftermath: Aftermath): Peer {
  return { ...peer, endpoint: hearEnds(peer.endpoint, aftermath) }
}

function indexedLengthOf(software: string): number {
  return INDEXED_LENGTHS.find(([name]) => name.test(software))?.[1] ?? USUAL_LENGTH
}

/** What a relay says it is, such as `ngit-grasp 1.0.2`; `undefined` when it says nothing. */
export function softwareOf({ software, version }: Profile): string | undefined {
  if (software === undefined) return undefined
  const name =
    withoutTrailing(software, '/')
      .split('/')
      .at(-1)
      ?.replace(/^git\+/, '') ?? software
  return version === undefined ? name : `${name} ${version}`
}
