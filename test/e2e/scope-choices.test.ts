import { naddrEncode, npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { announcement, repositoryAddress, state } from '../support/builders.ts'
import { listedRepository, listing, SERVICE } from '../support/listed-repository.ts'
import { alice, bob, carol, dave, readingFilters, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000

describe('--scope auto', () => {
  it.each([
    ['a relay with supported_grasps', { supportedGrasps: ['GRASP-01'] }, 'listed'],
    ['a known GRASP relay by its software', { software: 'ngit-grasp' }, 'listed'],
    ['another known GRASP relay', { software: 'https://github.com/danconwaydev/ngit-relay' }, 'listed'],
    ['an archive (GRASP-05)', { supportedGrasps: ['GRASP-01', 'GRASP-05'] }, 'all'],
    ['an archive that is a known GRASP relay', { software: 'ngit-grasp', supportedGrasps: ['GRASP-05'] }, 'all'],
    ['any other relay', {}, 'all'],
  ] as const)('is right for %s', async (_what, options, kind) => {
    const bench = createWorkbench()
    const target = await bench.real(options)
    const listed = listedRepository(target.url)
    const other = smallRepository({ owner: carol, d: 'elsewhere', startAt: START })
    const source = await bench.scripted({ events: [...listed.events, ...other.events] })
    const { code, report } = await bench.catchup(source, target)
    const expected = kind === 'listed' ? listed.events : [...listed.events, ...other.events]
    expect(idsOf(target.events())).toEqual(idsOf(expected))
    expect([code, report.scope.kind]).toEqual([0, kind])
  })

  it('ends with 1 when the document cannot be read and there was no run before', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onDocument: () => ({ status: 500, body: '' }) })
    const { code, stdout, stderr } = await bench.catchup(await bench.scripted(), target)
    expect([code, JSON.parse(stdout), target.received.events]).toMatchObject([1, { exit: 1 }, []])
    expect(stderr).toMatch(/NIP-11.*HTTP 500.*--scope/s)
  })

  it.each([
    ['HTTP 500', { status: 500, body: '' }],
    ['a redirect', { status: 302, body: '', headers: { location: '/elsewhere' } }],
    ['a page that is no JSON', { body: '<html>gateway timeout</html>' }],
    ['a document of 100 KiB', { body: JSON.stringify({ name: 'x'.repeat(102_400) }) }],
  ])('never widens: after %s the scope of the last run holds', async (_what, reply) => {
    const bench = createWorkbench()
    const target = await bench.scripted({ document: { supported_grasps: ['GRASP-01'] } })
    const listed = listedRepository(target.url)
    const other = smallRepository({ owner: carol, d: 'elsewhere', startAt: START })
    const source = await bench.scripted({ events: [...listed.events, ...other.events] })
    await bench.catchup(source, target)
    target.behaviour.onDocument = () => reply
    const { code, report } = await bench.catchup(source, target, '--full')
    expect(idsOf(target.events.values())).toEqual(idsOf(listed.events))
    expect([code, report.scope.kind]).toEqual([0, 'listed'])
    expect(report.scope.why).toContain('as in the last run')
  })

  it('is listed under the service that is named', async () => {
    const bench = createWorkbench()
    const target = await bench.real({ supportedGrasps: ['GRASP-01'] })
    const { events } = listedRepository()
    const source = await bench.real({ events })
    const { code, report } = await bench.catchup(source, target, '--service', SERVICE)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect([code, report.scope.kind]).toEqual([0, 'listed'])
  })
})

describe('a named scope', () => {
  const mine = smallRepository()
  const other = smallRepository({ d: 'other', startAt: START })
  const theirs = smallRepository({ owner: bob, d: 'theirs', startAt: START + 1_000 })
  const everything = [...mine.events, ...other.events, ...theirs.events]
  const npub = npubEncode(alice.pubkey)

  it.each([
    ['an naddr', naddrEncode({ kind: 30617, pubkey: alice.pubkey, identifier: 'hello', relays: ['wss://x.example'] })],
    ['an address', mine.address],
    ['npub/identifier', `${npub}/hello`],
    ['a nostr:// clone URL', `nostr://${npub}/relay.example.com/hello`],
  ])('is --repo with %s', async (_what, text) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: everything }), bench.scripted()])
    const { code, report } = await bench.catchup(source, target, '--repo', text)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([code, report.scope]).toEqual([0, { kind: 'named', why: 'named on the command line', repositories: 1 }])
  })

  it('may name several repositories', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: everything }), bench.real()])
    await bench.catchup(source, target, '--repo', mine.address, theirs.address)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...theirs.events]))
  })

  it.each([
    ['npub', npub],
    ['hex', alice.pubkey],
  ])('is --author with %s: all repositories of that author', async (_what, text) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: everything }), bench.real()])
    await bench.catchup(source, target, '--author', text)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...other.events]))
  })

  it('asks sources for nothing that it does not want', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: everything }), bench.scripted()])
    await bench.catchup(source, target, '--repo', mine.address)
    const announcements = readingFilters(source).filter(({ kinds }) => kinds?.includes(30617))
    expect(announcements.map(({ authors, '#d': d }) => [authors, d])).toEqual(
      announcements.map(() => [[alice.pubkey], ['hello']]),
    )
  })

  it('copies an identifier that holds colons', async () => {
    const bench = createWorkbench()
    const odd = smallRepository({ d: 'a:b:c' })
    const [source, target] = await Promise.all([bench.real({ events: odd.events }), bench.real()])
    await bench.catchup(source, target, '--repo', odd.address)
    expect(idsOf(target.events())).toEqual(idsOf(odd.events))
  })

  it('shares no checkpoint of the whole with another scope', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: everything }), bench.real()])
    await bench.catchup(source, target, '--repo', mine.address)
    source.forgetReceived()
    await bench.catchup(source, target, '--scope', 'all')
    const whole = readingFilters(source).filter(({ kinds, authors }) => kinds?.includes(30617) && authors === undefined)
    expect(new Set(whole.map(({ since }) => since))).toEqual(new Set([undefined]))
    expect(idsOf(target.events())).toEqual(idsOf(everything))
  })

  it('excludes --scope: both are named at once, exit 2', async () => {
    const bench = createWorkbench()
    const args = [...endArguments('a.jsonl', 'b.jsonl'), '--repo', mine.address, '--scope', 'all']
    const { code, stderr } = await bench.run(['catchup', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain('--scope and --repo exclude each other')
  })
})

describe('state events', () => {
  it('are taken from owners and recursive maintainers only, in scope all too', async () => {
    const bench = createWorkbench()
    const owner = announcement(alice, 'hello', { createdAt: START, maintainers: [bob] })
    const second = announcement(bob, 'hello', { createdAt: START + 1, maintainers: [carol] })
    const third = announcement(carol, 'hello', { createdAt: START + 2 })
    const [ofOwner, ofBob, ofCarol, ofDave] = [alice, bob, carol, dave].map((key, index) =>
      state(key, 'hello', { createdAt: START + 10 + index }),
    )
    const pushy = state(dave, 'pushy', { createdAt: START + 20, tags: [['a', repositoryAddress(alice, 'hello')]] })
    const wanted = [owner, second, third, ofOwner, ofBob, ofCarol].flatMap((event) => event ?? [])
    const unwanted = [ofDave, pushy].flatMap((event) => event ?? [])
    const [source, target] = await Promise.all([bench.real({ events: [...wanted, ...unwanted] }), bench.real()])
    const { report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(wanted))
    expect(report.layers[1]?.dropped).toMatchObject({ 'out of scope': 1 })
  })

  it('are left out and counted of who is invited, who left, and who leads elsewhere', async () => {
    const bench = createWorkbench()
    const owner = announcement(alice, 'hello', { createdAt: START, maintainers: [bob, carol, dave] })
    const left = announcement(carol, 'hello', { createdAt: START + 1, tags: [['m', carol.pubkey, '1', '2']] })
    const forward = announcement(dave, 'hello', { createdAt: START + 2, tags: [['M', bob.pubkey]] })
    const states = [alice, bob, carol, dave].map((key, index) => state(key, 'hello', { createdAt: START + 10 + index }))
    const source = await bench.real({ events: [owner, left, forward, ...states] })
    const target = await bench.real()
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([owner, left, forward, ...states.slice(0, 1)]))
    expect(report.layers[1]?.dropped).toEqual({
      'out of scope: invited': 1,
      'out of scope: left': 1,
      'out of scope: leads elsewhere': 1,
    })
    expect(code).toBe(0)
  })

  it('of who is invited are taken by an early GRASP relay', async () => {
    const bench = createWorkbench()
    const document = {
      software: 'https://gitworkshop.dev/ngit-grasp',
      version: '1.0.2',
      supported_grasps: ['GRASP-01'],
    }
    const target = await bench.scripted({ document })
    const { events } = listedRepository()
    const owner = listing('hello', 'https://grasp.example.com/x.git', SERVICE, { maintainers: [bob], createdAt: START })
    const pushed = state(bob, 'hello', { createdAt: START + 10 })
    const source = await bench.scripted({ events: [...events.slice(1), owner, pushed] })
    await bench.catchup(source, target, '--service', SERVICE)
    expect([...target.events.keys()]).toContain(pushed.id)
  })

  it('go with the acceptance of a maintainer in one quick run, however old they are', async () => {
    const bench = createWorkbench()
    const owner = announcement(alice, 'hello', { createdAt: START, maintainers: [bob] })
    const pushed = [alice, bob].map((key, index) => state(key, 'hello', { createdAt: START + 10 + index }))
    const [source, target] = await Promise.all([bench.real({ events: [owner, ...pushed] }), bench.real()])
    await bench.catchup(source, target)
    expect(target.events()).toHaveLength(2)
    const acceptance = announcement(bob, 'hello', { createdAt: nowSeconds(), maintainers: [alice] })
    await source.seed([acceptance])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([owner, acceptance, ...pushed]))
    expect([code, report.sources[0]?.layers[0]?.mode]).toEqual([0, 'since'])
  })
})
