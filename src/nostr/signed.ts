import { computeEventId, isHex32, type NostrEvent } from './event.ts'

/** The bytes of one event in a row of `packSigned`: id, public key and signature. */
export const SIGNED_BYTES = 32 + 32 + 64

const SIGNATURE = /^[0-9a-f]{128}$/
const LONE_SURROGATE = /\p{Cs}/u

/**
 * Whether `id` is 32 bytes of lower-case hex and the hash of the other fields (NIP-01). Text with half of a surrogate
 * pair has no UTF-8 and so no hash: what one program calls its id, strict relays cannot even read.
 */
export function hasRightId(event: NostrEvent): boolean {
  return isHex32(event.id) && !hasLoneSurrogate(event) && computeEventId(event) === event.id
}

/** Whether `pubkey` and `sig` are lower-case hex of the right length; says nothing of their mathematics. */
export function hasSignatureShape(event: NostrEvent): boolean {
  return isHex32(event.pubkey) && SIGNATURE.test(event.sig)
}

function hasLoneSurrogate({ content, tags }: NostrEvent): boolean {
  return LONE_SURROGATE.test(content) || tags.some((tag) => tag.some((part) => LONE_SURROGATE.test(part)))
}

/**
 * Ids, public keys and signatures in one row of bytes, `SIGNED_BYTES` an event; only for events with `hasRightId` and
 * `hasSignatureShape`.
 */
export function packSigned(events: readonly NostrEvent[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(events.length * SIGNED_BYTES)
  events.forEach(({ id, pubkey, sig }, i) => packed.set(Buffer.from(id + pubkey + sig, 'hex'), i * SIGNED_BYTES))
  return packed
}
