import { encrypt } from 'nostr-tools/nip49'
import { nsecEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { encodePublicKey } from '../../src/nostr/nip19.ts'
import { decryptSecretKey, parseSecretKey } from '../../src/nostr/secret-key.ts'
import { keyOf } from '../support/sign.ts'

const { secret, pubkey } = keyOf('somebody')
const HEX = Buffer.from(secret).toString('hex')
const NSEC = nsecEncode(secret)
// The cheapest scrypt: 2^1.
const NCRYPTSEC = encrypt(secret, 'pässword', 1)

describe('parseSecretKey', () => {
  it.each([
    ['nsec', NSEC],
    ['nsec in capitals', NSEC.toUpperCase()],
    ['nostr: URI', `nostr:${NSEC}`],
    ['hex', HEX],
    ['hex in capitals', HEX.toUpperCase()],
    ['with blanks around it', `  ${NSEC}\n`],
  ])('takes a key as %s', (_, text) => {
    expect(parseSecretKey(text)).toEqual({ type: 'key', key: Uint8Array.from(secret) })
  })

  it('leaves an encrypted key for its password', () => {
    expect(parseSecretKey(NCRYPTSEC)).toEqual({ type: 'encrypted', ncryptsec: NCRYPTSEC })
  })

  it('knows a public key as such', () => expect(parseSecretKey(encodePublicKey(pubkey))).toEqual({ type: 'public' }))

  it.each([
    ['nothing', ''],
    ['a word', 'secret'],
    ['an nsec with a wrong letter', NSEC.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
    ['zero', '0'.repeat(64)],
    ['more than the order of the curve', 'f'.repeat(64)],
    ['63 digits', HEX.slice(1)],
  ])('refuses %s', (_, text) => expect(parseSecretKey(text)).toEqual({ type: 'wrong' }))
})

describe('decryptSecretKey', () => {
  it('returns the key for the right password, however its letters are composed', () => {
    expect(decryptSecretKey(NCRYPTSEC, 'pässword'.normalize('NFD'))).toEqual(Uint8Array.from(secret))
  })

  it.each([
    ['a wrong password', NCRYPTSEC, 'wrong'],
    ['a damaged text', NCRYPTSEC.slice(0, -4), 'pässword'],
  ])('returns nothing for %s', (_, text, password) => expect(decryptSecretKey(text, password)).toBeUndefined())
})
