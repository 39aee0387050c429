import { computeEventId, isHex32, type NostrEvent } from './event.ts'

/** Bytes per event in the output of `packSigned`: id, public key and signature. */
export const SIGNED_BYTES = 32 + 32 + 64

const SIGNATURE = /^[0-9a-f]{128}$/
const LONE_SURROGATE = /\p{Cs}/u

/**
 * Whether `id` is 32 bytes of lower-case hex and the hash of the other fields (NIP-01). Text with half a surrogate pair
 * has no UTF-8 form and so no hash; strict relays cannot even read such events.
 */
export function hasRightId(event: NostrEvent): boolean {
  return isHex32(event.id) && !hasLoneSurrogate(event) && computeEventId(event) === event.id
}

/** Whether `pubkey` and `sig` are lower-case hex of the right length. Does not check the signature. */
export function hasSignatureShape(event: NostrEvent): boolean {
  return isHex32(event.pubkey) && SIGNATURE.test(event.sig)
}

function hasLoneSurrogate({ content, tags }: NostrEvent): boolean {
  return LONE_SURROGATE.test(content) || tags.some((tag) => tag.some((part) => LONE_SURROGATE.test(part)))
}

/**
 * Packs ids, public keys and signatures into one buffer, `SIGNED_BYTES` per event. The events must pass `hasRightId`
 * and `hasSignatureShape`.
 */
export function packSigned(events: readonly NostrEvent[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(events.length * SIGNED_BYTES)
  events.forEach(({ id, pubkey, sig }, i) => packed.set(Buffer.from(id + pubkey + sig, 'hex'), i * SIGNED_BYTES))
  return packed
}
