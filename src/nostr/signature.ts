import { verifySchnorr } from 'tiny-secp256k1'
import type { NostrEvent } from './event.ts'
import { hasRightId, hasSignatureShape, packSigned, SIGNED_BYTES } from './signed.ts'

/** What the check of an event's id and signature says. */
export type Verdict = 'valid' | 'wrong id' | 'wrong signature'

/** The verdict on one event, computed on this thread: about 0.25 ms. Never throws, whatever the fields hold. */
export function verifyEvent(event: NostrEvent): Verdict {
  if (!hasRightId(event)) return 'wrong id'
  if (!hasSignatureShape(event)) return 'wrong signature'
  return verifySigned(packSigned([event]))[0] === 1 ? 'valid' : 'wrong signature'
}

/** One byte for each event of a row by `packSigned`: 1 when the signature is right, 0 when it is not. */
export function verifySigned(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: packed.length / SIGNED_BYTES }, (_, i) =>
    isRightSignature(packed.subarray(i * SIGNED_BYTES, (i + 1) * SIGNED_BYTES)) ? 1 : 0,
  )
}

function isRightSignature(signed: Uint8Array): boolean {
  try {
    return verifySchnorr(signed.subarray(0, 32), signed.subarray(32, 64), signed.subarray(64))
  } catch {
    // The library throws for numbers out of range and for a public key that is no point: no signature either.
    return false
  }
}
