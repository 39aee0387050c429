import { addressOf } from './address.ts'
import { isHex32, tagValues, type NostrEvent } from './event.ts'

/** What a repository announcement (30617, NIP-34) says. */
export type Announcement = {
  readonly id: string
  readonly address: string
  readonly pubkey: string
  readonly identifier: string
  readonly createdAt: number
  readonly maintainers: readonly string[]
  readonly clone: readonly string[]
  readonly relays: readonly string[]
}

/** The announcement in an event of kind 30617. Tags may hold several values, or stand several times. */
export function readAnnouncement(event: NostrEvent): Announcement {
  return {
    id: event.id,
    address: addressOf(event) ?? '',
    pubkey: event.pubkey,
    identifier: tagValues(event, 'd')[0] ?? '',
    createdAt: event.created_at,
    maintainers: allValues(event, 'maintainers').filter(isHex32),
    clone: allValues(event, 'clone'),
    relays: allValues(event, 'relays'),
  }
}

function allValues(event: NostrEvent, name: string): string[] {
  return event.tags.flatMap((tag) => (tag[0] === name ? tag.slice(1) : []))
}
