import { parseAddress } from './address.ts'
import { isHex32, tagValues, type NostrEvent } from './event.ts'

/** The targets of a deletion (kind 5, NIP-09): ids, and addresses of its author. */
export type Deletion = { readonly ids: readonly string[]; readonly addresses: readonly string[] }

/** Parses a deletion. Addresses of other authors go to `foreignAddresses`: nobody can delete for someone else. */
export function readDeletion(event: NostrEvent): Deletion & { readonly foreignAddresses: readonly string[] } {
  const addresses = tagValues(event, 'a').filter((address) => parseAddress(address) !== undefined)
  const isOwn = (address: string): boolean => parseAddress(address)?.pubkey === event.pubkey
  return {
    ids: tagValues(event, 'e').filter(isHex32),
    addresses: addresses.filter(isOwn),
    foreignAddresses: addresses.filter((address) => !isOwn(address)),
  }
}
