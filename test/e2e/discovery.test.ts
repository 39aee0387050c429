import { writeFileSync } from 'node:fs'

import { nsecEncode, npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { announcement, comment, deletion, issue, repositoryAddress, SOME_TIME, state } from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf, type Outcome } from '../support/workbench.ts'

const START = 1_700_000_000
const ANYWHERE = ['--discover', '--discover-allow', 'private', '--discover-allow', 'insecure']
const NOWHERE = 'ws://127.0.0.1:1'

/** The sources of a report that were discovered. */
function discoveredIn({ report }: Outcome): string[] {
  return report.sources.filter(({ discovered }) => discovered).map(({ url }) => url)
}

/** Everything that a relay was asked, as text. */
function askedOf({ received }: ScriptedRelay): string {
  return JSON.stringify([received.reqs, received.negs])
}

const NARROW = ['ids', 'authors', '#a', '#A', '#q', '#e', '#E'] as const

/** The question how many rows a page holds: for as many of any sort as one page had. */
function isProbe({ limit, since, ...rest }: Filter): boolean {
  return limit !== undefined && since === 0 && Object.keys(rest).length === 0
}

/** A repository whose issue is known to everyone and whose comment is at another relay only. */
function splitRepository(relays: readonly string[], options: { readonly d?: string; readonly startAt?: number } = {}) {
  const repository = smallRepository({ relays, ...options })
  return {
    ...repository,
    here: [repository.announced, repository.issue],
    there: [repository.state, repository.comment],
  }
}

describe('--discover', () => {
  it('brings what is only at a relay that an announcement names', async () => {
    const bench = createWorkbench()
    const [other, target] = await Promise.all([bench.real(), bench.real()])
    const { events, here } = splitRepository([other.url])
    await other.seed(events)
    const source = await bench.real({ events: here })
    const outcome = await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect([outcome.code, discoveredIn(outcome), outcome.report.notes]).toEqual([0, [other.url], []])
  })

  it('is off unless it is asked for', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { here } = splitRepository([other.url])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const outcome = await bench.catchup(source, target)
    expect([outcome.code, discoveredIn(outcome), other.received.connections]).toEqual([0, [], 0])
  })

  it('can be set in the environment', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { here } = splitRepository([other.url])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const env = { NGIT_SYNC_DISCOVER: '1', NGIT_SYNC_DISCOVER_ALLOW: 'private,insecure', NGIT_SYNC_DISCOVER_MAX: '3' }
    const { code } = await bench.run(['catchup', '--json', ...endArguments(source, target)], { env })
    expect([code, other.received.connections]).toEqual([0, 1])
  })

  it('goes on to the relays that the announcements found there name', async () => {
    const bench = createWorkbench()
    const [second, third, fourth, target] = await Promise.all([bench.real(), bench.real(), bench.real(), bench.real()])
    const { announced, issue: bug, comment: remark } = splitRepository([second.url])
    const newer = announcement(alice, 'hello', { createdAt: SOME_TIME + 1_000, relays: [second.url, third.url] })
    const newest = announcement(alice, 'hello', { createdAt: SOME_TIME + 2_000, relays: [fourth.url] })
    await Promise.all([second.seed([newer]), third.seed([newest, bug]), fourth.seed([remark])])
    const source = await bench.real({ events: [announced] })
    const outcome = await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf([newest, bug, remark]))
    expect([outcome.code, discoveredIn(outcome)]).toEqual([0, [second.url, third.url, fourth.url]])
  })

  it('finds the relay of a GRASP server by its clone URL', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const clone = [`http://127.0.0.1:${other.port}/${npubEncode(alice.pubkey)}/hello.git`]
    const { events, announced } = smallRepository({ clone })
    for (const event of events) other.events.set(event.id, event)
    const [source, target] = await Promise.all([bench.real({ events: [announced] }), bench.real()])
    const outcome = await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(discoveredIn(outcome)).toEqual([other.url])
  })

  it('asks a relay once, by however many URLs it is named', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const forms = [
      `${other.url}/`,
      `WS://127.0.0.1:${other.port}`,
      `ws://127.1:${other.port}`,
      `${other.url}?a=b`,
      `${other.url}/#x`,
    ]
    const { here } = splitRepository(forms)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const outcome = await bench.catchup(source, target, ...ANYWHERE)
    expect([discoveredIn(outcome), other.received.connections]).toEqual([[other.url], 1])
  })

  it('does not add a source that is named already', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted()
    const { events } = splitRepository([`${source.url}/`])
    for (const event of events) source.events.set(event.id, event)
    const outcome = await bench.catchup(source, await bench.real(), ...ANYWHERE)
    expect([outcome.code, outcome.report.sources.length, source.received.connections]).toEqual([0, 1, 1])
  })

  it('publishes nothing in a second run, which asks the discovered relay for what is new only', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { events, here, address } = splitRepository([other.url])
    for (const event of events) other.events.set(event.id, event)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.scripted()])
    await bench.catchup(source, target, ...ANYWHERE)
    const anchors = bench.checkpoints(other).map(({ anchor }) => anchor)
    other.forgetReceived()
    target.forgetReceived()
    const { code, report } = await bench.catchup(source, target, ...ANYWHERE)
    expect([code, target.received.events, report.sources[1]?.layers.map(({ mode }) => mode)]).toEqual([
      0,
      [],
      ['since', 'since', 'since'],
    ])
    expect(anchors).toContain(address)
  })

  it('reads within --max-bytes', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { here } = splitRepository([other.url])
    const bug = issue(repositoryAddress(alice, 'hello'), bob, { content: 'x'.repeat(50_000) })
    other.events.set(bug.id, bug)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const { code, report } = await bench.catchup(source, target, ...ANYWHERE, '--max-bytes', '20kB')
    expect(code).toBe(3)
    expect(report.sources.map(({ url, complete }) => [url, complete])).toEqual([
      [source.url, true],
      [other.url, false],
    ])
  })

  it('asks a discovered relay before anything is sent that it knows to be deleted', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { announced, issue: bug, here } = splitRepository([other.url])
    const gone = deletion({ ids: [bug.id] }, bob, { createdAt: SOME_TIME + 1_000 })
    other.events.set(gone.id, gone)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf([announced, gone]))
  })
})

describe('what a discovered relay is asked', () => {
  it('is about the repositories that name it and no others', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted({ negentropy: true })
    const named = splitRepository([other.url])
    const foreign = smallRepository({ owner: dave, d: 'elsewhere', startAt: START, relays: ['wss://relay.test'] })
    const reply = comment(foreign.comment, dave, { createdAt: START + 999, root: foreign.issue })
    for (const event of [...named.there, ...foreign.events]) other.events.set(event.id, event)
    const source = await bench.real({ events: [...named.here, ...foreign.events, reply] })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target, ...ANYWHERE)
    expect(code).toBe(0)
    expect(idsOf(target.events())).toEqual(idsOf([...named.events, ...foreign.events, reply]))
    const asked = askedOf(other)
    for (const { id } of [...foreign.events, reply]) expect(asked).not.toContain(id)
    expect(asked).not.toContain(foreign.address)
    expect(asked).not.toContain(dave.pubkey)
    for (const value of [named.address, named.issue.id, `"#d":["hello"]`]) expect(asked).toContain(value)
    const filters = [...other.received.reqs, ...other.received.negs].flatMap((asking) =>
      'filters' in asking ? asking.filters : (asking.filter ?? []),
    )
    const unbound = filters.filter((filter) => !NARROW.some((key) => filter[key] !== undefined) && !isProbe(filter))
    expect(unbound).toEqual([])
    const anchors = bench.checkpoints(other).map(({ anchor }) => anchor)
    expect(anchors.length).toBeGreaterThan(3)
    for (const anchor of anchors) expect([foreign.address, foreign.issue.id, 'all']).not.toContain(anchor)
  })

  it('is about all who maintain the repository, if one of them names it', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const owner = announcement(alice, 'hello', { createdAt: START, maintainers: [bob, carol] })
    const second = announcement(bob, 'hello', { createdAt: START + 1, relays: [other.url] })
    const third = announcement(carol, 'hello', { createdAt: START + 2 })
    const pushed = [alice, carol].map((key) => state(key, 'hello', { createdAt: START + 5 }))
    const bug = issue(repositoryAddress(alice, 'hello'), dave, { createdAt: START + 6 })
    const remark = comment(bug, carol, { createdAt: START + 7 })
    for (const event of [third, ...pushed, remark]) other.events.set(event.id, event)
    const [source, target] = await Promise.all([bench.real({ events: [owner, second, bug] }), bench.real()])
    await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf([owner, second, third, bug, ...pushed, remark]))
  })

  it('is about the threads of all repositories that a root names', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const upstream = announcement(dave, 'upstream', { createdAt: START })
    const fork = announcement(alice, 'fork', { createdAt: START + 1, relays: [other.url] })
    const both = [['a', repositoryAddress(alice, 'fork')]]
    const shared = issue(repositoryAddress(dave, 'upstream'), bob, { createdAt: START + 2, tags: both })
    const alone = issue(repositoryAddress(dave, 'upstream'), bob, { createdAt: START + 3 })
    const remarks = [shared, alone].map((root) => comment(root, carol, { createdAt: START + 4 }))
    for (const event of remarks) other.events.set(event.id, event)
    const known = [upstream, fork, shared, alone]
    const [source, target] = await Promise.all([bench.real({ events: known }), bench.real({ events: known })])
    await bench.catchup(source, target)
    await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf([...known, ...remarks.slice(0, 1)]))
  })

  it('grows when a newer announcement names it for another repository', async () => {
    const bench = createWorkbench()
    const [second, third] = await Promise.all([bench.scripted(), bench.scripted()])
    const hello = splitRepository([third.url, second.url])
    const late = splitRepository([second.url], { d: 'late', startAt: START })
    const moved = announcement(alice, 'late', { createdAt: START + 5_000, relays: [third.url, second.url] })
    second.events.set(moved.id, moved)
    for (const event of [...hello.there, ...late.there]) third.events.set(event.id, event)
    const source = await bench.real({ events: [...hello.here, ...late.here] })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target, ...ANYWHERE)
    const wanted = [...hello.events, moved, late.state, late.issue, late.comment]
    expect([code, idsOf(target.events())]).toEqual([0, idsOf(wanted)])
    const asked = third.received.reqs.map(({ filters }) => JSON.stringify(filters))
    const first = asked.filter(
      (text) => text.includes('"#A"') && text.includes(hello.address) && text.includes('"limit"'),
    )
    expect(first.length).toBeGreaterThan(0)
    expect(bench.checkpoints(third).map(({ anchor }) => anchor)).toEqual(
      expect.arrayContaining([hello.address, late.address]),
    )
  })

  it('is about missing parents of its own repositories only', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const named = smallRepository({ relays: [other.url], startAt: START })
    const foreign = smallRepository({ owner: dave, d: 'elsewhere', startAt: START })
    const replies = [named, foreign].map(({ issue: root, comment: parent }) =>
      comment(parent, bob, { createdAt: START + 9_000, root }),
    )
    for (const event of [named.comment, foreign.comment]) other.events.set(event.id, event)
    const known = [named, foreign].flatMap(({ announced, issue: bug }) => [announced, bug])
    const [source, target] = await Promise.all([bench.real({ events: [...known, ...replies] }), bench.real()])
    const args = ['backfill', '--json', ...endArguments(source, target), ...ANYWHERE, '--since', String(START + 8_000)]
    await bench.run(args)
    expect(idsOf(target.events())).toContain(named.comment.id)
    expect(idsOf(target.events())).not.toContain(foreign.comment.id)
    expect(askedOf(other)).not.toContain(foreign.comment.id)
  })
})

describe('what is not discovered', () => {
  it('are loopback and private addresses, by address or by name, unless they are allowed', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const urls = [other.url, `ws://localhost:${other.port}`, 'wss://10.0.0.1', `ws://[::ffff:127.0.0.1]:${other.port}`]
    const { here } = splitRepository(urls)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const outcome = await bench.catchup(source, target, '--discover', '--discover-allow', 'insecure')
    expect([outcome.code, discoveredIn(outcome), other.received.connections]).toEqual([0, [], 0])
    expect(outcome.report.notes).toHaveLength(1)
    for (const part of ['left out 4', '--discover-allow private', ...urls.slice(0, 3)])
      expect(outcome.report.notes[0]).toContain(part)
  })

  it('are hidden services, link-local addresses and public hosts without encryption', async () => {
    const bench = createWorkbench()
    const urls = ['ws://abc.onion', 'ws://169.254.169.254/latest', 'ws://1.1.1.1', 'https://git.example.org']
    const { here } = splitRepository(urls)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const outcome = await bench.catchup(source, target, '--discover', '--discover-allow', 'private')
    expect([outcome.code, discoveredIn(outcome)]).toEqual([0, []])
    for (const url of urls) expect(outcome.report.notes.filter((note) => note.includes(url))).toHaveLength(1)
  })

  it('are relays beyond --discover-max: those that most people name come first, the others are named', async () => {
    const bench = createWorkbench()
    const [popular, other] = await Promise.all([bench.scripted(), bench.scripted()])
    const both = announcement(alice, 'a', { createdAt: START, relays: [other.url, popular.url] })
    const one = announcement(bob, 'b', { createdAt: START + 1, relays: [popular.url] })
    const [source, target] = await Promise.all([bench.real({ events: [both, one] }), bench.real()])
    const outcome = await bench.catchup(source, target, ...ANYWHERE, '--discover-max', '1')
    expect([outcome.code, discoveredIn(outcome), other.received.connections]).toEqual([0, [popular.url], 0])
    expect(outcome.report.notes).toEqual([`Discovery left out 1 URL: beyond --discover-max: ${other.url}.`])
  })

  it('is the target, by its own URL, by its public one, or by another name', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const alias = `ws://localhost:${target.port}`
    const { here } = splitRepository([
      target.url,
      alias,
      `${target.url}/path`,
      'ws://git.example.org',
      'wss://git.example.org/x',
    ])
    const source = await bench.real({ events: here })
    const outcome = await bench.catchup(source, target, ...ANYWHERE, '--service', 'wss://git.example.org')
    expect([outcome.code, discoveredIn(outcome), target.received.connections]).toEqual([0, [], 1])
    expect(outcome.report.notes).toEqual([`Discovery left out 1 URL: the target under another name: ${alias}.`])
  })

  it('is a relay that has the key of the target: it is the target behind another address', async () => {
    const bench = createWorkbench()
    const document = { self: carol.pubkey }
    const [target, other] = await Promise.all([bench.scripted({ document }), bench.scripted({ document })])
    const { here } = splitRepository([other.url])
    const outcome = await bench.catchup(await bench.real({ events: here }), target, ...ANYWHERE)
    expect([outcome.code, discoveredIn(outcome), other.received.reqs]).toEqual([0, [], []])
    expect(outcome.report.notes[0]).toContain(other.url)
  })

  it('is what announcements out of scope name', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const foreign = smallRepository({ owner: dave, d: 'elsewhere', relays: [other.url] })
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events: [...events, ...foreign.events] }), bench.real()])
    const outcome = await bench.catchup(source, target, ...ANYWHERE, '--author', npubEncode(alice.pubkey))
    expect([outcome.code, discoveredIn(outcome), other.received.connections]).toEqual([0, [], 0])
  })

  it('is told without what a stranger could do to a terminal', async () => {
    const bench = createWorkbench()
    const { here } = splitRepository(['\u001b[31mred\u202e', 'wss://relay.test/\u001b]0;title'])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target), '--discover'])
    expect(stdout).toContain('\\x1b[31mred\\u{202e}')
    expect(stdout).not.toMatch(/[\u001b\u202e]/)
  })
})

describe('a discovered relay', () => {
  it('never gets an answer to its challenge, although there is a key', async () => {
    const bench = createWorkbench()
    const operator = keyOf('operator')
    writeFileSync(bench.path('key'), nsecEncode(operator.secret), { mode: 0o600 })
    const other = await bench.scripted({ requireAuth: ['read'] })
    const { here } = splitRepository([other.url])
    const source = await bench.scripted({ events: here, requireAuth: ['read'] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, ...ANYWHERE, '--key-file', bench.path('key'))
    expect([code, other.received.auths]).toEqual([3, []])
    expect(source.received.auths.length).toBeGreaterThan(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(here))
    expect(report.problems.filter(({ what }) => what === 'key')).toEqual([])
    expect(report.sources[1]?.notes.join()).toContain('--source')
  })

  it('that is down makes the run partial and is named; what the others have arrives, and their checkpoints move', async () => {
    const bench = createWorkbench()
    const { here } = splitRepository([NOWHERE])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const outcome = await bench.catchup(source, target, ...ANYWHERE, '--retries', '0')
    expect([outcome.code, discoveredIn(outcome)]).toEqual([3, [NOWHERE]])
    expect(outcome.report.problems).toMatchObject([{ what: 'source', where: NOWHERE }])
    expect(idsOf(target.events())).toEqual(idsOf(here))
    expect(bench.checkpoints(source).length).toBeGreaterThan(0)
    expect(bench.checkpoints({ url: NOWHERE })).toEqual([])
  })

  it('that goes away while it is read leaves no checkpoint', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted({ closeReq: (filter) => (filter['#A'] === undefined ? undefined : 'error: no') })
    const { here, address } = splitRepository([other.url])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const { code } = await bench.catchup(source, target, ...ANYWHERE)
    const anchors = bench.checkpoints(other).map(({ layer, anchor }) => [layer, anchor])
    expect(code).toBe(3)
    expect(anchors).toContainEqual(['announcements', address])
    expect(anchors).not.toContainEqual(['repositories', address])
  })

  it('is read by check as well; --both does not ask what it lacks', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { events, here, there } = splitRepository([other.url])
    for (const event of events) other.events.set(event.id, event)
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real({ events: here })])
    const args = ['check', '--json', '--both', '--ids', ...endArguments(source, target), ...ANYWHERE]
    const { code, stdout } = await bench.run(args)
    const { check, sources } = JSON.parse(stdout) as Outcome['report']
    expect([code, [...(check?.ids ?? [])].toSorted()]).toEqual([5, idsOf(there)])
    expect(sources.map(({ discovered }) => discovered)).toEqual([false, true])
    expect(check?.both?.map(({ source: url }) => url)).toEqual([source.url])
  })

  it('stands in the report for people as what it is', async () => {
    const bench = createWorkbench()
    const other = await bench.scripted()
    const { here } = splitRepository([other.url])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target), ...ANYWHERE])
    expect(stdout).toContain(`${other.url} · discovered`)
  })

  it('that sends what was not asked for brings nothing of it in', async () => {
    const bench = createWorkbench()
    const foreign: NostrEvent = announcement(dave, 'foreign', { createdAt: START })
    const other = await bench.scripted({ extraRows: () => [foreign] })
    const { here } = splitRepository([other.url])
    const [source, target] = await Promise.all([bench.real({ events: here }), bench.real()])
    await bench.catchup(source, target, ...ANYWHERE)
    expect(idsOf(target.events())).toEqual(idsOf(here))
  })
})
