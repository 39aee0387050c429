import { describe, expect, it } from 'vitest'
import {
  decodePublicKey,
  decodeRepository,
  encodeEventId,
  encodePublicKey,
  encodeRepository,
} from '../../src/nostr/nip19.ts'

/** From the examples of NIP-19. */
const HEX = '3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d'
const NPROFILE =
  'nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7mgpz4mhxue69uhkg6nzv9ejuumpv34kytnrdaksjlyr9p'

describe('public keys', () => {
  it('come from npub, nprofile and hex of either case', () => {
    for (const text of [HEX, HEX.toUpperCase(), encodePublicKey(HEX), NPROFILE]) expect(decodePublicKey(text)).toBe(HEX)
  })

  it('are undefined for anything else', () => {
    for (const text of ['', 'npub1', HEX.slice(1), encodeEventId(HEX), `${encodePublicKey(HEX)}x`]) {
      expect(decodePublicKey(text)).toBeUndefined()
    }
  })
})

describe('repositories', () => {
  it('come back as they were encoded', () => {
    const address = { kind: 30617, pubkey: HEX, d: 'a:b/ü' }
    expect(decodeRepository(encodeRepository(address))).toEqual(address)
    expect(decodeRepository(encodePublicKey(HEX))).toBeUndefined()
  })
})

describe('encodeEventId', () => {
  it('makes an nevent, and leaves alone what is no id', () => {
    expect(encodeEventId(HEX)).toMatch(/^nevent1[a-z0-9]{61}$/)
    expect(encodeEventId('not an id')).toBe('not an id')
  })
})
