import { createRequire } from 'node:module'
import type * as Nip19 from 'nostr-tools/nip19'
import type { Address } from './address.ts'
import { isHex32 } from './event.ts'

const require = createRequire(import.meta.url)

/** The event id as `nevent1…` (NIP-19); the text itself when it is not 32 bytes in lower-case hex. */
export function encodeEventId(id: string): string {
  return isHex32(id) ? load().neventEncode({ id }) : id
}

/** The public key as `npub1…` (NIP-19); the text itself when it is not 32 bytes in lower-case hex. */
export function encodePublicKey(pubkey: string): string {
  return isHex32(pubkey) ? load().npubEncode(pubkey) : pubkey
}

/** The address as `naddr1…` (NIP-19), without relay hints. */
export function encodeRepository({ kind, pubkey, d }: Address): string {
  return load().naddrEncode({ kind, pubkey, identifier: d })
}

/** The event id in hex from a `nevent1…` or `note1…`; `undefined` otherwise. */
export function decodeEventId(text: string): string | undefined {
  const decoded = decodeOrUndefined(text)
  if (decoded?.type === 'note') return decoded.data
  return decoded?.type === 'nevent' ? decoded.data.id : undefined
}

/** The public key in lower-case hex from an `npub1…`, an `nprofile1…` or hex of either case; `undefined` otherwise. */
export function decodePublicKey(text: string): string | undefined {
  const hex = text.toLowerCase()
  if (isHex32(hex)) return hex
  const decoded = decodeOrUndefined(text)
  if (decoded?.type === 'npub') return decoded.data
  return decoded?.type === 'nprofile' ? decoded.data.pubkey : undefined
}

/** The address, of any kind, in an `naddr1…` without its relay hints; `undefined` when the text is not an `naddr`. */
export function decodeRepository(text: string): Address | undefined {
  const decoded = decodeOrUndefined(text)
  if (decoded?.type !== 'naddr') return undefined
  const { kind, pubkey, identifier } = decoded.data
  return { kind, pubkey, d: identifier }
}

/** `decode` throws on anything that is not NIP-19; callers want `undefined` instead. */
function decodeOrUndefined(text: string): ReturnType<typeof Nip19.decode> | undefined {
  try {
    return load().decode(text)
  } catch {
    return undefined
  }
}

/** Loaded at its first use, because most command lines and reports have no such name. */
function load(): typeof Nip19 {
  return require('nostr-tools/nip19') as typeof Nip19
}
