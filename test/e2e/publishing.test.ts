import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, state } from '../support/builders.ts'
import { alice, carol, smallRepository, issuesApart } from '../support/scenes.ts'
import type { EventReply } from '../support/scripted-behaviour.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const DAY = 86_400
const mine = smallRepository({ startAt: START })

describe('a target that refuses some events for good', () => {
  it('is complete: what it refused is shown with its reason and counted', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.real({ events: mine.events }),
      bench.real({ acceptsOnly: [30617, 30618, 1621] }),
    ])
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events.slice(0, 3)))
    expect(report.problems).toEqual([
      {
        what: 'refused',
        where: target.url,
        reason: 'blocked: kind 1111 not accepted',
        count: 1,
        example: mine.comment.id,
      },
    ])
    expect(report.layers[2]).toMatchObject({ published: 1, outcomes: { refused: 1 } })
    expect(report.totals).toMatchObject({ accepted: 3, refused: 1, parked: 0 })
    expect(code).toBe(0)
  })

  it('is not asked again in the next run, nor in a full one', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const onEvent = ({ kind }: NostrEvent): EventReply =>
      kind === 1111 ? { ok: false, text: 'blocked: no comments here' } : { ok: true }
    const target = await bench.scripted({ onEvent })
    await bench.catchup(source, target)
    await bench.catchup(source, target)
    const { code, report } = await bench.catchup(source, target, '--full')
    expect(target.countSends(mine.comment.id)).toBe(1)
    expect(report.totals).toMatchObject({ published: 0, refused: 1 })
    expect(code).toBe(0)
  })

  it.each([
    ['its software changes', async () => ({ version: '2.0.0' }), 60],
    ['30 days have passed', async () => ({}), 31 * DAY],
  ] as const)('is asked again when %s', async (_when, nextDocument, seconds) => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const onEvent = ({ kind }: NostrEvent): EventReply =>
      kind === 1111 ? { ok: false, text: 'blocked: no comments here' } : { ok: true }
    const target = await bench.scripted({ onEvent })
    await bench.catchup(source, target)
    delete target.behaviour.onEvent
    target.behaviour.document = await nextDocument()
    bench.letPass(seconds)
    const { code, report } = await bench.catchup(source, target, '--full')
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(report.totals).toMatchObject({ published: 1, accepted: 1, refused: 0 })
    expect(code).toBe(0)
  })
})

describe('the answers of real relays', () => {
  const answers: readonly (readonly [outcome: string, text: string])[] = [
    ['waiting', 'Event event must reference an accepted repository or accepted event'],
    ['waiting', 'invalid: no announcement exists for this repository'],
    ['waiting', 'invalid: author not authorized for this repository'],
    ['waiting', 'blocked: event does not relate to a stored repository'],
    ['waiting', 'error: unknown'],
    ['waiting', 'error: database error'],
    ['waiting', 'Database query failed: disk I/O error'],
    ['waiting', 'git init failed: no space left'],
    ['waiting', 'a text that nobody has ever seen'],
    ['deleted', 'blocked: this event is deleted'],
    ['deleted', 'blocked: this event has been deleted'],
    ['deleted', 'invalid: accepted deletion request for this event'],
    ['deleted', 'deleted: user requested deletion'],
    ['expired', 'blocked: event is expired'],
    ['protected', 'blocked: event marked as protected'],
    ['refused', 'Invalid identifier: too long'],
    ['refused', 'npub1something is blacklisted'],
    ['refused', 'blocked: event contains too large tags'],
    ['refused', 'pow: 28 bits needed'],
    ['refused', 'mute: no one may see this'],
    ['invalid', 'invalid: invalid event ID'],
    ['invalid', 'invalid: invalid event signature'],
    ['too-large', 'invalid: event too large: 70000'],
  ]

  it('lead each to its outcome, and each text reaches the report', async () => {
    const bench = createWorkbench()
    const { announced, issues } = issuesApart(answers.length, START)
    const source = await bench.scripted({ events: [...announced, ...issues] })
    const replies = new Map(issues.map(({ id }, n) => [id, { ok: false, text: answers[n]?.[1] ?? '' }]))
    const target = await bench.scripted({ onEvent: ({ id }) => replies.get(id) ?? 'default' })
    const { code, report } = await bench.catchup(source, target)
    const told = report.problems.map(({ what, reason, example }) => [example, what, reason])
    const expected = issues.map(({ id }, n) => [id, ...(answers[n] ?? [])])
    expect(told.sort()).toEqual(expected.sort())
    expect(code).toBe(3)
  })

  it('that are OK without a text, for duplicates and dropped versions alike, are read back', async () => {
    const bench = createWorkbench()
    const newer = state(alice, 'hello', { createdAt: START + 5_000 })
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    target.behaviour.onEvent = ({ kind }) => {
      if (kind !== 30618) return 'default'
      target.events.set(newer.id, newer)
      return { ok: true, text: '', store: false }
    }
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[1]?.outcomes).toEqual({ superseded: 1, accepted: 1 })
    expect(code).toBe(0)
  })

  it('that say a newer version is there are superseded', async () => {
    const bench = createWorkbench()
    const newer = state(alice, 'hello', { createdAt: START + 5_000 })
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    target.behaviour.onEvent = ({ kind }) => {
      if (kind !== 30618) return 'default'
      target.events.set(newer.id, newer)
      return { ok: false, text: 'replaced: have newer event' }
    }
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[1]?.outcomes).toEqual({ superseded: 1, accepted: 1 })
    expect([code, report.problems]).toEqual([0, []])
  })

  it.each(['error: unknown', 'error: could not write'])(
    'that say "%s" are superseded where a newer one is served',
    async (text) => {
      const bench = createWorkbench()
      const newer = state(alice, 'hello', { createdAt: START + 5_000 })
      const source = await bench.real({ events: mine.events })
      const target = await bench.scripted()
      target.behaviour.onEvent = ({ kind }) => {
        if (kind !== 30618) return 'default'
        target.events.set(newer.id, newer)
        return { ok: false, text }
      }
      const { code, report } = await bench.catchup(source, target)
      expect(report.layers[1]?.outcomes).toEqual({ superseded: 1, accepted: 1 })
      expect(code).toBe(0)
    },
  )

  it('that say the event is there already are duplicates', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: () => ({ ok: true, text: 'duplicate: have this event', store: true }),
    })
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers.map(({ outcomes }) => outcomes)).toEqual([
      { duplicate: 1 },
      { duplicate: 2 },
      { duplicate: 1 },
    ])
    expect(code).toBe(0)
  })

  it('that are about a protected event settle it', async () => {
    const bench = createWorkbench()
    const hidden = comment(mine.issue, carol, { createdAt: START + 500, tags: [['-']] })
    const source = await bench.real({ events: [...mine.events, hidden] })
    const target = await bench.scripted({
      onEvent: ({ tags }) =>
        tags.some(([name]) => name === '-') ? { ok: false, text: 'auth-required: you must auth' } : 'default',
    })
    const { code, report } = await bench.catchup(source, target)
    expect(report.problems).toMatchObject([{ what: 'protected', example: hidden.id }])
    expect(report.layers[2]?.outcomes).toEqual({ accepted: 1, protected: 1 })
    expect(code).toBe(0)
  })

  it('that an event is too far in the future make it wait until then', async () => {
    const bench = createWorkbench()
    const early = comment(mine.issue, carol, { createdAt: nowSeconds() + 3_600 })
    const source = await bench.real({ events: [...mine.events, early] })
    const target = await bench.scripted({
      onEvent: ({ id }) => (id === early.id ? { ok: false, text: 'blocked: event too much in the future' } : 'default'),
    })
    const first = await bench.catchup(source, target)
    expect(first.report.problems).toMatchObject([{ what: 'waiting', example: early.id }])
    delete target.behaviour.onEvent
    const second = await bench.catchup(source, target, '--full')
    expect([target.countSends(early.id), second.code]).toEqual([1, 3])
    bench.database((db) => db.prepare('UPDATE spool SET retry_at = retry_at - 7200').run())
    const third = await bench.catchup(source, target)
    expect([target.events.has(early.id), third.code]).toEqual([true, 0])
  })

  it('of an error that lasts three runs over a day become a refusal', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1111 ? { ok: false, text: 'error: cannot index this' } : 'default'),
    })
    const codes: (number | null)[] = []
    for (let run = 1; run <= 4; run += 1) {
      codes.push((await bench.catchup(source, target)).code)
      bench.letPass(10 * 3_600)
    }
    expect(codes).toEqual([3, 3, 3, 0])
    expect(bench.spool()).toMatchObject([{ state: 'refused', outcome: 'refused', reason: 'error: cannot index this' }])
  })
})
