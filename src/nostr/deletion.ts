import { parseAddress } from './address.ts'
import { isHex32, tagValues, type NostrEvent } from './event.ts'

/** What a deletion (kind 5, NIP-09) names: ids, and addresses of its own author. */
export type Deletion = { readonly ids: readonly string[]; readonly addresses: readonly string[] }

/** What the deletion names. Addresses of other authors stand in `foreignAddresses`: nobody deletes for another. */
export function readDeletion(event: NostrEvent): Deletion & { readonly foreignAddresses: readonly string[] } {
  const addresses = tagValues(event, 'a').filter((address) => parseAddress(address) !== undefined)
  const isOwn = (address: string): boolean => parseAddress(address)?.pubkey === event.pubkey
  return {
    ids: tagValues(event, 'e').filter(isHex32),
    addresses: addresses.filter(isOwn),
    foreignAddresses: addresses.filter((address) => !isOwn(address)),
  }
}
