import { describe, expect, it } from 'vitest'

import { resolveMembership, type Membership } from '../src/scope/membership.ts'
import { readAnnouncement } from '../src/nostr/announcement.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import type { RoleRule } from '../src/nostr/roles.ts'
import type { LayerName } from '../src/layer-name.ts'
import {
  hostsNamedMost,
  initialAnchors,
  isOfMembers,
  isOwned,
  namedScope,
  outOfScope,
  scopeKey,
  type Scope,
} from '../src/scope/scope.ts'
import { announcement, graspList, issue, repositoryAddress, state, type AnnouncementExtra } from './support/builders.ts'
import { serviceAt } from './support/service-at.ts'
import { keyOf, type Key } from './support/sign.ts'

const [alice, bob, carol, dave] = [keyOf('alice'), keyOf('bob'), keyOf('carol'), keyOf('dave')]
const HOST = 'git.example.com:443'
const LISTED: Scope = { type: 'listed', service: serviceAt('wss://git.example.com') }
const CLONE = 'https://git.example.com/npub/repo.git'
const RELAY = 'wss://git.example.com'

function membershipBy(rule: RoleRule, scope: Scope, ...events: readonly NostrEvent[]): Membership {
  const known = events.map((event) => readAnnouncement(event, rule))
  return resolveMembership(known, { isOwned: (announced) => isOwned(scope, announced, rule), rule })
}

function membership(scope: Scope, ...events: readonly NostrEvent[]): Membership {
  return membershipBy('today', scope, ...events)
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
    ['with another path in relays', { relays: ['wss://git.example.com/relay'] }],
    ['as no URL at all', { clone: ['git.example.com:port', 'https://'] }],
  ])('does not take what names the host %s', (_, extra) => {
    expect(membership(LISTED, listed(alice, 'repo', extra)).announcements.size).toBe(0)
  })

  it.each([
    ['in capitals', 'WSS://GIT.EXAMPLE.COM'],
    ['with its default port', 'wss://git.example.com:443/'],
    ['with user information of its own', 'wss://user:secret@git.example.com/'],
    ['without a scheme', 'git.example.com'],
    ['with the default port of another scheme', 'ws://git.example.com'],
    ['with a dot at the end', 'wss://git.example.com./'],
  ])('takes what names the host %s', (_, relay) => {
    expect(membership(LISTED, listed(alice, 'repo', { relays: [relay] })).announcements.size).toBe(1)
  })

  it('tells a service on another port from the host itself', () => {
    const event = listed(alice, 'repo', {
      clone: ['http://git.example.com:7777/x.git'],
      relays: ['ws://git.example.com:7777'],
    })
    expect(
      membership({ type: 'listed', service: serviceAt('ws://git.example.com:7777') }, event).announcements.size,
    ).toBe(1)
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

  it('have their states taken once they have announced; until then they are invited', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob, carol] }), announcement(bob, 'repo'))
    expect([...members.states].sort()).toEqual(states(alice, bob).sort())
    expect([...members.outsiders]).toEqual(states(carol).map((state) => [state, 'invited']))
    expect([...members.authors].sort()).toEqual([alice, bob, carol].map(({ pubkey }) => pubkey).sort())
  })

  it('have their states taken at an early GRASP relay, announced or not', () => {
    const events = [listed(alice, 'repo', { maintainers: [bob, carol] }), announcement(bob, 'repo')]
    const members = membershipBy('early', LISTED, ...events)
    expect([...members.states].sort()).toEqual(states(alice, bob, carol).sort())
    expect(members.outsiders.size).toBe(0)
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

describe('the distance from an owner', () => {
  const distances = (members: Membership): number[] =>
    addresses(alice, bob, carol).map((address) => members.distances.get(address) ?? -1)

  it('is counted along those who are listed', () => {
    const members = membership(
      LISTED,
      announcement(carol, 'repo', { maintainers: [alice] }),
      announcement(bob, 'repo', { maintainers: [carol] }),
      listed(alice, 'repo', { maintainers: [bob] }),
    )
    expect(distances(members)).toEqual([0, 1, 2])
  })

  it('is 1 of a maintainer with the service in his own announcement who does not name back', () => {
    const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }), listed(bob))
    expect(distances(members)).toEqual([0, 1, -1])
  })

  it('is 0 of two owners who name each other', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [bob] }),
      listed(bob, 'repo', { maintainers: [alice] }),
    )
    expect(distances(members)).toEqual([0, 0, -1])
  })

  it('is 0 of an owner whom a circle of maintainers leads back to', () => {
    const members = membership(
      LISTED,
      listed(alice, 'repo', { maintainers: [bob] }),
      announcement(bob, 'repo', { maintainers: [carol] }),
      announcement(carol, 'repo', { maintainers: [alice] }),
    )
    expect(distances(members)).toEqual([0, 1, 2])
  })

  it('is 1 of the maintainer, not of the owner, in scope all', () => {
    const members = membership(
      { type: 'all' },
      announcement(alice, 'repo', { maintainers: [bob] }),
      announcement(bob, 'repo'),
    )
    expect(distances(members)).toEqual([0, 1, -1])
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

describe('outOfScope', () => {
  const left = announcement(dave, 'repo', {
    tags: [
      ['m', alice.pubkey],
      ['m', dave.pubkey, '1', '2'],
    ],
  })
  const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob, dave] }), left)

  it.each<[string, NostrEvent, string | undefined]>([
    ['an announcement in scope', listed(alice), undefined],
    ['an announcement out of scope', announcement(carol, 'repo'), 'out of scope'],
    ['a state of the owner', state(alice, 'repo'), undefined],
    ['a state of a maintainer who has not announced', state(bob, 'repo'), 'out of scope: invited'],
    ['the announcement of a maintainer who left', left, undefined],
    ['a state of a maintainer who left', state(dave, 'repo'), 'out of scope: left'],
    ['a state of a stranger', state(carol, 'repo'), 'out of scope'],
    ['a state of another repository', state(alice, 'other'), 'out of scope'],
    ['the grasp list of a maintainer', graspList(bob, []), undefined],
    ['the grasp list of a stranger', graspList(carol, []), 'out of scope'],
    ['an issue, which its filter found', issue(repositoryAddress(alice, 'repo'), carol), undefined],
  ])('judges %s', (_, event, why) => expect(outOfScope(event, LISTED, members)).toBe(why))

  it('takes any grasp list in scope all', () => {
    expect(outOfScope(graspList(carol, []), { type: 'all' }, membership({ type: 'all' }))).toBeUndefined()
  })

  it('takes no state without an announcement in scope all', () => {
    expect(outOfScope(state(carol, 'repo'), { type: 'all' }, membership({ type: 'all' }))).toBe('out of scope')
  })
})

describe('isOfMembers', () => {
  const members = membership(LISTED, listed(alice, 'repo', { maintainers: [bob] }))
  const [ofAlice = '', ofBob = '', ofCarol = ''] = addresses(alice, bob, carol)
  const [stateOfAlice = '', stateOfBob = ''] = states(alice, bob)

  it.each<[LayerName, string, boolean]>([
    ['announcements', `listed:${HOST}`, true],
    ['announcements', ofAlice, true],
    ['announcements', ofBob, true],
    ['announcements', ofCarol, false],
    ['announcements', `10317:${bob.pubkey}:`, true],
    ['announcements', `10317:${carol.pubkey}:`, false],
    ['announcements', `author:${carol.pubkey}`, true],
    ['repositories', ofAlice, true],
    ['repositories', ofCarol, true],
    ['repositories', stateOfAlice, true],
    ['repositories', stateOfBob, false],
    ['threads', '1'.repeat(64), true],
  ])('of %s %s is %s', (layer, anchor, isOf) => expect(isOfMembers(layer, anchor, LISTED, members)).toBe(isOf))

  it('holds of an address that was named, announced or not', () => {
    const scope: Scope = { type: 'named', addresses: [ofCarol], authors: [] }
    expect(isOfMembers('announcements', ofCarol, scope, membership(scope))).toBe(true)
  })
})

describe('initialAnchors and scopeKey', () => {
  const named: Scope = { type: 'named', addresses: ['30617:b:x', '30617:a:x'], authors: ['c'] }

  it.each<[Scope, string[]]>([
    [{ type: 'all' }, ['all']],
    [LISTED, [`listed:${HOST}`]],
    [{ type: 'listed', service: serviceAt('wss://git.example.com/grasp/') }, [`listed:${HOST}/grasp`]],
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
    ].map((event) => readAnnouncement(event))
    expect(hostsNamedMost(known, 2)).toEqual(['a.example:443', 'b.example:443'])
  })

  it('tells apart services below different paths of a host', () => {
    const known = announcement(alice, 'one', { relays: ['wss://a.example/x', 'wss://a.example/y/'] })
    expect(hostsNamedMost([readAnnouncement(known)], 2)).toEqual(['a.example:443/x', 'a.example:443/y'])
  })
})
