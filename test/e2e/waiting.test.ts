import { existsSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import {
  announcement,
  comment,
  deletion,
  graspList,
  issue,
  repositoryAddress,
  state,
  vanishRequest,
} from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { signEvent } from '../support/sign.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, idsOf, nowSeconds, type Outcome, type Workbench } from '../support/workbench.ts'

const START = 1_700_000_000
const MINUTE = 60
const DAY = 86_400
const PURGATORY = "purgatory: won't be served until git data arrives"
const ORPHAN = 'restricted: Event event must reference an accepted repository or accepted event'
const NO_ANNOUNCEMENT = 'invalid: no announcement exists for this repository'
const NOWHERE = 'its parent is at no source and not at the target'
const mine = smallRepository({ startAt: START })
const { announced, state: pushed, issue: bug, comment: remark } = mine

/** A relay with a single event could not show that its pages hold more. */
const others = ['one', 'two'].map((d, n) => announcement(dave, d, { createdAt: START - 100 + n }))

const refusing =
  (text: string, isRefused: (event: NostrEvent) => boolean) =>
  (event: NostrEvent): EventDecision =>
    isRefused(event) ? { ok: false, text } : 'default'
const held = (text: string): EventDecision => ({ ok: true, text, store: false })

/** A target that refuses what refers to nothing that it serves. */
async function startStrict(bench: Workbench): Promise<ScriptedRelay> {
  const target = await bench.scripted({ events: others })
  const serves = (event: NostrEvent): boolean =>
    event.tags.some(([name = '', value = '']) => {
      if (['e', 'E'].includes(name)) return target.events.has(value)
      return ['a', 'A'].includes(name) && [...target.events.values()].some((other) => addressText(other) === value)
    })
  target.behaviour.onEvent = refusing(ORPHAN, (event) => event.kind < 30_000 && !serves(event))
  return target
}

function addressText({ kind, pubkey, tags }: NostrEvent): string {
  return `${kind}:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`
}

function reasonsOf({ report }: Outcome): [what: string, reason: string, count: number][] {
  return report.problems.map(({ what, reason, count }) => [what, reason, count])
}

function summaryOf({ code, report }: Outcome) {
  const { published, parked, refused } = report.totals
  return { code, published, parked, refused }
}

describe('what waits for a parent that nobody has', () => {
  /** The issue was seen once and has vanished from everywhere; a comment on it comes later. */
  async function loseIssue() {
    const bench = createWorkbench()
    const other = issue(mine.address, carol, { createdAt: START + 100 })
    const source = await bench.scripted({ events: [announced, bug, other] })
    const target = await startStrict(bench)
    await bench.catchup(source, target)
    for (const relay of [source, target]) relay.events.delete(bug.id)
    source.events.set(remark.id, remark)
    target.forgetReceived()
    return { bench, source, target }
  }

  it('is not waited for where every source says so (--settle)', async () => {
    const { bench, source, target } = await loseIssue()
    const { report, ...outcome } = await bench.catchup(source, target, '--full', '--settle', '1m')
    expect(summaryOf({ report, ...outcome })).toEqual({ code: 0, published: 1, parked: 0, refused: 1 })
    expect(report.durationMs).toBeLessThan(30_000)
  })

  it('is waited for where a source may have it (--settle)', async () => {
    const { bench, source, target } = await loseIssue()
    const log = bench.path('run.log')
    const isWaiting = (): boolean =>
      existsSync(log) && readFileSync(log, 'utf8').includes('waiting: 1 event for a parent')
    const more = ['--source', 'ws://127.0.0.1:1', '--retries', '0', '--log-file', log]
    const run = bench.catchup(source, target, '--full', '--settle', '1m', ...more)
    await waitFor(isWaiting, { timeoutMs: 20_000 })
    expect(target.events.has(remark.id)).toBe(false)
    target.events.set(bug.id, bug)
    await waitFor(() => target.events.has(remark.id), { timeoutMs: 40_000 })
    expect(summaryOf(await run)).toMatchObject({ code: 3, parked: 0, refused: 0 })
  })

  it('is refused, naming the parent, and makes no later night partial (no false green #12)', async () => {
    const { bench, source, target } = await loseIssue()
    const first = await bench.catchup(source, target, '--full')
    expect(summaryOf(first)).toEqual({ code: 0, published: 1, parked: 0, refused: 1 })
    expect(reasonsOf(first)).toEqual([['refused', `${NOWHERE}: ${ORPHAN} (${bug.id})`, 1]])
    const second = await bench.catchup(source, target, '--full')
    expect(summaryOf(second)).toEqual({ code: 0, published: 0, parked: 0, refused: 1 })
  })

  it('is sent when the parent arrives after all', async () => {
    const { bench, source, target } = await loseIssue()
    await bench.catchup(source, target, '--full')
    source.events.set(bug.id, bug)
    target.forgetReceived()
    const last = await bench.catchup(source, target, '--full')
    expect(target.received.events.map(({ id }) => id)).toEqual([bug.id, remark.id])
    expect(summaryOf(last)).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
  })

  it('waits again, and says for what, when the parent arrives and is held back', async () => {
    const { bench, source, target } = await loseIssue()
    await bench.catchup(source, target, '--full')
    source.events.set(bug.id, bug)
    const strict = target.behaviour.onEvent
    target.behaviour.onEvent = (event, connection) =>
      event.id === bug.id ? held(PURGATORY) : (strict?.(event, connection) ?? 'default')
    const last = await bench.catchup(source, target, '--full')
    expect(reasonsOf(last)).toContainEqual(['waiting', `its parent is pending: ${PURGATORY} (${bug.id})`, 1])
    expect(summaryOf(last)).toMatchObject({ code: 3, parked: 2, refused: 0 })
  })

  it('goes on waiting while a source was not read to its end', async () => {
    const { bench, source, target } = await loseIssue()
    const broken = await bench.scripted({ closeReq: () => 'error: try later' })
    const first = await bench.catchup([source, broken], target, '--full', '--retries', '0')
    expect([first.code, first.report.totals.parked]).toEqual([3, 1])
    expect((await bench.catchup(source, target, '--full')).report.totals).toMatchObject({ parked: 0, refused: 1 })
  })

  it('goes on waiting while a source has it, although it was not asked for it by a layer', async () => {
    const { bench, source, target } = await loseIssue()
    source.events.set(bug.id, bug)
    source.behaviour.onReq = ({ filters, answer }) =>
      filters[0]?.ids === undefined ? { ...answer, rows: answer.rows.filter((row) => !isEvent(row, bug)) } : 'default'
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, report.totals.parked]).toEqual([3, 1])
  })

  it('costs one question to each source, and nothing where nothing waits', async () => {
    const { bench, source, target } = await loseIssue()
    const asked = (): number =>
      source.received.reqs.filter(({ filters }) => filters.some(({ ids = [] }) => ids.includes(bug.id))).length
    source.forgetReceived()
    await bench.catchup(source, target, '--full')
    const inFirst = asked()
    source.forgetReceived()
    await bench.catchup(source, target, '--full')
    // Thrice as the first witness, which is gone: alone, with the others, and again. Then another one is the first.
    expect([inFirst - 3, asked()]).toEqual([1, 0])
  })

  it('is not called so by a retry, which reads no source', async () => {
    const { bench, source, target } = await loseIssue()
    const broken = await bench.scripted({ closeReq: () => 'error: try later' })
    await bench.catchup([source, broken], target, '--full', '--retries', '0')
    const { code } = await bench.run(['retry', '--target', target.url])
    expect([code, bench.spool().map(({ state: where }) => where)]).toEqual([3, ['parked']])
  })
})

function isEvent(row: unknown, { id }: NostrEvent): boolean {
  return typeof row === 'object' && row !== null && 'id' in row && row.id === id
}

describe('what waits for a parent that was taken back, while a source still serves it', () => {
  const parent = 'the parent'
  const byId = (event: NostrEvent, author = alice) => deletion({ ids: [event.id] }, author, { createdAt: START + 500 })

  it.each([
    ['an issue that was deleted', [announced, bug, remark], byId(bug, bob), 'parent deleted'],
    ['an announcement that was deleted by its id', [announced, bug], byId(announced), 'parent deleted'],
    [
      'an issue of somebody who has vanished',
      [announced, bug, remark],
      vanishRequest(['ALL_RELAYS'], bob),
      'parent vanished',
    ],
  ])('is refused with it: %s (no false green #31)', async (_what, events, taken, reason) => {
    const bench = createWorkbench()
    const sources = [await bench.scripted({ events }), await bench.scripted({ events: [taken] })]
    const target = await startStrict(bench)
    const first = await bench.catchup(sources, target)
    expect(reasonsOf(first).map(([what, why]) => [what, why.replace(/[0-9a-f]{64}/g, parent)])).toContainEqual([
      'refused',
      expect.stringContaining(reason),
    ])
    expect(summaryOf(first)).toMatchObject({ code: 0, parked: 0 })
    expect(summaryOf(await bench.catchup(sources, target))).toMatchObject({ code: 0, published: 0, parked: 0 })
  })

  it('is refused with it by a quick run, which does not read the parent again (no false green #31)', async () => {
    const bench = createWorkbench()
    const other = issue(mine.address, carol, { createdAt: START + 100 })
    const source = await bench.scripted({ events: [announced, bug, other] })
    const sources = [source, await bench.scripted({ events: [byId(bug, bob)] })]
    const target = await startStrict(bench)
    await bench.catchup(sources, target)
    const fresh = comment(bug, carol, { createdAt: nowSeconds() })
    source.events.set(fresh.id, fresh)
    const last = await bench.catchup(sources, target)
    expect(summaryOf(last)).toMatchObject({ code: 0, parked: 0 })
    expect(reasonsOf(last)).toContainEqual(['refused', `parent deleted (${bug.id})`, 1])
  })
})

describe('the reason shown', () => {
  it('is that of the present obstacle, however deep: the one that keeps the repository now', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await startStrict(bench)
    const strict = target.behaviour.onEvent
    const announcing = (decision: EventDecision): void => {
      target.behaviour.onEvent = (event, connection) =>
        event.kind === 30617 ? decision : (strict?.(event, connection) ?? 'default')
    }
    announcing({ ok: false, text: 'error: database error' })
    const first = await bench.catchup(source, target)
    const waiting = (why: string): unknown => ['waiting', `its parent is ${why} (${mine.address})`, 2]
    expect(reasonsOf(first)).toContainEqual(waiting('waiting: error: database error'))
    announcing(held(PURGATORY))
    const second = await bench.catchup(source, target)
    expect(reasonsOf(second)).toContainEqual(waiting(`pending: ${PURGATORY}`))
    bench.letPass(36 * MINUTE)
    announcing({ ok: false, text: 'blocked: not here' })
    const third = await bench.catchup(source, target)
    expect(reasonsOf(third)).toContainEqual(['refused', `parent refused: blocked: not here (${mine.address})`, 2])
    expect(third.report.totals.parked).toBe(0)
  })
})

describe('an orphan refusal although the target serves the parent', () => {
  const issues = Array.from({ length: 10 }, (_, n) => issue(mine.address, bob, { createdAt: START + 500 + n }))

  it('is a refusal after three runs over at least a day, each sent by itself before, and is not reopened by its parent (no false green #12)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced, ...issues] })
    const target = await bench.scripted({ onEvent: refusing(ORPHAN, ({ kind }) => kind === 1621) })
    await bench.catchup(source, target)
    const second = await bench.catchup(source, target)
    expect([second.code, second.report.totals.parked]).toEqual([3, 10])
    const early = issues.filter(({ id }) => target.countSends(id) > 0)
    expect(early.length).toBeLessThan(issues.length)
    bench.letPass(DAY + 1)
    const third = await bench.catchup(source, target)
    expect(reasonsOf(third)).toEqual([['refused', ORPHAN, 10]])
    expect(issues.filter(({ id }) => target.countSends(id) === 0)).toEqual([])
    bench.letPass(DAY + 1)
    const last = await bench.catchup(source, target)
    expect(summaryOf(last)).toEqual({ code: 0, published: 0, parked: 0, refused: 10 })
  })
})

describe('a target that was restarted and lost what it held back', () => {
  it('gets the announcement again in the run in which it says that it has none', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced, pushed] })
    const target = await bench.scripted()
    const purgatory = new Set<string>()
    target.behaviour.onEvent = ({ kind, id }) => {
      if (kind === 30618 && !purgatory.has(announced.id)) return { ok: false, text: NO_ANNOUNCEMENT }
      purgatory.add(id)
      return held(PURGATORY)
    }
    await bench.catchup(source, target)
    purgatory.clear()
    bench.letPass(10 * MINUTE)
    const newer = state(alice, 'hello', { createdAt: nowSeconds(), commit: '2'.repeat(40) })
    source.events.set(newer.id, newer)
    target.forgetReceived()
    const { report } = await bench.catchup(source, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([newer.id, announced.id, newer.id])
    expect([...purgatory].sort()).toEqual(idsOf([announced, newer]))
    expect(report.problems.map(({ what, count }) => [what, count])).toEqual([['pending', 2]])
  })

  it('gets it once a run, also when it goes on saying so', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced] })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 30617 ? held(PURGATORY) : { ok: false, text: NO_ANNOUNCEMENT }),
    })
    await bench.catchup(source, target)
    source.events.set(pushed.id, pushed)
    target.forgetReceived()
    bench.letPass(MINUTE)
    await bench.catchup(source, target, '--full')
    expect(target.received.events.map(({ id }) => id)).toEqual([pushed.id, announced.id, pushed.id])
  })
})

describe('a member whom no announcement admits', () => {
  const theirs = announcement(bob, 'hello', { createdAt: START + 20 })
  const state2 = state(bob, 'hello', { createdAt: START + 30 })
  const listing = (at: number, ...maintainers: (typeof bob)[]): NostrEvent =>
    announcement(alice, 'hello', { createdAt: START + at, maintainers })

  it('is reopened by a new announcement of the owner, in the same run and not before', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [listing(10, carol), theirs, state2] })
    const target = await bench.scripted({ onEvent: refusing(NO_ANNOUNCEMENT, ({ kind }) => kind === 30618) })
    await bench.catchup(source, target)
    expect(target.countSends(state2.id)).toBe(2)
    await bench.catchup(source, target)
    bench.letPass(DAY + 1)
    await bench.catchup(source, target)
    expect(bench.spool()).toMatchObject([{ id: state2.id, state: 'refused', reason: NO_ANNOUNCEMENT }])
    target.forgetReceived()
    bench.letPass(DAY + 1)
    expect(summaryOf(await bench.catchup(source, target))).toMatchObject({ code: 0, published: 0 })
    delete target.behaviour.onEvent
    const newer = listing(5_000, bob)
    source.events.set(newer.id, newer)
    bench.letPass(DAY + 1)
    expect(summaryOf(await bench.catchup(source, target))).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(target.received.events.map(({ id }) => id)).toEqual([newer.id, state2.id])
  })

  it('is refused at once by an early relay while he has no announcement anywhere, and reopened by his own', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [listing(10, bob), state2] })
    const target = await bench.scripted({
      events: others,
      // Of ngit-grasp 1.x the states of all who are listed are in scope.
      document: { software: 'https://gitworkshop.dev/ngit-grasp', version: '1.0.2' },
      onEvent: refusing(NO_ANNOUNCEMENT, ({ kind }) => kind === 30618),
    })
    const first = await bench.catchup(source, target, '--scope', 'all')
    expect(reasonsOf(first)).toEqual([
      ['refused', `${NOWHERE}: ${NO_ANNOUNCEMENT} (${repositoryAddress(bob, 'hello')})`, 1],
    ])
    expect(first.code).toBe(0)
    delete target.behaviour.onEvent
    source.events.set(theirs.id, theirs)
    target.forgetReceived()
    await bench.catchup(source, target, '--scope', 'all', '--full')
    expect(target.received.events.map(({ id }) => id)).toEqual([theirs.id, state2.id])
  })
})

describe('a profile that was refused because its author takes no part', () => {
  const NO_PART = 'restricted: Kind 0/10002 author must participate in an accepted repository thread'
  const profile = signEvent(dave, { kind: 0, created_at: START, tags: [['a', mine.address]], content: '{}' })

  it('is sent once more in the run after an event of the author was accepted', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced, profile] })
    const target = await bench.scripted({
      onEvent: (event) => {
        if (event.kind !== 0) return 'default'
        return { ok: false, text: NO_PART }
      },
    })
    const run = (): Promise<Outcome> => bench.catchup(source, target, '--full')
    await run()
    await run()
    expect(target.countSends(profile.id)).toBe(1)
    const said = issue(mine.address, dave, { createdAt: START + 90 })
    source.events.set(said.id, said)
    await run()
    expect(target.countSends(profile.id)).toBe(1)
    bench.letPass(MINUTE)
    await run()
    expect(target.countSends(profile.id)).toBe(2)
    bench.letPass(MINUTE)
    expect(summaryOf(await run())).toMatchObject({ code: 0, published: 0 })
    expect(target.countSends(profile.id)).toBe(2)
  })
})

describe('a wait that would last for ever', () => {
  it.each([ORPHAN, 'blocked: event does not relate to a stored repository'])(
    'is refused at once: a grasp list, with %s (no false green #12)',
    async (text) => {
      const bench = createWorkbench()
      const list = graspList(alice, ['wss://a.example'], { createdAt: START })
      const source = await bench.scripted({ events: [announced, list] })
      const target = await bench.scripted({ events: others, onEvent: refusing(text, ({ kind }) => kind === 10317) })
      const first = await bench.catchup(source, target)
      expect(reasonsOf(first)).toEqual([['refused', text, 1]])
      expect(summaryOf(first)).toEqual({ code: 0, published: 2, parked: 0, refused: 1 })
      expect(summaryOf(await bench.catchup(source, target, '--full'))).toMatchObject({
        code: 0,
        published: 0,
        parked: 0,
      })
    },
  )

  it('is refused at once: an event dated in milliseconds (no false green #12)', async () => {
    const bench = createWorkbench()
    const late = issue(mine.address, bob, { createdAt: START * 1000 })
    const text = 'invalid: created_at too late'
    const source = await bench.scripted({ events: [announced, late] })
    const target = await bench.scripted({ onEvent: refusing(text, ({ id }) => id === late.id) })
    const outcome = await bench.catchup(source, target)
    const why = `${text} (not before second ${late.created_at}: longer than --forget-parked)`
    expect(reasonsOf(outcome)).toEqual([['refused', why, 1]])
    expect(summaryOf(outcome)).toEqual({ code: 0, published: 2, parked: 0, refused: 1 })
  })

  it('is none when its time comes within --forget-parked', async () => {
    const bench = createWorkbench()
    const soon = issue(mine.address, bob, { createdAt: nowSeconds() + DAY })
    const source = await bench.scripted({ events: [announced, soon] })
    const target = await bench.scripted({
      onEvent: refusing('invalid: created_at too late', ({ id }) => id === soon.id),
    })
    expect((await bench.catchup(source, target)).report.totals).toMatchObject({ parked: 1, refused: 0 })
  })
})

describe('two versions of one second', () => {
  const [a, b] = ['x', 'y']
    .map((name) => announcement(alice, 'hello', { createdAt: START, tags: [['t', name]] }))
    .sort((one, other) => (one.id < other.id ? -1 : 1)) as [NostrEvent, NostrEvent]

  it.each([
    ['says no', { ok: false, text: 'replaced: have newer event' }],
    ['has an error', { ok: false, text: 'error: unknown' }],
    ['says OK and keeps its own', { ok: true, store: false }],
    ['says that it has it already', { ok: false, text: 'duplicate: have this event' }],
    ['says OK to a duplicate', { ok: true, text: 'duplicate: have this event', store: false }],
    ['has an unknown text', { ok: false, text: 'nope' }],
  ] as const)('are settled when the target %s, and not sent again (no false green #11)', async (_, reply) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [a] })
    const target = await bench.scripted({ events: [b], onEvent: () => reply })
    const first = await bench.catchup(source, target)
    expect(first.report.layers[0]?.outcomes).toEqual({ superseded: 1 })
    expect([first.code, first.report.totals.parked, first.report.problems]).toEqual([0, 0, []])
    bench.letPass(MINUTE)
    expect(summaryOf(await bench.catchup(source, target, '--full'))).toMatchObject({ code: 0, published: 0 })
  })
})

describe('a no that would settle an event', () => {
  it('is an error of the target, never pending, while it serves nothing of the kind (no false green #11)', async () => {
    const bench = createWorkbench()
    const text = 'replaced: have newer event'
    const source = await bench.scripted({ events: [announced] })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text }) })
    expect(reasonsOf(await bench.catchup(source, target))).toEqual([['waiting', text, 1]])
    await bench.catchup(source, target)
    bench.letPass(DAY + 1)
    const last = await bench.catchup(source, target)
    expect(reasonsOf(last)).toEqual([['refused', text, 1]])
    expect(last.code).toBe(0)
  })
})

describe('an older version', () => {
  const newer = announcement(alice, 'hello', { createdAt: START + 5_000 })
  const announcementsSent = ({ received }: ScriptedRelay): string[] =>
    received.events.filter(({ kind }) => kind === 30617).map(({ id }) => id)

  /** The newer announcement waits for its git data; its source is gone, another has only the older one. */
  async function holdBackNewer() {
    const bench = createWorkbench()
    const target = await bench.scripted({ onEvent: ({ kind }) => (kind === 30617 ? held(PURGATORY) : 'default') })
    const first = await bench.scripted({ events: [newer] })
    await bench.catchup(first, target)
    await first.close()
    target.forgetReceived()
    return { bench, target, other: await bench.scripted({ events: [announced, bug] }) }
  }

  it('is not sent in the place of a newer one that waits for git data, by a full run or after the purgatory expired', async () => {
    const { bench, target, other } = await holdBackNewer()
    await bench.catchup(other, target, '--full')
    expect(announcementsSent(target)).toEqual([])
    bench.letPass(36 * MINUTE)
    await bench.catchup(other, target, '--full')
    expect(announcementsSent(target)).toEqual([newer.id])
  })

  it('is not sent by a backfill, not even as a parent of what lies in the window', async () => {
    const { bench, target, other } = await holdBackNewer()
    const window = ['--since', String(bug.created_at), '--until', String(bug.created_at + 10)]
    await bench.run(['backfill', '--source', other.url, '--target', target.url, ...window])
    await bench.run([
      'backfill',
      '--source',
      other.url,
      '--target',
      target.url,
      '--since',
      '1',
      '--until',
      '2000000000',
    ])
    expect(announcementsSent(target)).toEqual([])
  })

  it('is not sent once the newer one was given up, nor by retry --refused', async () => {
    const { bench, target, other } = await holdBackNewer()
    bench.letPass(31 * DAY)
    await bench.catchup(other, target, '--full')
    await bench.catchup(other, target, '--full')
    await bench.run(['retry', '--refused', '--target', target.url])
    expect(new Set(announcementsSent(target))).toEqual(new Set([newer.id]))
  })

  it('of a state is superseded, not pending, when the target serves a newer one although it took ours', async () => {
    const bench = createWorkbench()
    const newest = state(alice, 'hello', { createdAt: START + 9_000 })
    const source = await bench.scripted({ events: [announced, pushed] })
    const target = await bench.scripted()
    target.behaviour.onEvent = ({ kind }) => {
      if (kind !== 30618) return 'default'
      target.events.set(newest.id, newest)
      return held(PURGATORY)
    }
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[1]?.outcomes).toEqual({ superseded: 1 })
    expect([code, report.totals.parked]).toEqual([0, 0])
  })
})

describe('comments below a repository that is refused', () => {
  it('are refused with it, and come back when it is taken after all', async () => {
    const bench = createWorkbench()
    const answer = comment(remark, carol, { root: bug, createdAt: START + 300 })
    const source = await bench.scripted({ events: [...mine.events, answer] })
    const target = await startStrict(bench)
    const strict = target.behaviour.onEvent
    target.behaviour.onEvent = (event, connection) =>
      event.kind === 30617 ? { ok: false, text: 'blocked: not here' } : (strict?.(event, connection) ?? 'default')
    expect((await bench.catchup(source, target)).code).toBe(0)
    if (strict !== undefined) target.behaviour.onEvent = strict
    const newer = announcement(alice, 'hello', { createdAt: START + 5_000 })
    source.events.set(newer.id, newer)
    const { code } = await bench.catchup(source, target, '--full')
    expect(idsOf(target.events.values())).toEqual(idsOf([...others, newer, pushed, bug, remark, answer]))
    expect(code).toBe(0)
  })
})
