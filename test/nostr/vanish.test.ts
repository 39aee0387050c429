import { describe, expect, it } from 'vitest'

import { relayNames, vanishesUntil } from '../../src/nostr/vanish.ts'
import { deletion, vanishRequest } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'

const alice = keyOf('alice')
const NAMES = relayNames('ws://127.0.0.1:7443', 'https://git.example.org/grasp')

function isMeant(...relays: readonly string[]): boolean {
  return vanishesUntil(vanishRequest(relays, alice), NAMES) !== undefined
}

describe('a request to vanish', () => {
  it.each([
    'ALL_RELAYS',
    'ws://127.0.0.1:7443',
    'ws://127.0.0.1:7443/',
    'wss://git.example.org/grasp',
    'wss://git.example.org/grasp/',
    'ws://git.example.org/grasp',
    'http://git.example.org/grasp',
    'https://git.example.org:443/grasp',
    'WSS://GIT.Example.org./grasp',
  ])('means the relay with %s', (relay) => expect(isMeant(relay)).toBe(true))

  it.each([
    'all_relays',
    'ALL_RELAYS ',
    'wss://git.example.org',
    'wss://git.example.org/graspx',
    'wss://git.example.org/GRASP',
    'wss://git.example.org:8443/grasp',
    'wss://other.example.org/grasp',
    'git.example.org/grasp',
    'ftp://git.example.org/grasp',
    '',
  ])('does not mean it with %j', (relay) => expect(isMeant(relay)).toBe(false))

  it('means it when any of its tags does', () => expect(isMeant('wss://other.example', 'ALL_RELAYS')).toBe(true))

  it('without a relay means nobody', () => expect(isMeant()).toBe(false))

  it('holds up to its own time', () => {
    expect(vanishesUntil(vanishRequest(['ALL_RELAYS'], alice, { createdAt: 1_234 }), NAMES)).toBe(1_234)
  })

  it('is of kind 62: no other kind is one', () => {
    const tags = [['relay', 'ALL_RELAYS']]
    expect(vanishesUntil(deletion({}, alice, { tags }), NAMES)).toBeUndefined()
  })

  it('to all relays means one of which no URL is known', () => {
    expect(vanishesUntil(vanishRequest(['ALL_RELAYS'], alice), relayNames('a file', undefined))).toBeDefined()
  })
})
