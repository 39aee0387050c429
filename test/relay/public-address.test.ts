import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { normalizeRelayUrl } from '../../src/nostr/host.ts'
import { classifyAddress, classifyHost, literalAddress } from '../../src/relay/socket/public-address.ts'

/** The class of the host of a URL as a stranger wrote it. */
function classOf(url: string): string {
  const normalized = normalizeRelayUrl(url)
  return normalized === undefined ? 'no URL' : classifyHost(new URL(normalized).hostname)
}

function mappedForms(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  return [`::ffff:${address}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`, `64:ff9b::${address}`, `64:ff9b::${hex}`]
}

describe('classifyAddress', () => {
  it.each([
    ['127.0.0.1', 'private'],
    ['127.255.255.255', 'private'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['::1', 'private'],
    ['fc00::1', 'private'],
    ['fdff:ffff::1', 'private'],
    ['0.0.0.0', 'special'],
    ['0.1.2.3', 'special'],
    ['169.254.169.254', 'special'],
    ['192.0.0.8', 'special'],
    ['192.0.2.1', 'special'],
    ['192.88.99.1', 'special'],
    ['198.18.0.1', 'special'],
    ['198.19.255.255', 'special'],
    ['198.51.100.7', 'special'],
    ['203.0.113.7', 'special'],
    ['224.0.0.1', 'special'],
    ['239.255.255.255', 'special'],
    ['240.0.0.1', 'special'],
    ['255.255.255.255', 'special'],
    ['::', 'special'],
    ['::7f00:1', 'special'],
    ['::127.0.0.1', 'special'],
    ['::ffff:0:127.0.0.1', 'special'],
    ['fe80::1', 'special'],
    ['fe80::1%eth0', 'special'],
    ['fec0::1', 'special'],
    ['ff02::1', 'special'],
    ['100::1', 'special'],
    ['64:ff9b:1::1', 'special'],
    ['2001::1', 'special'],
    ['2001:db8::1', 'special'],
    ['2002:7f00:1::', 'special'],
    ['3fff::1', 'special'],
    ['4000::1', 'special'],
    ['localhost', 'special'],
    ['', 'special'],
    ['1.1.1.1', 'public'],
    ['9.255.255.255', 'public'],
    ['11.0.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['192.167.255.255', 'public'],
    ['192.169.0.0', 'public'],
    ['223.255.255.255', 'public'],
    ['2606:4700::1111', 'public'],
    ['2a01:4f8::1', 'public'],
  ])('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected)
  })

  it.each([
    '0.0.0.0',
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '8.8.8.8',
    '224.0.0.1',
    '0.0.0.1',
    '255.255.255.255',
  ])('sees %s inside an IPv6 address that leads to it', (address) => {
    for (const form of mappedForms(address)) expect(classifyAddress(form), form).toBe(classifyAddress(address))
  })

  it('gives every IPv4 address one class, however it is carried', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const expected = classifyAddress(address)
        return mappedForms(address).every((form) => classifyAddress(form) === expected)
      }),
    )
  })

  it('calls no IPv6 address public that lies outside of 2000::/3 and carries no IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const written = new URL(`http://[${address}]`).hostname.slice(1, -1)
        const isCarrier = /^(::ffff:|64:ff9b::)/.test(written)
        return isCarrier || /^[23]/.test(written) || classifyAddress(address) !== 'public'
      }),
    )
  })
})

describe('classifyHost', () => {
  it.each([
    'ws://127.0.0.1',
    'ws://127.1',
    'ws://0x7f.1',
    'ws://0177.0.0.1',
    'ws://2130706433',
    'ws://0x7f000001',
    'ws://127.0.0.1.',
    'ws://１２７.０.０.１',
    'ws://127。0。0。1',
    'ws://[::1]',
    'ws://[0:0:0:0:0:0:0:1]',
    'ws://[::ffff:127.0.0.1]',
    'ws://[::ffff:7f00:1]',
    'ws://[64:ff9b::7f00:1]',
    'ws://user@127.0.0.1',
    'ws://relay.example.org@127.0.0.1',
    'ws://localhost',
    'WS://LOCALHOST.',
    'ws://ⓛocalhost',
    'ws://lo\u00adcalhost',
    'ws://relay.localhost',
    'wss://printer.local',
    'wss://printer.local.',
    'wss://metadata.google.internal',
    'wss://nas.home.arpa',
    'wss://router.lan',
    'wss://intranet',
  ])('%s is private', (url) => {
    expect(classOf(url)).toBe('private')
  })

  it.each(['ws://0', 'ws://0.0.0.0', 'ws://[::]', 'ws://169.254.169.254', 'ws://0xa9fea9fe', 'wss://relay.test'])(
    '%s is special',
    (url) => {
      expect(classOf(url)).toBe('special')
    },
  )

  it.each(['ws://abcdef.onion', 'ws://ABCDEF.ONION.', 'ws://sub.abcdef.onion', 'ws://relay.i2p'])(
    '%s is hidden',
    (url) => {
      expect(classOf(url)).toBe('hidden')
    },
  )

  it.each([
    'wss://relay.damus.io',
    'wss://localhost.example.org',
    'wss://onion.org',
    'ws://1.1.1.1',
    'wss://[2606:4700::1]',
  ])('%s may be public', (url) => {
    expect(classOf(url)).toBe('public')
  })

  it('sees through every way in which a URL may write an IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV4Extended(), (text) => {
        const normalized = normalizeRelayUrl(`ws://${text}`)
        const literal = normalized === undefined ? undefined : literalAddress(new URL(normalized).hostname)
        return (
          normalized === undefined ||
          (literal !== undefined && isIPv4(literal) && classOf(`ws://${text}`) === classifyAddress(literal))
        )
      }),
    )
  })
})
