import { npubEncode } from 'nostr-tools/nip19'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, SOME_TIME, type AnnouncementExtra } from './builders.ts'
import { alice, smallRepository } from './scenes.ts'

/** A service that nobody runs. */
export const SERVICE = 'wss://grasp.example.com'

/** An announcement of `d` with one clone URL and one relay. */
export function listing(d: string, clone: string, relay: string, extra: AnnouncementExtra = {}): NostrEvent {
  return announcement(alice, d, { createdAt: SOME_TIME + d.length, clone: [clone], relays: [relay], ...extra })
}

/** A repository whose announcement names the service as GRASP-01 wants it. */
export function listedRepository(service = SERVICE) {
  const clone = [`${service.replace(/^ws/, 'http')}/${npubEncode(alice.pubkey)}/hello.git`]
  return smallRepository({ clone, relays: [service] })
}
