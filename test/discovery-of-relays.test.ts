import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import type { Profile } from '../src/relay/endpoint.ts'
import type { Report } from '../src/report/report.ts'
import type { DiscoveryPolicy } from '../src/report/run-options.ts'
import { announcement } from './support/builders.ts'
import { runInProcess } from './support/in-process.ts'
import { createMemoryEndpoint } from './support/memory-endpoint.ts'
import { alice, bob } from './support/scenes.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const TARGET = 'wss://git.example.org'
const POLICY: DiscoveryPolicy = { max: 20, allowPrivate: false, allowInsecure: false }

type Internet = {
  /** What names resolve to; a name that is missing does not resolve. */
  readonly dns: Readonly<Record<string, readonly string[]>>
  readonly relays: readonly string[]
  readonly policy?: Partial<DiscoveryPolicy>
  /** The NIP-11 documents of the target and of what is discovered. */
  readonly target?: Partial<Profile>
  readonly profile?: Partial<Profile>
}

/**
 * A run with `--discover` where one announcement names these relays: its report, and the URLs that were opened or
 * resolved.
 */
async function discover({ dns, relays, policy, target = {}, profile = {} }: Internet) {
  const announced: NostrEvent = announcement(alice, 'hello', { relays })
  const opened: string[] = []
  const resolved: string[] = []
  const report: Report = await runInProcess({
    sources: [createMemoryEndpoint({ url: 'wss://named.org', events: [announced] })],
    target: createMemoryEndpoint({ url: TARGET, profile: target }),
    state: openTemporaryState({ target: TARGET }).state,
    options: { discovery: { ...POLICY, ...policy } },
    strangers: {
      addressesOf: async (url) => {
        resolved.push(url)
        return dns[new URL(url).hostname] ?? []
      },
      open(url) {
        opened.push(url)
        return createMemoryEndpoint({ url, profile })
      },
    },
  })
  return { report, opened, resolved: resolved.filter((url) => url !== TARGET), notes: report.notes }
}

describe('a relay that is named', () => {
  it('becomes a source when its name leads to public addresses', async () => {
    const { report, opened } = await discover({
      relays: ['wss://a.org'],
      dns: { 'a.org': ['1.1.1.1', '2606:4700::1'] },
    })
    expect([report.exit, opened]).toEqual([0, ['wss://a.org']])
    expect(report.sources.map(({ url, discovered }) => [url, discovered])).toEqual([
      ['wss://named.org', false],
      ['wss://a.org', true],
    ])
  })

  it.each([
    ['loopback', ['127.0.0.1'], 'loopback or private'],
    ['a private address among public ones', ['1.1.1.1', '192.168.0.1'], 'loopback or private'],
    ['an IPv6 address that carries a private one', ['::ffff:10.0.0.1'], 'loopback or private'],
    ['the address of cloud metadata', ['169.254.169.254'], 'no relay can be'],
    ['no address at all', ['0.0.0.0'], 'no relay can be'],
  ])('is left out and told when its name resolves to %s', async (_what, addresses, reason) => {
    const { report, opened, notes } = await discover({ relays: ['wss://a.org'], dns: { 'a.org': addresses } })
    expect([report.exit, report.sources.length, opened]).toEqual([0, 1, []])
    expect(notes).toEqual([expect.stringMatching(new RegExp(`left out 1 URL: .*${reason}.*: wss://a\\.org\\.$`))])
  })

  it('is opened when its name does not resolve, so that the connection says why', async () => {
    const { opened } = await discover({ relays: ['wss://gone.org'], dns: {} })
    expect(opened).toEqual(['wss://gone.org'])
  })

  it('leaves its place to the next when its addresses turn out to be unfit', async () => {
    const dns = { 'a.org': ['10.0.0.1'], 'b.org': ['1.1.1.1'], 'c.org': ['1.1.1.2'] }
    const relays = ['wss://a.org', 'wss://b.org', 'wss://c.org']
    const { opened, notes } = await discover({ relays, dns, policy: { max: 1 } })
    expect(opened).toEqual(['wss://b.org'])
    expect(notes).toEqual([
      'Discovery left out 1 URL: beyond --discover-max: wss://c.org.',
      expect.stringContaining('wss://a.org'),
    ])
  })

  it('over a private network needs --discover-allow private, and then no encryption', async () => {
    const dns = { 'nas.lan': ['192.168.0.7'] }
    const { opened } = await discover({ relays: ['ws://nas.lan'], dns, policy: { allowPrivate: true } })
    expect(opened).toEqual(['ws://nas.lan'])
    const elsewhere = { 'nas.lan': ['1.1.1.1'] }
    const abroad = await discover({ relays: ['ws://nas.lan'], dns: elsewhere, policy: { allowPrivate: true } })
    expect([abroad.opened, abroad.notes.join()]).toEqual([[], expect.stringContaining('without encryption')])
  })

  it('is resolved only so often: after 100 unfit ones no more names are looked up', async () => {
    const names = Array.from({ length: 150 }, (_, index) => `r${index}.org`)
    const dns = Object.fromEntries(names.map((name) => [name, ['127.0.0.1']]))
    const events = Array.from({ length: 4 }, (_, part) => names.slice(part * 40, part * 40 + 40))
    const resolved: string[] = []
    const report = await runInProcess({
      sources: [
        createMemoryEndpoint({
          url: 'wss://named.org',
          events: events.map((part, index) =>
            announcement(alice, `d${index}`, { relays: part.map((name) => `wss://${name}`) }),
          ),
        }),
      ],
      target: createMemoryEndpoint({ url: TARGET }),
      state: openTemporaryState({ target: TARGET }).state,
      options: { discovery: { ...POLICY, max: 10 } },
      strangers: {
        addressesOf: async (url) => {
          resolved.push(url)
          return dns[new URL(url).hostname] ?? ['1.1.1.1']
        },
        open: (url) => createMemoryEndpoint({ url }),
      },
    })
    expect(new Set(resolved).size - 1).toBe(100)
    expect(report.notes).toEqual([
      expect.stringMatching(/left out 50 URLs: not looked up any more/),
      expect.stringMatching(/left out 100 URLs: .*loopback/),
    ])
  })
})

describe('the target under another name', () => {
  const dns = { 'git.example.org': ['1.1.1.1'], 'alias.org': ['1.1.1.1'], 'far.org': ['8.8.8.8'] }
  const document = { name: 'our relay', pubkey: bob.pubkey }

  it('is known by the key of the relay, wherever it is', async () => {
    const same = { self: alice.pubkey }
    const { report, notes } = await discover({ relays: ['wss://far.org'], dns, target: same, profile: same })
    expect([report.sources.length, notes]).toEqual([
      1,
      ['Discovery left out 1 URL: the target under another name: wss://far.org.'],
    ])
  })

  it('is known by its address with its name and operator', async () => {
    const { report } = await discover({ relays: ['wss://alias.org'], dns, target: document, profile: document })
    expect(report.sources).toHaveLength(1)
  })

  it.each([
    ['the address alone: a proxy serves many relays', 'wss://alias.org', { ...document, name: 'their relay' }],
    ['the address alone, without documents', 'wss://alias.org', {}],
    ['another port there', 'wss://alias.org:8443', document],
    ['the name and the operator alone: they may run several', 'wss://far.org', document],
  ])('is not known by %s', async (_what, url, profile) => {
    const { report } = await discover({ relays: [url], dns, target: document, profile })
    expect(report.sources.map((source) => source.url)).toEqual(['wss://named.org', url])
  })
})
