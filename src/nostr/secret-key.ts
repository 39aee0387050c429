import { decode } from 'nostr-tools/nip19'
import { decrypt } from 'nostr-tools/nip49'
import { getPublicKey } from 'nostr-tools/pure'
import { isHex32 } from './event.ts'

/** The result of parsing a secret key. */
export type GivenKey =
  | { readonly type: 'key'; readonly key: Uint8Array }
  /** NIP-49: needs a password. */
  | { readonly type: 'encrypted'; readonly ncryptsec: string }
  | { readonly type: 'public' }
  | { readonly type: 'wrong' }

/** Reads an `nsec1…`, 64 hex digits or an `ncryptsec1…`. */
export function parseSecretKey(text: string): GivenKey {
  const word = text
    .trim()
    .replace(/^nostr:/i, '')
    .toLowerCase()
  if (word.startsWith('ncryptsec1')) return { type: 'encrypted', ncryptsec: word }
  if (word.startsWith('npub1') || word.startsWith('nprofile1')) return { type: 'public' }
  const key = isHex32(word) ? Uint8Array.from(Buffer.from(word, 'hex')) : decodeNsec(word)
  return key !== undefined && isOnCurve(key) ? { type: 'key', key } : { type: 'wrong' }
}

/**
 * Decrypts an `ncryptsec1…` (NIP-49); `undefined` when the password or the text is wrong. scrypt takes a second or
 * more.
 */
export function decryptSecretKey(ncryptsec: string, password: string): Uint8Array | undefined {
  try {
    const key = decrypt(ncryptsec, password)
    return isOnCurve(key) ? key : undefined
  } catch {
    return undefined // the library's message may contain part of the secret
  }
}

function decodeNsec(word: string): Uint8Array | undefined {
  try {
    const decoded = decode(word)
    return decoded.type === 'nsec' ? decoded.data : undefined
  } catch {
    return undefined // the library's message may contain part of the secret
  }
}

/** Zero and numbers beyond the order of the curve are not keys. */
function isOnCurve(key: Uint8Array): boolean {
  try {
    getPublicKey(key)
    return true
  } catch {
    return false
  }
}
