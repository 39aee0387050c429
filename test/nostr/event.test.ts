import { readFileSync } from 'node:fs'
import { getEventHash } from 'nostr-tools/pure'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeEventId, expirationOf, isHex32, isProtected, parseEvent, tagValues } from '../../src/nostr/event.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const EVENT = signEvent(keyOf('alice'), {
  kind: 1621,
  created_at: 1_750_000_000,
  tags: [['t', 'bug'], ['subject', 'it breaks', 'more'], []],
  content: 'text',
})

function tagged(...tags: string[][]) {
  return { ...EVENT, tags }
}

describe('isHex32', () => {
  it.each([
    ['a'.repeat(64), true],
    ['0123456789abcdef'.repeat(4), true],
    ['A'.repeat(64), false],
    ['a'.repeat(63), false],
    ['a'.repeat(65), false],
    ['g'.repeat(64), false],
    [`${'a'.repeat(64)}\n`, false],
    ['', false],
    [undefined, false],
    [['a'.repeat(64)], false],
  ])('of %j is %s', (text, expected) => expect(isHex32(text)).toBe(expected))
})

describe('parseEvent', () => {
  it('takes every line of the fixture', () => {
    const lines = readFileSync(new URL('../../src/demo/events/nip34.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    expect(lines.map((line) => parseEvent(JSON.parse(line)))).toEqual(lines.map((line) => JSON.parse(line) as unknown))
  })

  it('keeps the seven fields of NIP-01 and drops all others', () => {
    expect(parseEvent({ ...EVENT, seen_on: ['wss://relay.example'], toString: 'x' })).toEqual(EVENT)
  })

  it.each([
    ['null', null],
    ['a text', JSON.stringify(EVENT)],
    ['an array', [EVENT]],
    ['an upper-case id', { ...EVENT, id: EVENT.id.toUpperCase() }],
    ['a truncated id', { ...EVENT, id: EVENT.id.slice(1) }],
    ['no id', { ...EVENT, id: undefined }],
    ['an upper-case public key', { ...EVENT, pubkey: EVENT.pubkey.toUpperCase() }],
    [
      'an npub for a public key',
      { ...EVENT, pubkey: 'npub1w0rthyjyp2f5gful0gm2500pwyxfrx93a85289xdz0sd6hyef33sh2cu4x' },
    ],
    ['an empty signature', { ...EVENT, sig: '' }],
    ['an upper-case signature', { ...EVENT, sig: EVENT.sig.toUpperCase() }],
    ['a number for a signature', { ...EVENT, sig: 1 }],
    ['a kind above 65535', { ...EVENT, kind: 65_536 }],
    ['a negative kind', { ...EVENT, kind: -1 }],
    ['a broken kind', { ...EVENT, kind: 1.5 }],
    ['a kind in quotes', { ...EVENT, kind: '1' }],
    ['a negative time', { ...EVENT, created_at: -1 }],
    ['milliseconds with a fraction', { ...EVENT, created_at: 1_750_000_000.5 }],
    ['a time beyond safe integers', { ...EVENT, created_at: 2 ** 53 }],
    ['an infinite time', { ...EVENT, created_at: Infinity }],
    ['no content', { ...EVENT, content: null }],
    ['no tags', { ...EVENT, tags: undefined }],
    ['an object for tags', { ...EVENT, tags: {} }],
    ['a text for a tag', { ...EVENT, tags: ['t'] }],
    ['a number in a tag', { ...EVENT, tags: [['t', 1]] }],
    ['a null in a tag', { ...EVENT, tags: [['t', null]] }],
  ])('refuses %s', (_what, value) => expect(parseEvent(value)).toBeUndefined())

  it.each([
    ['the largest kind', { ...EVENT, kind: 65_535 }],
    ['time zero', { ...EVENT, created_at: 0 }],
    ['no tags at all', { ...EVENT, tags: [] }],
    ['empty content', { ...EVENT, content: '' }],
  ])('takes %s', (_what, event) => expect(parseEvent(event)).toEqual(event))

  it('never throws and never lets through what is no event', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) => {
        expect(parseEvent(value)).toBeUndefined()
      }),
    )
  })
})

describe('computeEventId', () => {
  it('is the id of every real event', () => {
    for (const event of realEvents()) expect(computeEventId(event)).toBe(event.id)
  })

  it('is the hash that nostr-tools computes, whatever the strings hold', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, fc.array(fc.array(text)), fc.nat(65_535), fc.nat(), (content, tags, kind, created_at) => {
        const event = { ...EVENT, content, tags, kind, created_at }
        expect(computeEventId(event)).toBe(getEventHash(event))
      }),
    )
  })

  it('does not depend on the order of the fields or on fields that are not signed', () => {
    const reversed = Object.fromEntries(Object.entries({ ...EVENT, extra: 1 }).reverse())
    expect(computeEventId({ ...EVENT, ...reversed })).toBe(EVENT.id)
  })

  it('does not throw on lone surrogates', () => {
    expect(computeEventId({ ...EVENT, content: '\ud800' })).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('tagValues', () => {
  it('gives the second element of every tag with the name, in order', () => {
    expect(tagValues(tagged(['e', 'a', 'wss://x'], ['E', 'b'], ['e'], [], ['e', ''], ['e', 'c']), 'e')).toEqual([
      'a',
      '',
      'c',
    ])
  })
})

describe('expirationOf', () => {
  it.each([
    [[['expiration', '1750000000']], 1_750_000_000],
    [[['expiration', '0']], 0],
    [
      [
        ['expiration', '1'],
        ['expiration', '2'],
      ],
      1,
    ],
    [[['expiration']], undefined],
    [[['expiration', '']], undefined],
    [[['expiration', '-1']], undefined],
    [[['expiration', '1.5']], undefined],
    [[['expiration', '1e9']], undefined],
    [[['expiration', 'tomorrow']], undefined],
    [[['expiration', '9'.repeat(16)]], undefined],
    [[], undefined],
  ])('of %j is %s', (tags, expected) => expect(expirationOf(tagged(...tags))).toBe(expected))
})

describe('isProtected', () => {
  it.each([
    [[['-']], true],
    [
      [
        ['t', 'x'],
        ['-', 'more'],
      ],
      true,
    ],
    [[['t', '-']], false],
    [[['--']], false],
    [[[]], false],
    [[], false],
  ])('of %j is %s', (tags, expected) => expect(isProtected(tagged(...tags))).toBe(expected))
})
