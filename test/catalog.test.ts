import { describe, expect, it } from 'vitest'

import { recordDeletion } from '../src/run/withdrawn.ts'
import { Catalog } from '../src/scope/catalog.ts'
import type { RoleRule } from '../src/nostr/roles.ts'
import type { LayerName } from '../src/layer-name.ts'
import type { Scope } from '../src/scope/scope.ts'
import type { TargetState } from '../src/store/target-state.ts'
import { announcement, deletion, issue, repositoryAddress } from './support/builders.ts'
import { serviceAt } from './support/service-at.ts'
import { keyOf } from './support/sign.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const ALL: Scope = { type: 'all' }
const LISTED: Scope = { type: 'listed', service: serviceAt('wss://git.example.com') }
const SERVICE = { clone: ['https://git.example.com/x.git'], relays: ['wss://git.example.com'] }
const address = repositoryAddress(alice, 'repo')

function begin(scope: Scope, file?: string): { state: TargetState; catalog: Catalog; file: string } {
  const opened = openTemporaryState(file === undefined ? {} : { file })
  const catalog = new Catalog(opened.state, scope, { followUps: false })
  catalog.recall()
  return { state: opened.state, catalog, file: opened.file }
}

function anchorsOf(state: TargetState, layer: LayerName): string[] {
  return state.anchors.after(layer, 0, 1_000).map(({ anchor }) => anchor)
}

describe('Catalog', () => {
  it('begins with the anchors of its scope', () => {
    expect(anchorsOf(begin(ALL).state, 'announcements')).toEqual(['all'])
  })

  it('derives repositories and states from announcements in scope', () => {
    const { state, catalog } = begin(LISTED)
    catalog.learn('announcements', announcement(alice, 'repo', SERVICE), false)
    catalog.learn('announcements', announcement(bob, 'elsewhere'), false)
    catalog.deriveAnchors()
    expect(anchorsOf(state, 'repositories')).toEqual([address, `30618:${alice.pubkey}:repo`])
  })

  it('asks by name for maintainers and grasp lists when not all are read anyway', () => {
    const { state, catalog } = begin(LISTED)
    catalog.learn('announcements', announcement(alice, 'repo', { ...SERVICE, maintainers: [bob] }), false)
    catalog.deriveAnchors()
    expect(anchorsOf(state, 'announcements').slice(1)).toEqual([
      repositoryAddress(bob, 'repo'),
      `10317:${alice.pubkey}:`,
      `10317:${bob.pubkey}:`,
    ])
  })

  it('remembers of other people only who turns out to be a maintainer, and of the rest no URLs (no false green #33)', () => {
    const { state, catalog, file } = begin(LISTED)
    const clone = Array.from({ length: 50 }, (_, index) => `https://host${index}.example/${'x'.repeat(200)}.git`)
    const strangers = Array.from({ length: 20 }, (_, index) => keyOf(`stranger ${index}`))
    for (const key of [bob, ...strangers]) {
      const event = announcement(key, 'repo', { clone, relays: clone.map((url) => url.replace('https', 'wss')) })
      state.spoolRows.insert(event, {
        layer: 'announcements',
        source: 'wss://a.example',
        isLate: false,
        isOutside: false,
      })
      catalog.learn('announcements', event, false)
    }
    expect([...catalog.announcements()].flatMap(({ clone: urls, relays }) => [...urls, ...relays])).toEqual([])
    catalog.learn('announcements', announcement(alice, 'repo', { ...SERVICE, maintainers: [bob] }), false)
    catalog.deriveAnchors()
    expect([...state.anchors.announcements()].map(({ pubkey }) => pubkey).sort()).toEqual(
      [alice.pubkey, bob.pubkey].sort(),
    )
    const inScope = catalog.announcementsInScope()
    const [ofBob] = [...inScope.values()].filter(({ pubkey }) => pubkey === bob.pubkey)
    expect([ofBob?.clone, ofBob && catalog.withUrls(ofBob).clone]).toEqual([[], clone])
    const later = begin(LISTED, file).catalog
    expect([...later.members().announcements].sort()).toEqual([...inScope.keys()].sort())
  })

  it('adds a root as soon as it is read, in layer 2 or 3', () => {
    const { state, catalog } = begin(ALL)
    const roots = [issue(address, alice), issue(address, bob)]
    catalog.learn('repositories', roots[0] ?? roots[1] ?? issue(address, bob), false)
    catalog.learn('threads', roots[1] ?? issue(address, bob), false)
    expect(anchorsOf(state, 'threads')).toEqual(roots.map(({ id }) => id))
  })

  it('forgets no anchor: a later run with this scope has them before it reads anything', () => {
    const first = begin(ALL)
    const root = issue(address, alice)
    first.catalog.learn('announcements', announcement(alice, 'repo'), false)
    first.catalog.deriveAnchors()
    first.catalog.learn('repositories', root, false)
    const second = begin(ALL, first.file)
    expect(anchorsOf(second.state, 'repositories')).toContain(address)
    expect(anchorsOf(second.state, 'threads')).toEqual([root.id])
  })

  it('takes no anchors from a run with another scope', () => {
    const first = begin(ALL)
    first.catalog.learn('repositories', issue(address, alice), false)
    expect(anchorsOf(begin(LISTED, first.file).state, 'threads')).toEqual([])
  })

  it('believes the newest announcement, whatever order they come in', () => {
    const older = announcement(alice, 'repo', { createdAt: 1, ...SERVICE })
    const newer = announcement(alice, 'repo', { createdAt: 2 })
    for (const events of [
      [older, newer],
      [newer, older],
    ]) {
      const { catalog } = begin(LISTED)
      for (const event of events) catalog.learn('announcements', event, false)
      expect(catalog.members().announcements.size).toBe(0)
    }
  })

  it('remembers the newest announcement for later runs', () => {
    const first = begin(LISTED)
    first.catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 2, ...SERVICE }), false)
    const second = begin(LISTED, first.file)
    second.catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 1 }), false)
    expect([...second.catalog.members().announcements]).toEqual([address])
  })

  it('leaves out what its author deleted, until a newer announcement comes', () => {
    const { state, catalog } = begin(ALL)
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 10 }), false)
    recordDeletion(deletion({ addresses: [address] }, alice, { createdAt: 10 }), state.run)
    expect(catalog.members().announcements.size).toBe(0)
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 11 }), false)
    expect(catalog.members().announcements.size).toBe(1)
  })

  it('finds members anew only when an announcement or a deletion came', () => {
    const { state, catalog } = begin(ALL)
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 10 }), false)
    const before = catalog.members()
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 9 }), false)
    catalog.learn('repositories', issue(address, bob), false)
    expect(catalog.members()).toBe(before)
    recordDeletion(deletion({ addresses: [address] }, alice, { createdAt: 9 }), state.run)
    expect(catalog.members()).not.toBe(before)
  })

  it('goes by the newest announcement, though an older one named the service', () => {
    const { catalog } = begin(LISTED)
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 1, ...SERVICE }), false)
    expect(catalog.members().announcements.size).toBe(1)
    catalog.learn('announcements', announcement(alice, 'repo', { createdAt: 2 }), false)
    expect(catalog.members().announcements.size).toBe(0)
  })

  it('asks for the states of whoever is invited, so that an acceptance in the same run finds them', () => {
    const { state, catalog } = begin(ALL)
    catalog.learn('announcements', announcement(alice, 'repo', { maintainers: [bob] }), false)
    catalog.deriveAnchors()
    expect(anchorsOf(state, 'repositories')).toContain(`30618:${bob.pubkey}:repo`)
    expect(catalog.isOfMembers('repositories', `30618:${bob.pubkey}:repo`)).toBe(false)
  })

  it('reads maintainers by the rule of the target', () => {
    const { state } = begin(ALL)
    const event = announcement(alice, 'repo', { maintainers: [bob], tags: [['o', bob.pubkey]] })
    const membersBy = (rule: RoleRule) => {
      const catalog = new Catalog(state, ALL, { followUps: false, rule })
      catalog.learn('announcements', event, false)
      return catalog.members()
    }
    expect([...membersBy('early').maintainerAddresses]).toEqual([repositoryAddress(bob, 'repo')])
    expect(membersBy('today').maintainerAddresses.size).toBe(0)
  })

  it('says which announcements in scope name more than was understood', () => {
    const { catalog } = begin(LISTED)
    const tags = [['m', 'bob']]
    catalog.learn('announcements', announcement(alice, 'repo', { ...SERVICE, tags }), false)
    catalog.learn('announcements', announcement(bob, 'repo', { ...SERVICE, tags }), false)
    catalog.learn('announcements', announcement(alice, 'elsewhere', { tags }), false)
    expect(catalog.notes()).toEqual([
      `The announcement ${address} (and 1 more) names maintainers that are not understood: by no public key, or beyond the first 100.`,
    ])
  })

  it('says which announcements are out of scope only by the URLs that were read (no false green #33)', () => {
    const { catalog } = begin(LISTED)
    const urls = Array.from({ length: 60 }, (_, index) => `https://host${index}.example/x.git`)
    const beyond = [...urls, ...SERVICE.clone]
    catalog.learn('announcements', announcement(alice, 'repo', { clone: beyond, relays: SERVICE.relays }), false)
    catalog.learn('announcements', announcement(bob, 'repo', { clone: urls, relays: SERVICE.relays }), false)
    expect(catalog.notes()).toEqual([
      `The announcement ${address} (and 1 more) is out of scope: it may name the service among its URLs that are not read, too long or beyond the first 50.`,
    ])
  })

  it('knows whether any announcement was read in this run', () => {
    const first = begin(ALL)
    expect(first.catalog.hasReadAnnouncements()).toBe(false)
    first.catalog.learn('announcements', announcement(alice, 'repo'), false)
    expect(first.catalog.hasReadAnnouncements()).toBe(true)
    expect(begin(ALL, first.file).catalog.hasReadAnnouncements()).toBe(false)
  })
})

describe('what the target holds', () => {
  it.each<[LayerName, string, boolean, boolean]>([
    ['repositories', address, false, true],
    ['repositories', `30618:${bob.pubkey}:repo`, false, true],
    ['repositories', `30618:${alice.pubkey}:other`, false, false],
    ['repositories', repositoryAddress(alice, 'other'), false, false],
    ['announcements', 'all', false, true],
    ['announcements', `10317:${alice.pubkey}:`, false, true],
    ['announcements', `10317:${bob.pubkey}:`, false, false],
    ['threads', 'root', true, true],
    ['threads', 'root', false, false],
  ])('%s %s (root held: %s): %s', (layer, anchor, rootIsHeld, isHeld) => {
    const { catalog } = begin(ALL)
    catalog.learn('announcements', announcement(alice, 'repo'), true)
    expect(catalog.isHeld(layer, anchor, rootIsHeld)).toBe(isHeld)
  })

  it('is not what a source showed', () => {
    const { catalog } = begin(ALL)
    catalog.learn('announcements', announcement(alice, 'repo'), false)
    expect(catalog.isHeld('repositories', address, false)).toBe(false)
  })

  it('is known of a root once the target showed it, whoever showed it first', () => {
    const { state, catalog } = begin(ALL)
    const root = issue(address, alice)
    for (const held of [false, true, false]) catalog.learn('repositories', root, held)
    expect(state.anchors.after('threads', 0, 10)).toEqual([{ anchor: root.id, number: 1, held: true }])
  })
})
