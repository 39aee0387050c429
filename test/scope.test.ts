import { describe, expect, it } from 'vitest'

import { readAnnouncement, type Announcement } from '../src/nostr/announcement.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import {
  hostsNamedMost,
  initialAnchors,
  isInScope,
  namedScope,
  resolveMembership,
  scopeKey,
  type Membership,
  type Scope,
} from '../src/scope.ts'
import { announcement, graspList, issue, repositoryAddress, state, type AnnouncementExtra } from './support/builders.ts'
import { keyOf, type Key } from './support/sign.ts'

const [alice, bob, carol, dave] = [keyOf('alice'), keyOf('bob'), keyOf('carol'), keyOf('dave')]
const HOST = 'git.example.com:443'
const LISTED: Scope = { type: 'listed', host: HOST }
const CLONE = 'https://git.example.com/npub/repo.git'
const RELAY = 'wss://git.example.com'

function membership(scope: Scope, ...events: readonly NostrEvent[]): Membership {
  const known = events.map(readAnnouncement)
  return resolveMembership(scope, new Map(known.map((each): [string, Announcement] => [each.address, each])))
}

/** An announcement that names the service as GRASP-01 wants it. */
function listed(owner: Key, d = 'repo', extra: AnnouncementExtra = {}): NostrEvent {
  return announcement(owner, d, { clone: [CLONE], relays: [RELAY], ...extra })
}

const addresses = (...keys: readonly Key[]): string[] => keys.map((key) => repositoryAddress(key, 'repo'))
const states = (...keys: readonly Key[]): string[] => keys.map(({ pubkey }) => `30618:${pubkey}:repo`)

describe('scope listed', () => {
  it('takes what names the host in clone and in relays', () => {
    expect([...membership(LISTED, listed(alice)).announcements]).toEqual(addresses(alice))
  })

  it('takes what names it among others, in any place', () => {
    const event = listed(alice, 'repo', { clone: ['https://other.example/x.git', CLONE], relays: ['wss://a.b', RELAY] })
    expect(membership(LISTED, event).announcements.size).toBe(1)
  })

  it.each([
    ['only in clone', { relays: [] }],
    ['only in relays', { clone: [] }],
    ['as a substring of another host', { relays: ['wss://git.example.com.evil.org'] }],
    ['as the end of another host', { relays: ['wss://evilgit.example.com'] }],
    ['as a parent domain', { relays: ['wss://sub.git.example.com'] }],
    ['in the path of another host', { relays: ['wss://evil.org/git.example.com'] }],
    ['as user information', { relays: ['wss://git.example.com@evil.org'] }],
    ['as user and password', { clone: ['https://git.example.com:443@evil.org/x.git'] }],
    ['in a query', { clone: ['https://evil.org/?u=https://git.example.com/x.git'] }],
    ['with another port', { relays: ['wss://git.example.com:8443'] }],
    ['with the port of another scheme', { relays: ['ws://git.example.com'] }],
    ['without a scheme', { relays: ['git.example.com'] }],
    ['as no URL at all', { clone: ['git.example.com:443', 'https://'] }],
  ])('does not take what names the host %s', (_, extra) => {
    expect(membership(LISTED, listed(alice, 'repo', extra)).announcements.size).toBe(0)
  })

  it.each([
    ['in capitals', 'WSS://GIT.EXAMPLE.COM'],
    ['with its default port', 'wss://git.example.com:443/'],
    ['with user information of its own', 'wss://user:secret@git.example.com/'],
    ['with a path', 'wss://git.example.com/relay'],
    ['with a dot at the end', 'wss://git.example.com./'],
  ])('takes what names the host %s', (_, relay) => {
    expect(membership(LISTED, listed(alice, 'repo', { relays: [relay] })).announcements.size).toBe(1)
  })

  it('tells a service on another port from the host itself', () => {
    const event = listed(alice, 'repo', {
      clone: ['http://git.example.com:7777/x.git'],
      relays: ['ws://git.example.com:7777'],
    })
    expect(membership({ type: 'listed', host: 'git.example.com:7777' }, event).announcements.size).toBe(1)
    expect(membership(LISTED, event).announcements.size).toBe(0)
  })
})

describe('maintainers', () => {
  it('come with their announcements of the same identifier', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }), announcement(bob, 'repo'))
    expect([...members.announcements]).toEqual(addresses(alice, bob))
  })

  it('do not come with other repositories', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }), announcement(bob, 'other'))
    expect([...members.announcements]).toEqual(addresses(alice))
  })

  it('count recursively', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [bob] }),
      announcement(bob, 'repo', { maintainers: [carol] }),
      announcement(carol, 'repo', { maintainers: [dave] }),
      announcement(dave, 'repo'),
    )
    expect([...members.announcements].sort()).toEqual(addresses(alice, bob, carol, dave).sort())
  })

  it('end where one is not announced', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [bob] }),
      announcement(carol, 'repo', { maintainers: [dave] }),
    )
    expect([...members.announcements]).toEqual(addresses(alice))
  })

  it('may name each other in a circle', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [alice, bob] }),
      announcement(bob, 'repo', { maintainers: [carol] }),
      announcement(carol, 'repo', { maintainers: [alice, bob] }),
    )
    expect([...members.announcements].sort()).toEqual(addresses(alice, bob, carol).sort())
  })

  it('have their states taken, announced or not', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob, carol] }), announcement(bob, 'repo'))
    expect([...members.states].sort()).toEqual(states(alice, bob, carol).sort())
    expect([...members.authors].sort()).toEqual([alice, bob, carol].map(({ pubkey }) => pubkey).sort())
  })

  it('are asked for by name', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }))
    expect([...members.maintainerAddresses]).toEqual(addresses(bob))
  })

  it('do not make an owner of whoever names an owner', () => {
    const members = membership(LISTED, listed(alice), announcement(bob, 'repo', { maintainers: [alice] }))
    expect([...members.announcements]).toEqual(addresses(alice))
  })

  it('keep an identifier with colons whole', () => {
    const members = membership(LISTED, listed(alice, 'a:b', { maintainers: [bob] }), announcement(bob, 'a:b'))
    expect(members.announcements).toContain(`30617:${bob.pubkey}:a:b`)
    expect(members.states).toContain(`30618:${bob.pubkey}:a:b`)
  })
})

describe('coMaintained', () => {
  it('holds those who are in scope through an owner only', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }), announcement(bob, 'repo'))
    expect([...members.coMaintained]).toEqual(addresses(bob))
  })

  it('holds a maintainer with the service in his own announcement who does not name back', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }), listed(bob))
    expect([...members.coMaintained]).toEqual(addresses(bob))
  })

  it('holds neither of two owners who name each other', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [bob] }),
      listed(bob, 'repo', { maintainers: [alice] }),
    )
    expect(members.coMaintained.size).toBe(0)
  })

  it('does not hold an owner who names herself', () => {
    expect(membership(LISTED, listed(alice, 'repo', { maintainers: [alice] })).coMaintained.size).toBe(0)
  })

  it('holds the maintainer, not the owner, in scope all', () => {
    const members = membership(
      { type: 'all' },
      announcement(alice, 'repo', { maintainers: [bob] }),
      announcement(bob, 'repo'),
    )
    expect([...members.coMaintained]).toEqual(addresses(bob))
  })
})

describe('scope named', () => {
  it('takes the repositories by address', () => {
    const scope = namedScope({
      type: 'named',
      addresses: [{ kind: 30617, pubkey: alice.pubkey, d: 'repo' }],
      authors: [],
    })
    const members = membership(
      scope,
      announcement(alice, 'repo'),
      announcement(alice, 'other'),
      announcement(bob, 'repo'),
    )
    expect([...members.announcements]).toEqual(addresses(alice))
  })

  it('takes every repository of an author, with its maintainers', () => {
    const scope: Scope = { type: 'named', addresses: [], authors: [alice.pubkey] }
    const members = membership(scope, announcement(alice, 'repo', { maintainers: [bob] }), announcement(bob, 'repo'))
    expect([...members.announcements]).toEqual(addresses(alice, bob))
  })
})

describe('isInScope', () => {
  const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }))

  it.each([
    ['an announcement in scope', listed(alice), true],
    ['an announcement out of scope', announcement(carol, 'repo'), false],
    ['a state of the owner', state(alice, 'repo'), true],
    ['a state of a maintainer', state(bob, 'repo'), true],
    ['a state of a stranger', state(carol, 'repo'), false],
    ['a state of another repository', state(alice, 'other'), false],
    ['the grasp list of a maintainer', graspList(bob, []), true],
    ['the grasp list of a stranger', graspList(carol, []), false],
    ['an issue, which its filter found', issue(repositoryAddress(alice, 'repo'), carol), true],
  ])('%s: %s %s', (_, event, isIn) => expect(isInScope(event, LISTED, members)).toBe(isIn))

  it('takes any grasp list in scope all', () => {
    expect(isInScope(graspList(carol, []), { type: 'all' }, membership({ type: 'all' }))).toBe(true)
  })

  it('takes no state without an announcement in scope all', () => {
    expect(isInScope(state(carol, 'repo'), { type: 'all' }, membership({ type: 'all' }))).toBe(false)
  })
})

describe('initialAnchors and scopeKey', () => {
  const named: Scope = { type: 'named', addresses: ['30617:b:x', '30617:a:x'], authors: ['c'] }

  it.each<[Scope, string[]]>([
    [{ type: 'all' }, ['all']],
    [LISTED, [`listed:${HOST}`]],
    [named, ['30617:b:x', '30617:a:x', 'author:c']],
  ])('start %j with %j', (scope, anchors) => expect(initialAnchors(scope)).toEqual(anchors))

  it('give equal scopes one key, whatever their order', () => {
    expect(scopeKey(named)).toBe(scopeKey({ ...named, addresses: ['30617:a:x', '30617:b:x'] }))
  })

  it('give different scopes different keys', () => {
    const scopes: Scope[] = [{ type: 'all' }, LISTED, named, { ...named, authors: [] }, { ...named, addresses: [] }]
    expect(new Set(scopes.map(scopeKey)).size).toBe(scopes.length)
  })
})

describe('hostsNamedMost', () => {
  it('counts a host once an announcement and puts the most frequent first', () => {
    const known = [
      announcement(alice, 'one', { relays: ['wss://b.example', 'wss://b.example/x', 'wss://a.example'] }),
      announcement(alice, 'two', { relays: ['wss://a.example', 'not a url'] }),
      announcement(alice, 'three', { relays: ['wss://c.example'] }),
    ].map(readAnnouncement)
    expect(hostsNamedMost(known, 2)).toEqual(['a.example:443', 'b.example:443'])
  })
})
