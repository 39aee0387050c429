import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { readAnnouncement } from '../../src/nostr/announcement.ts'
import { readService } from '../../src/nostr/service-url.ts'
import { findPlaces, type PlaceRules } from '../../src/repair/find-places.ts'
import { describeRepository } from '../../src/repair/find-repositories.ts'
import { gitUrl } from '../../src/repair/git-target.ts'
import { announcement } from '../support/builders.ts'
import { alice, bob } from '../support/scenes.ts'

const BASE = 'http://localhost:7443/grasp'
const OWN = `${BASE}/${npubEncode(alice.pubkey)}/x.git`

function placesFor(clone: readonly string[], changes: Partial<PlaceRules> = {}) {
  const owner = readAnnouncement(announcement(alice, 'x', { clone, maintainers: [bob] }))
  const other = readAnnouncement(announcement(bob, 'x', { clone: ['https://bob.example/x.git'], maintainers: [alice] }))
  const family = new Map([owner, other].map((each) => [each.pubkey, each]))
  const service = readService('wss://git.example.org/grasp')
  if (service === undefined) throw new Error('no service')
  const rules: PlaceRules = {
    gitTarget: { base: BASE, service },
    named: new Set(['relay.lan:8080']),
    withUrls: (each) => each,
    expected: new Set([owner.address]),
    ...changes,
  }
  return findPlaces(describeRepository(owner, family, 'today'), rules)
}

describe('findPlaces', () => {
  it('asks the target where it is dialled, and not again by its public name', () => {
    const { target, others } = placesFor([`https://git.example.org/grasp/npub1x/x.git`, OWN])
    expect(target).toEqual({ url: OWN, isNamed: true })
    expect(others).toEqual([{ url: 'https://bob.example/x.git', isNamed: false }])
  })

  it("asks the servers of the owner's and of maintainers' announcements once each", () => {
    const urls = placesFor(['https://a.example/x.git', 'https://bob.example/x.git']).others.map(({ url }) => url)
    expect(urls).toEqual(['https://a.example/x.git', 'https://bob.example/x.git'])
  })

  it('trusts the address of a host that the operator named', () => {
    const { others } = placesFor(['http://relay.lan:8080/x.git', 'http://relay.lan:9090/x.git'])
    expect(others.map(({ isNamed }) => isNamed)).toEqual([true, false, false])
  })

  it("asks the target's own repository of a maintainer, too: it may have the objects", () => {
    const { others } = placesFor([], { expected: new Set([`30617:${bob.pubkey}:x`]) })
    expect(others[0]).toEqual({ url: `${BASE}/${npubEncode(bob.pubkey)}/x.git`, isNamed: true })
  })

  it.each([
    ['ssh://git@github.com/a/b.git', 'only http and https are asked'],
    ['git://example.org/b.git', 'only http and https are asked'],
    ['file:///etc/passwd', 'no URL with a host'],
    ['ext::sh -c touch% x', 'no URL with a host'],
    ['https://user:secret@example.org/b.git', 'it names a user'],
    ['https://example.org/b.git?token=secret', 'it has a query'],
  ])('does not ask %s', (url, reason) => {
    const { others, unasked } = placesFor([url])
    expect(others.map((place) => place.url)).toEqual(['https://bob.example/x.git'])
    expect(unasked.map((place) => place.reason)).toEqual([reason])
    expect(unasked[0]?.url).not.toContain('secret')
  })

  it('lists fifty, and says how many more there are', () => {
    const clone = Array.from({ length: 50 }, (_, n) => `https://${n}.example/x.git`)
    const { others, leftOut } = placesFor(clone)
    expect([others.length, leftOut]).toEqual([50, 1])
  })
})

describe('gitUrl', () => {
  it('encodes what a path cannot hold', () => {
    const url = gitUrl('https://h', `30617:${alice.pubkey}:a b/../?#é`) ?? ''
    expect(url).toBe(`https://h/${npubEncode(alice.pubkey)}/a%20b%2F..%2F%3F%23%C3%A9.git`)
    expect(new URL(url).pathname.split('/').length).toBe(3)
  })

  it('is nothing for half a character', () => {
    expect(gitUrl('https://h', `30617:${alice.pubkey}:\ud800`)).toBeUndefined()
  })
})
