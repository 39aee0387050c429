import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostAndPort, normalizeRelayUrl, parseUrl, relayWithoutQuery, withoutTrailing } from '../../src/nostr/host.ts'

describe('normalizeRelayUrl', () => {
  it.each([
    ['wss://relay.example', 'wss://relay.example'],
    ['wss://relay.example/', 'wss://relay.example'],
    ['wss://Relay.Example/', 'wss://relay.example'],
    ['WSS://RELAY.EXAMPLE', 'wss://relay.example'],
    ['  wss://relay.example\n', 'wss://relay.example'],
    ['wss://relay.example:443', 'wss://relay.example'],
    ['ws://relay.example:80/', 'ws://relay.example'],
    ['ws://relay.example:443', 'ws://relay.example:443'],
    ['wss://relay.example:80', 'wss://relay.example:80'],
    ['wss://relay.example:07777', 'wss://relay.example:7777'],
    ['wss://relay.example.', 'wss://relay.example'],
    ['wss://relay.example..', 'wss://relay.example'],
    ['wss://relay.example.:7777/nostr', 'wss://relay.example:7777/nostr'],
    ['wss://user:secret@relay.example/', 'wss://relay.example'],
    ['wss://relay.example/nostr/', 'wss://relay.example/nostr'],
    ['wss://relay.example/Nostr//', 'wss://relay.example/Nostr'],
    ['wss://relay.example/a/../b', 'wss://relay.example/b'],
    ['wss://relay.example/?key=A', 'wss://relay.example?key=A'],
    ['wss://relay.example?', 'wss://relay.example'],
    ['wss://relay.example/#part', 'wss://relay.example'],
    ['ws://127.0.0.1:7777', 'ws://127.0.0.1:7777'],
    ['ws://127.1', 'ws://127.0.0.1'],
    ['ws://[::1]:7777/', 'ws://[::1]:7777'],
    ['wss://[2001:DB8:0:0::1]:443', 'wss://[2001:db8::1]'],
    ['wss://bücher.example', 'wss://xn--bcher-kva.example'],
  ])('makes of %j %s', (text, expected) => expect(normalizeRelayUrl(text)).toBe(expected))

  it.each([
    '',
    'relay.example',
    'https://relay.example',
    'wss://',
    'wss://.',
    'wss://a b',
    'wss://relay.example:99999',
    '-',
  ])('refuses %j', (text) => expect(normalizeRelayUrl(text)).toBeUndefined())

  it('changes nothing that it normalised already', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['ws', 'wss'], withQueryParameters: true, withFragments: true }), (url) => {
        const normal = normalizeRelayUrl(url)
        expect(normal).toBeDefined()
        expect(normalizeRelayUrl(normal ?? '')).toBe(normal)
      }),
    )
  })
})

describe('hostAndPort', () => {
  it.each([
    ['wss://relay.example', 'relay.example:443'],
    ['ws://relay.example', 'relay.example:80'],
    ['https://Relay.Example/npub1/repo.git', 'relay.example:443'],
    ['http://relay.example:443/x', 'relay.example:443'],
    ['https://relay.example./x', 'relay.example:443'],
    ['https://relay.example..:8443/x', 'relay.example:8443'],
    ['https://user:secret@relay.example/x', 'relay.example:443'],
    ['https://relay.example@evil.example/x', 'evil.example:443'],
    ['https://evil.example/relay.example', 'evil.example:443'],
    ['https://evil.example#@relay.example', 'evil.example:443'],
    ['ssh://git@Relay.Example/x.git', 'relay.example:22'],
    ['ssh://git@relay.example:2222/x.git', 'relay.example:2222'],
    ['git://relay.example./x', 'relay.example:9418'],
    ['http://[::1]:8080/x', '[::1]:8080'],
    ['https://[2001:DB8::1]', '[2001:db8::1]:443'],
  ])('finds in %j %s', (text, expected) => expect(hostAndPort(text)).toBe(expected))

  it.each([
    ['nothing', ''],
    ['a host alone', 'relay.example'],
    ['host and port alone', 'relay.example:443'],
    ['an scp address', 'git@relay.example:x.git'],
    ['a path', '/srv/git/x.git'],
    ['a file URL', 'file:///srv/git/x.git'],
    ['a dot for a host', 'https://./x'],
    ['a scheme whose port is not known', 'nostr://relay.example/x'],
    ['a URL of more than 2,048 characters', `https://relay.example/${'x'.repeat(2_048)}`],
    ['a host of more than 253 characters', `https://${'a.'.repeat(130)}example/x`],
  ])('refuses %s', (_what, text) => expect(hostAndPort(text)).toBeUndefined())

  it('says of a normalised relay URL what it says of the original', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['ws', 'wss'] }), (url) => {
        expect(hostAndPort(normalizeRelayUrl(url) ?? '')).toBe(hostAndPort(url))
      }),
    )
  })
})

describe('withoutTrailing', () => {
  it.each([
    ['', ''],
    ['///', ''],
    ['/a//b///', '/a//b'],
    ['a', 'a'],
  ])('makes of %j %j', (text, expected) => expect(withoutTrailing(text, '/')).toBe(expected))

  it('takes no longer for many in the middle of the text', () => {
    const begun = performance.now()
    withoutTrailing(`${'/'.repeat(1_000_000)}x`, '/')
    expect(performance.now() - begun).toBeLessThan(500)
  })
})

describe('what a stranger writes', () => {
  it.each([
    ['dots', `wss://a${'.'.repeat(100_000)}x/`],
    ['slashes', `wss://a.example/${'/'.repeat(100_000)}x`],
  ])('takes no time however many %s it has (no false green #26)', (_what, url) => {
    const begun = performance.now()
    for (const read of [normalizeRelayUrl, hostAndPort, relayWithoutQuery]) expect(read(url)).toBeUndefined()
    expect(performance.now() - begun).toBeLessThan(500)
  })
})

describe('a host with letters beyond ASCII', () => {
  it('is understood however often one was asked about', () => {
    const url = 'wss://münchen.example/'
    const understood = new Set<string | undefined>()
    for (let call = 0; call < 20_000; call += 1) understood.add(parseUrl(url)?.host)
    expect([...understood]).toEqual(['xn--mnchen-3ya.example'])
  })
})
