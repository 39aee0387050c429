import { addressOf, formatAddress, parseAddress } from './address.ts'
import { isHex32, tagValues, type NostrEvent } from './event.ts'
import { KIND } from './kinds.ts'

/**
 * The events that an event depends on: addresses of repositories, and ids of roots and of events that it replies to.
 */
export type References = { readonly addresses: readonly string[]; readonly ids: readonly string[] }

/** In the order in which parents count; a `q` may name either sort. */
const REFERRING = ['a', 'A', 'e', 'E', 'q']

/** The parents of an event (NIP-10, NIP-22, NIP-34). A relay may refuse the event while it holds none of them. */
export function referencesOf(event: NostrEvent): References {
  const addresses = new Set<string>()
  const ids = new Set<string>()
  for (const name of REFERRING) {
    for (const value of tagValues(event, name)) {
      if (name !== 'e' && name !== 'E' && isRepository(value)) addresses.add(value)
      if (name !== 'a' && name !== 'A' && isHex32(value)) ids.add(value)
    }
  }
  if (event.kind === KIND.state) addresses.add(announcementOfState(event))
  return { addresses: [...addresses], ids: [...ids] }
}

function isRepository(text: string): boolean {
  return parseAddress(text)?.kind === KIND.announcement
}

function announcementOfState(event: NostrEvent): string {
  const d = parseAddress(addressOf(event) ?? '')?.d ?? ''
  return formatAddress({ kind: KIND.announcement, pubkey: event.pubkey, d })
}

/** The same as one list; the relay must hold at least one of them. */
export function parentsOf(event: NostrEvent): readonly string[] {
  const { addresses, ids } = referencesOf(event)
  return [...addresses, ...ids]
}
