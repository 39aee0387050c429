import { createHash } from 'node:crypto'

import { signSchnorr, verifySchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1'

import type { NostrEvent } from '../../src/nostr/event.ts'

/** A key pair of a test; `pubkey` is the x-only public key in hex. */
export type Key = { readonly secret: Uint8Array; readonly pubkey: string }

/** What of an event its author chooses. */
export type Draft = {
  readonly kind: number
  readonly created_at: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
}

const keys = new Map<string, Key>()

/** The key of a name, the same in every run: its secret is SHA-256 of the name. */
export function keyOf(name: string): Key {
  const known = keys.get(name)
  if (known !== undefined) return known
  const secret = sha256(name)
  const key = { secret, pubkey: Buffer.from(xOnlyPointFromScalar(secret)).toString('hex') }
  keys.set(name, key)
  return key
}

/** The draft with public key, id and signature. The same draft always gives the same bytes: no random nonce is used. */
export function signEvent(key: Key, draft: Draft): NostrEvent {
  const { kind, created_at, tags, content } = draft
  const hash = sha256(JSON.stringify([0, key.pubkey, created_at, kind, tags, content]))
  const sig = Buffer.from(signSchnorr(hash, key.secret)).toString('hex')
  return { id: hash.toString('hex'), pubkey: key.pubkey, created_at, kind, tags, content, sig }
}

/** The id that belongs to the content (NIP-01). */
export function idOf({ pubkey, created_at, kind, tags, content }: NostrEvent): string {
  return sha256(JSON.stringify([0, pubkey, created_at, kind, tags, content])).toString('hex')
}

/** Whether id and signature are those of the content; independent of `src`. */
export function isSigned(event: NostrEvent): boolean {
  const { pubkey } = event
  if (idOf(event) !== event.id || !/^[0-9a-f]{128}$/.test(event.sig)) return false
  try {
    return verifySchnorr(Buffer.from(event.id, 'hex'), Buffer.from(pubkey, 'hex'), Buffer.from(event.sig, 'hex'))
  } catch {
    // tiny-secp256k1 throws for a public key that is not on the curve.
    return false
  }
}

/** A copy whose content differs but whose id and signature are the original's: what rule 4 is about. */
export function forge(event: NostrEvent, content = 'forged'): NostrEvent {
  return { ...event, content }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
