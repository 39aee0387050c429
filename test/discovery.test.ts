import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { chooseRelays, describeLeftOut, findCandidates, refusalOf, type Choice } from '../src/discover/candidates.ts'
import { readAnnouncement, type Announcement } from '../src/nostr/announcement.ts'
import type { DiscoveryPolicy } from '../src/report/run-options.ts'
import { announcement, repositoryAddress, type AnnouncementExtra } from './support/builders.ts'
import { alice, bob, carol, dave } from './support/scenes.ts'
import type { Key } from './support/sign.ts'

const STRICT: DiscoveryPolicy = { max: 20, allowPrivate: false, allowInsecure: false }
const NPUB = 'npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9'

function known(...announcements: readonly (readonly [Key, string, AnnouncementExtra])[]): Map<string, Announcement> {
  const read = announcements.map(([key, d, extra]) => readAnnouncement(announcement(key, d, extra)))
  return new Map(read.map((each) => [each.address, each]))
}

function urlsNamed(extra: AnnouncementExtra): string[] {
  return findCandidates(known([alice, 'hello', extra])).candidates.map(({ urls }) => urls[0])
}

function choose(urls: readonly string[], changes: Partial<Choice> = {}) {
  const { candidates } = findCandidates(known([alice, 'hello', { relays: urls }]))
  return chooseRelays(candidates, {
    policy: STRICT,
    sources: new Set(),
    targetHosts: new Set(),
    refused: new Map(),
    room: 20,
    limit: 'cap',
    ...changes,
  })
}

describe('findCandidates', () => {
  it.each([
    ['one form of a URL', ['wss://a.org', 'WSS://A.org:443/', 'wss://a.org./#x', 'wss://me:pw@a.org'], ['wss://a.org']],
    ['no query', ['wss://a.org/?a=1', 'wss://a.org?a=2'], ['wss://a.org']],
    ['encryption, where both are named', ['ws://a.org', 'wss://a.org'], ['wss://a.org']],
    ['encryption, whatever comes first', ['wss://a.org/x', 'ws://a.org/x/'], ['wss://a.org/x']],
    ['each path', ['wss://a.org/x', 'wss://a.org/y'], ['wss://a.org/x', 'wss://a.org/y']],
    ['each port', ['wss://a.org', 'wss://a.org:8443'], ['wss://a.org', 'wss://a.org:8443']],
    ['no URLs of other sorts', ['https://a.org', 'a.org', '', 'git://a.org', 'wss://'], []],
    ['no endless URLs', [`wss://a.org/${'x'.repeat(1_000)}`], []],
  ])('keeps %s', (_what, relays, expected) => {
    expect(urlsNamed({ relays })).toEqual(expected)
  })

  it.each([
    [`https://a.org/${NPUB}/hello.git`, 'wss://a.org'],
    [`https://a.org:8443/${NPUB}/hello.git/`, 'wss://a.org:8443'],
    [`http://a.org/${NPUB}/hello.git`, 'ws://a.org'],
    [`https://a.org/grasp/${NPUB}/hello.git`, 'wss://a.org/grasp'],
    [`https://a.org/deep/er/${NPUB}/hello.git/`, 'wss://a.org/deep/er'],
  ])('knows the relay behind %s', (clone, expected) => {
    expect(urlsNamed({ clone: [clone] })).toEqual([expected])
  })

  it.each([
    'https://github.com/someone/hello.git',
    `https://a.org/${NPUB}`,
    `https://a.org/${NPUB}/hello`,
    `https://a.org/${NPUB}/x/hello.git`,
    `https://a.org/${NPUB}/.git`,
    `https://a.org/${NPUB}/hello.git//`,
    `ssh://a.org/${NPUB}/hello.git`,
    'https://a.org/npub1short/hello.git',
  ])('takes %s for no GRASP server', (clone) => {
    expect(urlsNamed({ clone: [clone] })).toEqual([])
  })

  it('puts first what most people name, however often one names it', () => {
    const found = findCandidates(
      known(
        [alice, 'a', { relays: ['wss://one.org', 'wss://two.org'] }],
        [alice, 'b', { relays: ['wss://one.org'] }],
        [alice, 'c', { relays: ['wss://one.org'] }],
        [bob, 'd', { relays: ['wss://two.org'] }],
      ),
    )
    expect(found.candidates.map(({ urls, authors }) => [urls[0], authors])).toEqual([
      ['wss://two.org', 2],
      ['wss://one.org', 1],
    ])
  })

  it('gives a relay the repositories that name it, with all who maintain them', () => {
    const { candidates } = findCandidates(
      known(
        [alice, 'hello', { maintainers: [bob, carol] }],
        [bob, 'hello', { relays: ['wss://bob.org'] }],
        [bob, 'other', {}],
        [dave, 'hello', { relays: ['wss://dave.org'] }],
      ),
    )
    const repositories = candidates.map(({ urls, repositories: found }) => [
      urls[0],
      [...found].flatMap((addresses) => [...addresses]).sort(),
    ])
    expect(repositories).toEqual([
      ['wss://bob.org', [alice, bob, carol].map((key) => repositoryAddress(key, 'hello')).sort()],
      ['wss://dave.org', [repositoryAddress(dave, 'hello')]],
    ])
  })

  it('reads no more than 50 URLs of one announcement', () => {
    const relays = Array.from({ length: 60 }, (_, index) => `wss://relay${String(index).padStart(2, '0')}.org`)
    expect(findCandidates(known([alice, 'hello', { relays }])).candidates).toHaveLength(50)
  })

  it('takes no longer than its input is large for thousands who list each other', () => {
    const keys = Array.from({ length: 3_000 }, (_, index) => index.toString(16).padStart(64, '0'))
    const listed = (index: number): Set<string> => new Set(keys.slice(index, index + 100))
    const [sample] = known([alice, 'hello', { relays: ['wss://a.org'] }]).values()
    if (sample === undefined) throw new Error('no announcement')
    const family = keys.map((pubkey, index): [string, Announcement] => {
      const address = `30617:${pubkey}:hello`
      const relays = Array.from({ length: 10 }, (_, number) => `wss://relay${index}.org/${number}`)
      return [address, { ...sample, pubkey, address, relays, listed: listed(index) }]
    })
    const begun = performance.now()
    expect(findCandidates(new Map(family)).candidates).toHaveLength(30_000)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})

describe('chooseRelays', () => {
  it('leaves out what the policy does not allow, and says why', () => {
    const urls = ['wss://a.org', 'ws://b.org', 'wss://localhost', 'wss://[fe80::1]', 'wss://x.onion']
    const { chosen, leftOut } = choose(urls)
    expect(chosen.map(({ url }) => url)).toEqual(['wss://a.org'])
    expect(new Map(leftOut.map(({ url, why }) => [url, why]))).toEqual(
      new Map([
        ['ws://b.org', 'insecure'],
        ['wss://localhost', 'private'],
        ['wss://[fe80::1]', 'special'],
        ['wss://x.onion', 'hidden'],
      ]),
    )
  })

  it('passes over sources and the target without a word, with or without encryption', () => {
    const urls = ['wss://a.org', 'wss://b.org/x', 'ws://b.org/y', 'wss://c.org/x', 'wss://c.org/y']
    const { chosen, leftOut } = choose(urls, {
      sources: new Set(['a.org', 'c.org/x']),
      targetHosts: new Set(['b.org']),
    })
    expect([chosen.map(({ url }) => url), leftOut]).toEqual([['wss://c.org/y'], []])
  })

  it('takes of two URLs of one relay what is allowed, and then what more people write', () => {
    const found = findCandidates(
      known(
        [alice, 'a', { relays: ['ws://a.org:7777', 'ws://b.org'] }],
        [bob, 'b', { relays: ['ws://a.org:7777', 'ws://b.org'] }],
        [carol, 'c', { relays: ['wss://a.org:7777', 'wss://b.org'] }],
      ),
    )
    const byPolicy = [STRICT, { ...STRICT, allowInsecure: true }].map((policy) => {
      const nothing = { sources: new Set<string>(), targetHosts: new Set<string>(), refused: new Map() }
      return chooseRelays(found.candidates, { policy, room: 20, limit: 'cap', ...nothing }).chosen.map(({ url }) => url)
    })
    expect(byPolicy).toEqual([
      ['wss://a.org:7777', 'wss://b.org'],
      ['ws://a.org:7777', 'ws://b.org'],
    ])
  })

  it('leaves out what there is no room for, and what was found unfit', () => {
    const refused = new Map([['a.org', 'target' as const]])
    const { chosen, leftOut } = choose(['wss://a.org', 'wss://b.org', 'wss://c.org'], { refused, room: 1 })
    expect(chosen.map(({ url }) => url)).toEqual(['wss://b.org'])
    expect(leftOut).toEqual([
      { url: 'wss://c.org', why: 'cap' },
      { url: 'wss://a.org', why: 'target' },
    ])
  })

  it('chooses, leaves out or passes over every relay, each once, and never more than there is room for', () => {
    const url = fc
      .tuple(fc.constantFrom('ws', 'wss'), fc.webAuthority({ withPort: true }))
      .map(([scheme, host]) => `${scheme}://${host}`)
    fc.assert(
      fc.property(fc.uniqueArray(url, { maxLength: 40 }), fc.nat(10), (urls, room) => {
        const { candidates } = findCandidates(known([alice, 'hello', { relays: urls }]))
        const made = choose(urls, { room })
        expect(made.chosen.length).toBeLessThanOrEqual(room)
        const told = [...made.chosen, ...made.leftOut].map((each) => each.url)
        expect(told.toSorted()).toEqual(candidates.map(({ urls: [first] }) => first).toSorted())
      }),
    )
  })
})

describe('refusalOf', () => {
  it.each([
    ['public', 'wss://a.org', {}, undefined],
    ['public', 'ws://a.org', {}, 'insecure'],
    ['public', 'ws://a.org', { allowInsecure: true }, undefined],
    ['public', 'ws://a.org', { allowPrivate: true }, 'insecure'],
    ['private', 'wss://a.org', {}, 'private'],
    ['private', 'wss://a.org', { allowInsecure: true }, 'private'],
    ['private', 'ws://a.org', { allowPrivate: true }, undefined],
    ['special', 'wss://a.org', { allowPrivate: true, allowInsecure: true }, 'special'],
    ['hidden', 'wss://a.org', { allowPrivate: true, allowInsecure: true }, 'hidden'],
  ] as const)('of a %s host at %s with %j is %s', (host, url, allowed, expected) => {
    expect(refusalOf(host, url, { ...STRICT, ...allowed })).toBe(expected)
  })
})

describe('describeLeftOut', () => {
  it('counts what is left out for one reason, and names the first five', () => {
    const urls = ['g', 'f', 'e', 'd', 'c', 'b', 'a', 'a'].map((name) => `wss://${name}.org`)
    const notes = describeLeftOut([
      ...urls.map((url) => ({ url, why: 'cap' as const })),
      { url: 'ws://x', why: 'private' },
    ])
    expect(notes).toEqual([
      'Discovery left out 7 URLs: beyond --discover-max: wss://a.org, wss://b.org, wss://c.org, wss://d.org, wss://e.org and 2 more.',
      'Discovery left out 1 URL: at loopback or private addresses, see --discover-allow private: ws://x.',
    ])
  })

  it('says nothing when nothing was left out', () => {
    expect(describeLeftOut([])).toEqual([])
  })

  it('keeps a sentence short, whatever strangers wrote', () => {
    const omissions = Array.from({ length: 9 }, (_, index) => ({
      url: `${index}${'x'.repeat(10_000)}`,
      why: 'unusable' as const,
    }))
    expect(describeLeftOut(omissions).join().length).toBeLessThan(400)
  })
})
