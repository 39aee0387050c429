import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { encodeEventId, encodePublicKey, encodeRepository } from '../../src/nostr/nip19.ts'
import type { WhyDocument } from '../../src/cli/render/why-steps.ts'
import { announcement, comment, deletion, issue, reaction, state, vanishRequest } from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, endArguments, nowSeconds, type End, type Workbench } from '../support/workbench.ts'

const DAY = 86_400
const mine = smallRepository()
const { announced, issue: bug, comment: remark } = mine
const REFUSAL = 'blocked: no comments here'
const ORPHAN = 'Event event must reference an accepted repository or accepted event'

/** `why --json`. */
async function ask(bench: Workbench, subject: string, source: End | readonly End[], target: End, ...args: string[]) {
  const result = await bench.run(['why', subject, '--json', ...endArguments(source, target), ...args])
  if (result.stdout === '') throw new Error(`exit ${result.code}: ${result.stderr}`)
  return { ...result, why: result.json<WhyDocument>() }
}

describe('why: where it stands', () => {
  it('says held when the target serves it, with the layer and filter by which it belongs', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    const { code, why } = await ask(bench, encodeEventId(remark.id), source, target)
    expect(why).toMatchObject({
      verdict: 'held',
      event: { id: remark.id, kind: 1111, repository: mine.address, name: 'hello' },
      place: { layer: 'threads', filter: '#e', anchor: bug.id },
      target: { answer: 'has' },
      sources: [{ url: source.url, answer: 'has' }],
      next: null,
    })
    expect(code).toBe(0)
  })

  it('says missing when a source has it and no run has sent it, and that catchup would', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: [announced] })]
    const { code, why } = await ask(bench, bug.id, source, target)
    expect(why).toMatchObject({ verdict: 'missing', place: { layer: 'repositories', anchor: mine.address } })
    expect(why.next).toBe('`ngit-sync catchup` with the same options would send it.')
    expect(code).toBe(0)
    expect(target.events()).toHaveLength(1)
  })

  it('says that only a full pass finds what came late to a source that was read to its end', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real()]
    await bench.catchup(source, target)
    const late = issue(mine.address, dave, { createdAt: nowSeconds() - 30 * DAY })
    await source.seed([late])
    const { why } = await ask(bench, late.id, source, target)
    expect(why.verdict).toBe('missing')
    expect(why.sources[0]?.drainedAt).toBeGreaterThan(nowSeconds() - 600)
    expect(why.next).toContain('the next full pass finds it')
  })

  it('names the newer version that the target serves', async () => {
    const bench = createWorkbench()
    const newer = announcement(alice, 'hello', { createdAt: announced.created_at + DAY })
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: [newer] })]
    const { why } = await ask(bench, announced.id, source, target)
    expect(why).toMatchObject({ verdict: 'superseded', by: newer.id, target: { answer: 'newer', version: newer.id } })
  })

  it('takes an address, and tells of its newest version', async () => {
    const bench = createWorkbench()
    const newer = announcement(alice, 'hello', { createdAt: announced.created_at + DAY })
    const [source, target] = [await bench.real({ events: [newer] }), await bench.real({ events: mine.events })]
    const naddr = encodeRepository({ kind: 30617, pubkey: alice.pubkey, d: 'hello' })
    for (const subject of [naddr, `nostr:${naddr}`, mine.address, `${encodePublicKey(alice.pubkey)}/hello`]) {
      const { why } = await ask(bench, subject, source, target)
      expect(why).toMatchObject({
        subject: { type: 'address', address: mine.address },
        event: { id: newer.id },
        verdict: 'missing',
        target: { answer: 'older', version: announced.id },
      })
    }
  })

  it('says damaged when what is served under the id is forged, and believes a true copy elsewhere', async () => {
    const bench = createWorkbench()
    const forged = forge(bug, 'content')
    const liar = await bench.scripted({ events: [announced, forged] })
    const target = await bench.real({ events: [announced] })
    const { code, why } = await ask(bench, forged.id, liar, target)
    expect(why).toMatchObject({ verdict: 'damaged', sources: [{ answer: 'damaged' }], event: null })
    expect(code).toBe(0)
    const honest = await bench.real({ events: mine.events })
    expect((await ask(bench, bug.id, [liar, honest], target)).why).toMatchObject({
      verdict: 'missing',
      sources: [{ answer: 'damaged' }, { answer: 'has' }],
    })
  })
})

describe('why: taken back, or not of the run', () => {
  it.each([
    ['deleted', 'by its id', deletion({ ids: [bug.id] }, bob, { createdAt: bug.created_at + 60 })],
    ['vanished', 'with its author', vanishRequest(['ALL_RELAYS'], bob, { createdAt: bug.created_at + 60 })],
  ] as const)('says %s %s, and names the event that says so', async (verdict, _how, removal) => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events: [...mine.events, removal] }), await bench.real()]
    const { code, why } = await ask(bench, bug.id, source, target)
    expect([why.verdict, why.by, code]).toEqual([verdict, removal.id, 0])
  })

  it('says expired', async () => {
    const bench = createWorkbench()
    const old = issue(mine.address, bob, { tags: [['expiration', '1750000001']] })
    const [source, target] = [await bench.scripted({ events: [announced, old] }), await bench.real()]
    expect((await ask(bench, old.id, source, target)).why.verdict).toBe('expired')
  })

  it('does not believe a deletion of somebody else', async () => {
    const bench = createWorkbench()
    const attack = deletion({ ids: [bug.id] }, dave)
    const [source, target] = [await bench.scripted({ events: [...mine.events, attack] }), await bench.real()]
    expect((await ask(bench, bug.id, source, target)).why.verdict).toBe('missing')
  })

  it('says out of scope: listed asks the repository to name the target', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real()]
    const { code, why } = await ask(bench, bug.id, source, target, '--scope', 'listed')
    expect(why).toMatchObject({ verdict: 'out of scope', place: { layer: null } })
    expect(why.next).toContain('has to name the target in clone and relays')
    expect(code).toBe(0)
  })

  it('says out of scope: the author of a state was invited and has not accepted', async () => {
    const bench = createWorkbench()
    const shared = announcement(alice, 'shared', { maintainers: [bob] })
    const pushed = state(bob, 'shared')
    const [source, target] = [await bench.real({ events: [shared, pushed] }), await bench.real()]
    const { why } = await ask(bench, pushed.id, source, target)
    expect(why).toMatchObject({ verdict: 'out of scope', place: { why: 'out of scope: invited' } })
    expect(why.next).toContain('once its author announces the repository')
  })

  it('finds a reply to a reply by its root, and a reaction to a comment only with --follow-ups', async () => {
    const bench = createWorkbench()
    const answer = comment(remark, dave, { root: bug })
    const liked = reaction(remark, dave)
    const [source, target] = [await bench.real({ events: [...mine.events, answer, liked] }), await bench.real()]
    expect((await ask(bench, answer.id, source, target)).why).toMatchObject({
      place: { layer: 'threads', filter: '#E' },
    })
    const without = await ask(bench, liked.id, source, target)
    expect(without.why).toMatchObject({ verdict: 'out of scope', next: 'It is copied with --follow-ups.' })
    const following = await ask(bench, liked.id, source, target, '--follow-ups')
    expect(following.why).toMatchObject({ verdict: 'missing', place: { layer: 'follow-ups', anchor: remark.id } })
  })

  it('says left out of what no run copies', async () => {
    const bench = createWorkbench()
    const gone = vanishRequest(['wss://elsewhere.example'], bob)
    const [source, target] = [await bench.scripted({ events: [gone] }), await bench.real()]
    expect((await ask(bench, gone.id, source, target)).why).toMatchObject({
      verdict: 'left out',
      place: { why: 'vanish request' },
    })
  })
})

describe('why: what a run has left', () => {
  const answering = (text: string) => (event: NostrEvent) =>
    event.kind === 1111 ? ({ ok: false, text } as const) : 'default'

  it('tells a refusal with its reason, and when it is sent again', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: answering(REFUSAL) })
    await bench.catchup(source, target)
    const { code, why } = await ask(bench, remark.id, source, target)
    expect(why).toMatchObject({
      verdict: 'refused',
      history: { state: 'refused', outcome: 'refused', reason: REFUSAL, attempts: 1, sources: [source.url] },
      next: "Sent again after 30 days, or when the target's software changes.",
      lastRun: { exit: 0 },
    })
    expect(code).toBe(0)
  })

  it('tells what an event waits for, and how to ask about that', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1111 ? { ok: false, text: ORPHAN } : kind === 1621 ? 'silent' : 'default'),
    })
    await bench.catchup(source, target, '--ok-timeout', '300ms')
    const { stdout, code } = await bench.spawn(['why', remark.id, ...endArguments(source, target)])
    expect(stdout).toContain('waiting (0): not taken by the target yet.')
    expect(stdout).toContain(`What it lacks has a path of its own:\n  ngit-sync why ${bug.id}\n`)
    expect(code).toBe(0)
  })

  it('needs no option where the state file knows the only target and its sources', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: answering(REFUSAL) })
    await bench.catchup(source, target)
    const why = (await bench.run(['why', remark.id, '--json'])).json<WhyDocument>()
    expect(why).toMatchObject({ verdict: 'refused', target: { url: target.url }, sources: [{ url: source.url }] })
  })

  it('asks nobody with --offline', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: answering(REFUSAL) })
    await bench.catchup(source, target)
    await source.close()
    target.forgetReceived()
    const refused = await bench.run(['why', remark.id, '--offline', '--json'])
    expect(refused.json<WhyDocument>()).toMatchObject({
      verdict: 'refused',
      target: { answer: 'not asked' },
      sources: [],
    })
    expect([refused.code, target.received.connections]).toEqual([0, 0])
    const sent = await bench.run(['why', bug.id, '--offline', '--json'])
    expect(sent.json<WhyDocument>()).toMatchObject({ verdict: 'held', seenAtTarget: { isOurs: true } })
    const unknown = await bench.run(['why', 'f'.repeat(64), '--offline'])
    expect([unknown.code, unknown.stdout]).toEqual([1, expect.stringContaining('unknown (1)')])
  })

  it('needs no lock, and changes nothing in the state file', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: answering(REFUSAL) })
    await bench.catchup(source, target)
    const before = [bench.spool(), bench.checkpoints()]
    await ask(bench, remark.id, source, target)
    expect([bench.spool(), bench.checkpoints()]).toEqual(before)
    expect(bench.database((db) => db.prepare('SELECT count(*) AS n FROM run').get())).toEqual({ n: 1 })
  })
})

describe('why: what cannot be told', () => {
  it('exits 1 for an id that nobody knows', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real()]
    const { code, stdout } = await bench.spawn(['why', 'f'.repeat(64), ...endArguments(source, target)])
    expect([code, stdout]).toEqual([1, expect.stringContaining('unknown (1): no source and not the target has it')])
  })

  it('exits 1 when the target is down, and tells what sources and state file say', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: (event) => (event.kind === 1111 ? { ok: false, text: REFUSAL } : 'default'),
    })
    await bench.catchup(source, target)
    await target.close()
    const { code, why } = await ask(bench, remark.id, source, target, '--retries', '0', '--connect-timeout', '1s')
    expect(why).toMatchObject({
      verdict: 'refused',
      target: { answer: 'unanswered' },
      sources: [{ answer: 'has' }],
      history: { reason: REFUSAL },
    })
    expect([code, why.exit]).toEqual([1, 1])
  })

  it('exits 1 when every source is down', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.real({ events: mine.events })
    await source.close()
    const { code, why } = await ask(bench, bug.id, source, target, '--retries', '0', '--connect-timeout', '1s')
    expect([code, why.verdict, why.sources[0]?.answer]).toEqual([1, 'held', 'unanswered'])
  })

  it.each([
    [['why'], 'no event: give its id'],
    [['why', 'nevent1xyz'], '"nevent1xyz" is no event: give a nevent, note, naddr'],
    [['why', `nsec1${'q'.repeat(58)}`], 'the event holds a secret key (nsec)'],
    [['why', bug.id, '--source', '-'], '--source - cannot be asked'],
  ])('refuses %j', async (args, problem) => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run([...args, '--target', 'ws://127.0.0.1:9'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)])
  })

  it('asks for --target where the state file knows several', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    for (const target of [await bench.real(), await bench.real()]) await bench.catchup(source, target)
    const { code, stderr } = await bench.spawn(['why', bug.id])
    expect([code, stderr]).toEqual([2, expect.stringContaining('knows several, give --target: ws://127.0.0.1:')])
  })

  it('shows nothing of a stranger unescaped', async () => {
    const bench = createWorkbench()
    const named = announcement(alice, 'hello', { tags: [['name', 'x']] })
    const source = await bench.real({ events: [named, bug, carolsRemark()] })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'blocked: \u001b[2Jno\u202e' }) })
    await bench.catchup(source, target)
    const { stdout } = await bench.run(['why', named.id, ...endArguments(source, target)])
    expect(stdout).toContain('no')
    expect(stdout).not.toMatch(/[\u001b\u202e]/)
  })
})

function carolsRemark(): NostrEvent {
  return comment(bug, carol, { content: 'again' })
}
