import { addressOf } from './address.ts'
import { tagValues, type NostrEvent } from './event.ts'
import { readRoles, type RoleRule, type Roles } from './roles.ts'

/** The content of a repository announcement (30617, NIP-34), parsed once. */
export type Announcement = Roles & {
  readonly id: string
  readonly address: string
  readonly pubkey: string
  readonly identifier: string
  readonly createdAt: number
  /** At most 50 values, none longer than 2,048 characters; the same holds for `relays`. */
  readonly clone: readonly string[]
  readonly relays: readonly string[]
  /** How many `clone` and `relays` URLs were dropped because of these limits. */
  readonly unreadUrls: number
}

/** How many URLs of each kind are read from one announcement. */
export const MAX_URLS = 50
/** Longer URLs are ignored. */
export const MAX_URL_LENGTH = 2_048

/** Parses an event of kind 30617. URLs may be spread over several values or several tags. */
export function readAnnouncement(event: NostrEvent, rule: RoleRule = 'today'): Announcement {
  const all = { clone: allValues(event, 'clone'), relays: allValues(event, 'relays') }
  const [clone, relays] = [readable(all.clone), readable(all.relays)]
  return {
    id: event.id,
    address: addressOf(event) ?? '',
    pubkey: event.pubkey,
    identifier: tagValues(event, 'd')[0] ?? '',
    createdAt: event.created_at,
    ...readRoles(event, rule),
    clone,
    relays,
    unreadUrls: all.clone.length + all.relays.length - clone.length - relays.length,
  }
}

function readable(urls: readonly string[]): readonly string[] {
  return urls.filter((url) => url.length <= MAX_URL_LENGTH).slice(0, MAX_URLS)
}

function allValues(event: NostrEvent, name: string): string[] {
  return event.tags.flatMap((tag) => (tag[0] === name ? tag.slice(1) : []))
}
