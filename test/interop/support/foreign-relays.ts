import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { PlainRelayName } from './recipes.ts'

/** What the suite must know of a relay; docs/relays-measured.md tells it in words. */
export type Foreign = {
  /** What reports call it, from its NIP-11 document; null where it has none. */
  readonly software: string | null
  /** Whether it speaks NIP-77. */
  readonly reconciles: boolean
  /** Whether a comparison by NIP-77 covers more events than a page holds. */
  readonly comparesBeyondPage: boolean
  /** Whether it speaks NIP-42 as the NIP has it: CLOSED and OK with `auth-required:`, and an OK to AUTH. */
  readonly authenticates: boolean
  /** Whether its page cap can be set. */
  readonly hasPageCap: boolean
  /** Whether it refuses protected events (NIP-70) from others than their authors. */
  readonly refusesProtected: boolean
  /** Whether it refuses events that have expired (NIP-40). */
  readonly refusesExpired: boolean
  /** What it says to an event of tomorrow; null where it takes it. */
  readonly refusesTomorrow: RegExp | null
  /**
   * Whether it drops an announcement or state, with an OK, when it holds a newer one whose identifier begins with this
   * one's.
   */
  readonly dropsSimilar: boolean
  /** What a restart does to what it holds: `overwrites` the last event with the next one that is stored. */
  readonly restart: 'keeps' | 'forgets' | 'overwrites'
}

/** What two versions of one library have in common. */
const RUST_NOSTR = {
  software: null,
  reconciles: true,
  comparesBeyondPage: true,
  authenticates: true,
  hasPageCap: true,
  refusesProtected: true,
  refusesTomorrow: null,
  dropsSimilar: false,
  restart: 'keeps',
} as const

const KHATRU = {
  software: 'khatru n/a',
  reconciles: true,
  comparesBeyondPage: false,
  authenticates: true,
  hasPageCap: true,
  refusesProtected: true,
  refusesExpired: false,
  refusesTomorrow: null,
} as const

export const FOREIGN_RELAYS: Readonly<Record<PlainRelayName, Foreign>> = {
  khatru: { ...KHATRU, dropsSimilar: true, restart: 'keeps' },
  'khatru-memory': { ...KHATRU, dropsSimilar: false, restart: 'forgets' },
  'rust-nostr': { ...RUST_NOSTR, refusesExpired: false },
  'nostr-sdk': { ...RUST_NOSTR, refusesExpired: true },
  'nostr-rs-relay': {
    software: 'nostr-rs-relay 0.8.12',
    reconciles: false,
    comparesBeyondPage: false,
    authenticates: false,
    hasPageCap: false,
    refusesProtected: false,
    refusesExpired: true,
    refusesTomorrow: /^invalid: The event created_at field is out of the acceptable range/,
    dropsSimilar: false,
    restart: 'keeps',
  },
  rnostr: {
    software: 'rnostr 0.4.8',
    reconciles: false,
    comparesBeyondPage: false,
    authenticates: true,
    hasPageCap: true,
    refusesProtected: true,
    refusesExpired: true,
    refusesTomorrow: /^invalid: event creation date must be older than \d+$/,
    dropsSimilar: false,
    restart: 'overwrites',
  },
  'nostr-relay': {
    software: 'nostr_relay 1.14',
    reconciles: false,
    comparesBeyondPage: false,
    authenticates: false,
    hasPageCap: true,
    refusesProtected: false,
    refusesExpired: false,
    refusesTomorrow: /^invalid: \d+ is in the future$/,
    dropsSimilar: false,
    restart: 'keeps',
  },
}

/** Whether this relay takes the event from somebody else than its author, `now` in Unix seconds. */
export function takes(name: PlainRelayName, { tags }: NostrEvent, now: number): boolean {
  const { refusesProtected, refusesExpired } = FOREIGN_RELAYS[name]
  const isProtected = tags.some(([tag]) => tag === '-')
  const hasExpired = tags.some(([tag, time]) => tag === 'expiration' && Number(time) <= now)
  return !(isProtected && refusesProtected) && !(hasExpired && refusesExpired)
}
