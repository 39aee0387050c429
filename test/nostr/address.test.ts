import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, formatAddress, isNewerVersion, parseAddress } from '../../src/nostr/address.ts'
import { keyOf, signEvent } from '../support/sign.ts'

const ALICE = keyOf('alice')
const PUBKEY = ALICE.pubkey

describe('parseAddress', () => {
  it.each([
    'ngit',
    '',
    'a:b',
    ':',
    'a/b',
    'two words',
    ' ',
    '🦄',
    'naïve',
    'line\nbreak',
    '30617:x:y',
    '%2F',
    '\ud800',
  ])('reads the identifier %j as it is', (d) =>
    expect(parseAddress(`30617:${PUBKEY}:${d}`)).toEqual({ kind: 30617, pubkey: PUBKEY, d }),
  )

  it.each([
    ['nothing', ''],
    ['no identifier part', `30617:${PUBKEY}`],
    ['no kind', `:${PUBKEY}:d`],
    ['a kind in words', `repo:${PUBKEY}:d`],
    ['a kind above 65535', `65536:${PUBKEY}:d`],
    ['a kind with leading zeros', `030617:${PUBKEY}:d`],
    ['another kind with leading zeros', `05:${PUBKEY}:d`],
    ['a signed kind', `+30617:${PUBKEY}:d`],
    ['a blank before the kind', ` 30617:${PUBKEY}:d`],
    ['an upper-case public key', `30617:${PUBKEY.toUpperCase()}:d`],
    ['a truncated public key', `30617:${PUBKEY.slice(1)}:d`],
    ['an npub', '30617:npub1w0rthyjyp2f5gful0gm2500pwyxfrx93a85289xdz0sd6hyef33sh2cu4x:d'],
  ])('refuses %s', (_what, text) => expect(parseAddress(text)).toBeUndefined())

  it.each([0, 3, 10_317, 65_535])('takes kind %i', (kind) => {
    expect(parseAddress(`${kind}:${PUBKEY}:`)).toEqual({ kind, pubkey: PUBKEY, d: '' })
  })

  it('gives back what formatAddress wrote, and the other way round', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.string({ unit: 'binary' }), (kind, d) => {
        const address = { kind, pubkey: PUBKEY, d }
        expect(parseAddress(formatAddress(address))).toEqual(address)
      }),
    )
    fc.assert(
      fc.property(fc.stringMatching(/^\d{1,6}$/), fc.string(), (digits, d) => {
        const address = parseAddress(`${digits}:${PUBKEY}:${d}`)
        if (address !== undefined) expect(formatAddress(address)).toBe(`${digits}:${PUBKEY}:${d}`)
      }),
    )
  })
})

describe('addressOf', () => {
  const addressOfKind = (kind: number, tags: string[][] = []) =>
    addressOf(signEvent(ALICE, { kind, created_at: 1, tags, content: '' }))

  it.each([
    [30_617, [['d', 'ngit']], `30617:${PUBKEY}:ngit`],
    [
      30_617,
      [
        ['d', 'a:b', 'x'],
        ['d', 'c'],
      ],
      `30617:${PUBKEY}:a:b`,
    ],
    [30_618, [], `30618:${PUBKEY}:`],
    [30_000, [['d']], `30000:${PUBKEY}:`],
    [39_999, [['d', '']], `39999:${PUBKEY}:`],
    [10_317, [['d', 'ignored']], `10317:${PUBKEY}:`],
    [0, [], `0:${PUBKEY}:`],
    [3, [], `3:${PUBKEY}:`],
    [19_999, [], `19999:${PUBKEY}:`],
    [1, [['d', 'x']], undefined],
    [5, [], undefined],
    [1621, [], undefined],
    [20_000, [], undefined],
    [29_999, [], undefined],
    [40_000, [['d', 'x']], undefined],
  ])('of kind %i with %j is %s', (kind, tags, expected) => expect(addressOfKind(kind, tags)).toBe(expected))
})

describe('isNewerVersion', () => {
  it.each([
    ['newer', { created_at: 2, id: 'b' }, { created_at: 1, id: 'a' }, true],
    ['older', { created_at: 1, id: 'a' }, { created_at: 2, id: 'b' }, false],
    ['as old with the lower id', { created_at: 1, id: 'a' }, { created_at: 1, id: 'b' }, true],
    ['as old with the higher id', { created_at: 1, id: 'b' }, { created_at: 1, id: 'a' }, false],
    ['the same', { created_at: 1, id: 'a' }, { created_at: 1, id: 'a' }, false],
  ])('knows by %s whether %j is newer than %j: %s', (_what, a, b, expected) =>
    expect(isNewerVersion(a, b)).toBe(expected),
  )
})
