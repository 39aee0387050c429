import { addressOf, formatAddress, parseAddress } from './address.ts'
import { isHex32, tagValues, type NostrEvent } from './event.ts'
import { KIND } from './kinds.ts'

/**
 * The events that an event depends on: addresses of repositories, and ids of roots and of events that it replies to.
 */
export type References = { readonly addresses: readonly string[]; readonly ids: readonly string[] }

/** The parents of an event (NIP-10, NIP-22, NIP-34). A relay may refuse the event while it holds none of them. */
export function referencesOf(event: NostrEvent): References {
  const addresses = ['a', 'A', 'q'].flatMap((name) => tagValues(event, name)).filter(isRepository)
  const ids = ['e', 'E', 'q'].flatMap((name) => tagValues(event, name)).filter(isHex32)
  return { addresses: [...new Set([...addresses, ...announcementOfState(event)])], ids: [...new Set(ids)] }
}

function isRepository(text: string): boolean {
  return parseAddress(text)?.kind === KIND.announcement
}

function announcementOfState(event: NostrEvent): string[] {
  if (event.kind !== KIND.state) return []
  const d = parseAddress(addressOf(event) ?? '')?.d ?? ''
  return [formatAddress({ kind: KIND.announcement, pubkey: event.pubkey, d })]
}

/** The same as one list; the relay must hold at least one of them. */
export function parentsOf(event: NostrEvent): readonly string[] {
  const { addresses, ids } = referencesOf(event)
  return [...addresses, ...ids]
}
