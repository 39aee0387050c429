import { describe, expect, it } from 'vitest'

import { KIND } from '../../src/nostr/kinds.ts'
import { comment } from '../support/builders.ts'
import { bob, carol, smallRepository, issuesApart } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

/** The fields of the document that `--json` prints without a report. */
const FAILURE = ['version', 'toolVersion', 'exit', 'error', 'hint']
const START = 1_700_000_000
const mine = smallRepository({ startAt: START })

describe('rate limits', () => {
  it('are no refusals: the event is sent again until it is taken', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const limited = new Set<string>()
    const target = await bench.scripted({
      onEvent: ({ id, kind }) => {
        if (kind === 30618 || limited.has(id)) return 'default'
        limited.add(id)
        return { ok: false, text: 'rate-limited: slow down' }
      },
    })
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(report.layers.map(({ published, outcomes }) => [published, outcomes])).toEqual([
      [1, { accepted: 1 }],
      [2, { accepted: 2 }],
      [1, { accepted: 1 }],
    ])
    expect([code, report.problems]).toEqual([0, []])
  })
})

describe('the door', () => {
  const doors: readonly (readonly [string, string])[] = [
    ['wants membership', 'restricted: you are not a member'],
    ['wants NIP-42 and there is no key', 'auth-required: you must auth'],
    ['has banned us', 'blocked: your IP is banned'],
  ]

  it.each(doors)('of a target that %s ends the run with 1; everything waits for the next', async (_how, text) => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text }) })
    const first = await bench.catchup(source, target)
    expect(first.code).toBe(1)
    expect(first.report).toMatchObject({ complete: false, totals: { accepted: 0, parked: 4, refused: 0 } })
    expect(first.report.problems.filter(({ what }) => what !== 'unsent')).toMatchObject([
      { where: target.url, reason: text },
    ])
    expect(bench.spool().map(({ state: place }) => place)).toEqual(Array(4).fill('parked'))
    delete target.behaviour.onEvent
    const second = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([second.code, second.report.totals.parked]).toEqual([0, 0])
  })

  it('that closes in the middle of a run leaves what was taken before to be asked for, not to be sent again', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1621 ? { ok: false, text: 'restricted: you are banned' } : 'default'),
    })
    const first = await bench.catchup(source, target)
    expect([first.code, first.report.totals.parked]).toEqual([1, 4])
    delete target.behaviour.onEvent
    const second = await bench.catchup(source, target)
    expect(mine.events.map(({ id }) => target.countSends(id))).toEqual([1, 1, 2, 1])
    expect([second.code, idsOf(target.events.values())]).toEqual([0, idsOf(mine.events)])
  })

  it('is not what an unknown text is while other events are accepted', async () => {
    const bench = createWorkbench()
    const { announced, issues } = issuesApart(30, START)
    const source = await bench.scripted({ events: [...announced, ...issues] })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1621 ? { ok: false, text: 'not on mondays' } : 'default'),
    })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals]).toMatchObject([3, { accepted: 30, parked: 30 }])
  })
})

describe('an event without an answer', () => {
  it('is parked when the target does not serve it: a real relay answers what is too large with a NOTICE', async () => {
    const bench = createWorkbench()
    const huge = comment(mine.issue, bob, { createdAt: START + 500, content: 'x'.repeat(110_000) })
    const [source, target] = await Promise.all([bench.real({ events: [...mine.events, huge] }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--ok-timeout', '500ms')
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    const unanswered = report.problems.filter(({ what }) => what === 'unanswered')
    expect(unanswered).toMatchObject([{ reason: 'no OK within 500 ms', count: 1, example: huge.id }])
    expect(report.problems.find(({ what }) => what === 'notice')?.reason).toContain('102400 chars')
    expect(report.totals).toMatchObject({ published: 5, accepted: 4, parked: 1 })
    expect(code).toBe(3)
  })

  it('is accepted when the target serves it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => ({ store: true }) })
    const { code, report } = await bench.catchup(source, target, '--ok-timeout', '300ms')
    expect(report.totals).toMatchObject({ published: 4, accepted: 4, parked: 0 })
    expect([code, report.problems]).toEqual([0, []])
  })

  it('is asked for before it is sent again', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: ({ kind }) => (kind === 1111 ? 'silent' : 'default') })
    expect((await bench.catchup(source, target, '--ok-timeout', '300ms')).code).toBe(3)
    target.events.set(mine.comment.id, mine.comment)
    const { code } = await bench.catchup(source, target)
    expect([code, target.countSends(mine.comment.id)]).toEqual([0, 1])
  })
})

describe('an OK', () => {
  it('is no proof: what the target does not serve after it is pending', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1111 ? { ok: true, text: '', store: false } : 'default'),
    })
    const { code, report } = await bench.catchup(source, target)
    expect(report.problems).toMatchObject([{ what: 'pending', example: mine.comment.id }])
    expect(report.totals).toMatchObject({ accepted: 3, parked: 1 })
    expect(code).toBe(3)
  })
})

describe('a target that goes away', () => {
  it('before the run begins is exit 1, with the reason, and no report', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await target.stop()
    const { code, stdout, stderr } = await bench.catchup(source, target, '--retries', '0')
    expect([code, Object.keys(JSON.parse(stdout) as object)]).toEqual([1, FAILURE])
    expect(stderr).toMatch(new RegExp(`connect to ${target.url}.*ECONNREFUSED`))
  })

  it('while events are sent is exit 3; the next run completes', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    target.behaviour.onEvent = ({ kind }) => {
      if (kind !== 1621) return 'default'
      target.behaviour.connections = 'refuse'
      target.dropConnections()
      return 'silent'
    }
    const { code, report } = await bench.catchup(source, target, '--retries', '1')
    expect([code, report.complete]).toEqual([3, false])
    expect(report.problems.map(({ what }) => what)).toContain('target')
    delete target.behaviour.onEvent
    target.behaviour.connections = 'accept'
    const second = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(second.code).toBe(0)
  })

  it('while it is read is exit 3 and moves no checkpoint; the next run completes', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    target.behaviour.closeReq = (filter) => (filter.ids === undefined ? undefined : 'error: out of memory')
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.complete]).toEqual([3, false])
    expect(report.problems.find(({ what }) => what === 'target')?.reason).toContain('out of memory')
    expect(bench.checkpoints()).toEqual([])
    delete target.behaviour.closeReq
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
  })
})

describe('an event whose time passes while the run goes on', () => {
  it('is not sent any more, and is told as expired (no false green #39)', async () => {
    const bench = createWorkbench()
    const endsAt = nowSeconds() + 6
    const brief = comment(mine.issue, carol, { tags: [['expiration', String(endsAt)]] })
    const source = await bench.scripted({ events: [...mine.events, brief] })
    const target = await bench.scripted({
      onEvent: async ({ kind }): Promise<EventDecision> => {
        if (kind === KIND.announcement) await waitFor(() => nowSeconds() >= endsAt, { timeoutMs: 20_000 })
        return 'default'
      },
    })
    const { code, report } = await bench.catchup(source, target, '--ok-timeout', '30s')
    expect(target.countSends(brief.id)).toBe(0)
    expect(report.layers[2]?.outcomes).toMatchObject({ expired: 1 })
    expect([code, bench.spool()]).toEqual([0, []])
  })
})
