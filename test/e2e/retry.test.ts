import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import type { ParkedEvent, RefusedEvent } from '../../src/report/status.ts'
import { issue, SOME_TIME } from '../support/builders.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, endArguments, idsOf, type Workbench } from '../support/workbench.ts'

const MINUTE = 60
const DAY = 86_400
const PURGATORY = "purgatory: won't be served until git data arrives"
const ORPHAN = 'Event event must reference an accepted repository or accepted event'
const UNLISTED = "Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist."
const ERROR = 'error: database error'
const mine = smallRepository()
const { announced, state: pushed, issue: bug, comment: remark } = mine

const onlyFor =
  (kind: number, decision: EventDecision) =>
  (event: NostrEvent): EventDecision =>
    event.kind === kind ? decision : 'default'
const failing = onlyFor(1111, { ok: false, text: ERROR })

async function retry(bench: Workbench, target: ScriptedRelay, ...args: readonly string[]) {
  const result = await bench.run(['retry', '--target', target.url, '--json', ...args])
  return { ...result, report: result.json<Report>() }
}

/** A run that leaves something parked or refused, after which the source is gone. */
async function leaveBehind(bench: Workbench, target: ScriptedRelay): Promise<void> {
  const source = await bench.scripted({ events: mine.events })
  await bench.catchup(source, target)
  await source.close()
  target.forgetReceived()
}

describe('retry', () => {
  it('sends what waits, without any source, and moves no checkpoint', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    const before = bench.checkpoints()
    delete target.behaviour.onEvent
    const { code, report } = await retry(bench, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([remark.id])
    expect(report).toMatchObject({
      command: 'retry',
      exit: 0,
      sources: [],
      totals: { published: 1, accepted: 1, parked: 0 },
    })
    expect([code, bench.spool(), bench.checkpoints()]).toEqual([0, [], before])
  })

  it('is partial while something stays parked', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    const { code, report } = await retry(bench, target)
    expect([code, report.totals.parked]).toEqual([3, 1])
    expect(report.problems).toMatchObject([{ what: 'waiting', reason: ERROR, count: 1, example: remark.id }])
  })

  it('asks first: what the target serves by now is not sent', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    target.events.set(remark.id, remark)
    const { code, report } = await retry(bench, target)
    expect([code, report.totals.accepted, target.received.events]).toEqual([0, 1, []])
  })

  it('asks for what is pending, and sends it again 35 minutes after its last OK only', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: true, text: PURGATORY, store: false }) })
    await leaveBehind(bench, target)
    bench.letPass(30 * MINUTE)
    expect([(await retry(bench, target)).code, target.countSends(remark.id)]).toEqual([3, 0])
    bench.letPass(6 * MINUTE)
    expect([(await retry(bench, target)).code, target.countSends(remark.id)]).toEqual([3, 1])
    target.events.set(remark.id, remark)
    expect([(await retry(bench, target)).code, target.countSends(remark.id)]).toEqual([0, 1])
  })

  it('sends children once the target serves their parent, in order', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: onlyFor(30617, { ok: true, text: PURGATORY, store: false }) })
    await leaveBehind(bench, target)
    expect([(await retry(bench, target)).code, target.countSends(bug.id)]).toEqual([3, 0])
    for (const event of [announced, pushed]) target.events.set(event.id, event)
    const { code } = await retry(bench, target)
    expect([code, target.received.events.map(({ id }) => id)]).toEqual([0, [bug.id, remark.id]])
  })

  it('with nothing parked is complete and says so', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    await leaveBehind(bench, target)
    const { code, stdout } = await bench.run(['retry', '--target', target.url])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^complete \(0\): nothing waits for the target\. took /)
    expect(target.received.events).toEqual([])
  })

  it('sends nothing with --dry-run', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    const { code, report } = await retry(bench, target, '--dry-run')
    expect([code, report.totals.published, target.received.events]).toEqual([0, 1, []])
    expect(bench.spool()).toHaveLength(1)
  })

  it('does not widen the scope of the next run', async () => {
    const bench = createWorkbench()
    const listing = { clone: ['https://git.example/a/hello.git'], relays: ['wss://git.example'] }
    const listed = smallRepository({ d: 'listed', ...listing })
    const foreign = smallRepository({ d: 'foreign' })
    const source = await bench.scripted({ events: [...listed.events, ...foreign.events] })
    const target = await bench.scripted({ document: { supported_grasps: ['GRASP-01'] } })
    const service = ['--service', 'wss://git.example']
    await bench.catchup(source, target, ...service)
    await retry(bench, target)
    target.behaviour.onDocument = () => ({ status: 500, body: '' })
    const { report } = await bench.catchup(source, target, ...service)
    expect(report.scope.kind).toBe('listed')
    expect(idsOf(target.events.values())).toEqual(idsOf(listed.events))
  })

  it('takes no source, and no standard output as its target', async () => {
    const bench = createWorkbench()
    const other = await bench.run(['retry', '--target', 'ws://a', '--source', 'ws://b'])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--source is not an option of retry')])
    expect((await bench.run(['retry', '--target', '-'])).code).toBe(2)
    expect((await bench.run(['retry'])).stderr).toContain('no target: give --target, NGIT_SYNC_TARGET,')
  })
})

describe('what was refused', () => {
  const refusing = onlyFor(30617, { ok: false, text: UNLISTED })

  it('is left alone by retry', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: false, text: 'blocked: no comments' }) })
    await leaveBehind(bench, target)
    delete target.behaviour.onEvent
    const { code, report } = await retry(bench, target)
    expect([code, report.totals, target.received.events]).toMatchObject([0, { published: 0, refused: 1 }, []])
  })

  it('is tried again with --refused, with what was refused for want of it', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({
      onEvent: (event) => (event.kind === 30617 ? refusing(event) : { ok: false, text: ORPHAN }),
    })
    await leaveBehind(bench, target)
    expect(new Set(bench.spool().map(({ state }) => state))).toEqual(new Set(['refused']))
    delete target.behaviour.onEvent
    const { code, report } = await retry(bench, target, '--refused')
    expect([code, report.totals]).toMatchObject([0, { accepted: 4, refused: 0, parked: 0 }])
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
  })

  it('is remembered as before when it is refused again', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: false, text: 'blocked: no comments' }) })
    await leaveBehind(bench, target)
    const { code, report } = await retry(bench, target, '--refused')
    expect([code, target.countSends(remark.id)]).toEqual([0, 1])
    expect(report.problems).toMatchObject([{ what: 'refused', reason: 'blocked: no comments', count: 1 }])
    bench.letPass(MINUTE)
    expect((await retry(bench, target)).report.problems).toEqual([])
    expect(target.countSends(remark.id)).toBe(1)
  })

  it('is not sent again because the target does not say what it is for once', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: false, text: 'blocked: no comments' }) })
    await bench.catchup(source, target)
    target.behaviour.onDocument = () => ({ status: 500, body: '' })
    await bench.catchup(source, target, '--full')
    expect(target.countSends(remark.id)).toBe(1)
  })

  it('for want of its parent is sent when that is accepted after all', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({
      onEvent: (event) => (event.kind === 30617 ? refusing(event) : { ok: false, text: ORPHAN }),
    })
    await bench.catchup(source, target)
    delete target.behaviour.onEvent
    target.behaviour.document = { software: 'scripted-relay', version: '2.0.0' }
    // Only the announcement comes again: the others are known to be refused by the older version as well.
    for (const event of [pushed, bug, remark]) source.events.delete(event.id)
    const { code } = await bench.catchup(source, target, '--full')
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })
})

describe('what was given up', () => {
  async function giveUp(bench: Workbench, target: ScriptedRelay): Promise<void> {
    const source = await bench.scripted({ events: mine.events })
    await bench.catchup(source, target)
    bench.letPass(31 * DAY)
    const { report } = await bench.catchup(source, target)
    expect(report.layers.map(({ outcomes }) => outcomes['given-up'] ?? 0).reduce((a, b) => a + b)).toBeGreaterThan(0)
    await source.close()
    target.forgetReceived()
  }

  it('was tried once more before', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    bench.letPass(31 * DAY)
    delete target.behaviour.onEvent
    expect((await retry(bench, target)).report.totals).toMatchObject({ accepted: 1, refused: 0 })
  })

  it('is left alone by retry, and tried again with --refused', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await giveUp(bench, target)
    delete target.behaviour.onEvent
    expect([(await retry(bench, target)).code, target.received.events]).toEqual([0, []])
    const { code } = await retry(bench, target, '--refused')
    expect([code, target.received.events.map(({ id }) => id)]).toEqual([0, [remark.id]])
  })

  it('is tried again when its parent is accepted, by any run', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 30617 ? { ok: true, store: false } : { ok: false, text: ORPHAN }),
    })
    await giveUp(bench, target)
    delete target.behaviour.onEvent
    for (const event of [announced, pushed]) target.events.set(event.id, event)
    const { code } = await retry(bench, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([bug.id, remark.id])
    expect([code, bench.spool()]).toEqual([0, []])
  })
})

describe('an error that lasts', () => {
  it('is a refusal after three runs over at least a day', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: false, text: 'computer says no' }) })
    await leaveBehind(bench, target)
    expect((await retry(bench, target)).code).toBe(3)
    expect((await retry(bench, target)).code).toBe(3)
    bench.letPass(DAY + 1)
    const { code, report } = await retry(bench, target)
    expect([code, report.totals]).toMatchObject([0, { parked: 0, refused: 1 }])
    expect(report.problems).toMatchObject([{ what: 'refused', reason: 'computer says no' }])
  })
})

describe('status', () => {
  type Lists = { readonly version: number; readonly parked?: ParkedEvent[]; readonly refused?: RefusedEvent[] }

  it('--parked --json lists every parked event with all that is known of it', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ onEvent: onlyFor(30617, { ok: true, text: PURGATORY, store: false }) })
    const { report } = await bench.catchup(source, target)
    const result = await bench.run(['status', '--parked', '--json'])
    const { parked = [], refused } = result.json<Lists>()
    expect([result.code, result.stdout.endsWith('}\n'), refused]).toEqual([0, true, undefined])
    expect(idsOf(parked)).toEqual(idsOf([announced, bug, remark]))
    const pending = parked.find(({ id }) => id === announced.id)
    expect(pending).toMatchObject({
      target: target.url,
      kind: 30617,
      address: mine.address,
      layer: 'announcements',
      outcome: 'pending',
      reason: PURGATORY,
      attempts: 1,
      sources: [source.url],
    })
    expect(pending?.parkedAt).toBe(report.startedAt)
    expect((pending?.nextTryAt ?? 0) - report.startedAt).toBeGreaterThanOrEqual(35 * MINUTE)
    expect(parked.find(({ id }) => id === bug.id)).toMatchObject({
      kind: 1621,
      address: null,
      nextTryAt: null,
      attempts: 0,
    })
  })

  it('--refused --json lists what was refused, by whom; both lists may be asked for', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ onEvent: onlyFor(1111, { ok: false, text: 'blocked: \u001b[2J' }) })
    await bench.catchup(source, target)
    const { stdout, json } = await bench.run(['status', '--refused', '--parked', '--json', '--target', target.url])
    expect(stdout).not.toContain('\u001b')
    expect(json<Lists>()).toMatchObject({
      version: 1,
      parked: [],
      refused: [{ id: remark.id, reason: 'blocked: \u001b[2J', software: 'scripted-relay 1.0.0', attempts: 1 }],
    })
    const other = await bench.run(['status', '--refused', '--parked', '--json', '--target', 'ws://other.example'])
    expect([other.code, other.json()]).toMatchObject([2, { error: expect.stringContaining(target.url) as string }])
  })

  it('--parked lists them for a person, and says when there are none', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: failing })
    await leaveBehind(bench, target)
    const { stdout } = await bench.run(['status', '--parked'])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`waiting at ${target.url}: "${ERROR}"`)
    expect(stdout).toMatch(/^   1\d+ [a-z ]+npub1.*\/hello /m)
    delete target.behaviour.onEvent
    await retry(bench, target)
    expect((await bench.run(['status', '--parked', '--refused'])).stdout).toBe('no event waits\n\nnone was refused\n')
  })

  it('--parked --json writes thousands of them as one document', async () => {
    const bench = createWorkbench()
    const issues = Array.from({ length: 2_000 }, (_, n) => issue(mine.address, bob, { createdAt: SOME_TIME + n }))
    const file = bench.file('many.jsonl', [announced, ...issues])
    const target = await bench.scripted({ onEvent: onlyFor(30617, { ok: true, text: PURGATORY, store: false }) })
    await bench.run(['catchup', ...endArguments(file, target)])
    const { json } = await bench.run(['status', '--parked', '--json'])
    expect(json<Lists>().parked).toHaveLength(2_001)
  })
})
