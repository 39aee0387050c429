import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { generateHistory } from '../support/generate.ts'
import { refusesMany } from '../support/refuses-many.ts'
import { smallRepository } from '../support/scenes.ts'
import type { Behaviour, ReqEnd } from '../support/scripted-behaviour.ts'
import type { ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { createWorkbench, differenceOf, endArguments, idsOf } from '../support/workbench.ts'

const mine = smallRepository()
const many = [...generateHistory({ repositories: 40, rootsPerRepository: 6, commentsPerRoot: 1, statuses: false })]

describe('the limits that a relay states in its NIP-11 document', () => {
  it('bound the length of messages, to the source and to the target', async () => {
    const bench = createWorkbench()
    const limits = { maxMessageBytes: 8_192, document: { limitation: { max_message_length: 8_192 } } }
    const source = await bench.scripted({ events: many, ...limits })
    const target = await bench.scripted(limits)
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.problems]).toEqual([0, []])
    expect(differenceOf(target.events.values(), many)).toEqual({ missing: [], extra: [] })
    expect([source.received.connections, target.received.connections]).toEqual([1, 1])
  })

  it.each([1, 2, 3])('bound the number of open REQs: %i', async (most) => {
    const bench = createWorkbench()
    const open = { now: 0, most: 0 }
    const source = await bench.scripted({
      events: mine.events,
      document: { limitation: { max_subscriptions: most } },
      onReq: async (): Promise<'default'> => {
        open.now += 1
        open.most = Math.max(open.most, open.now)
        await new Promise((resolve) => setTimeout(resolve, 5))
        open.now -= 1
        return 'default'
      },
    })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(open.most).toBeLessThanOrEqual(most)
    expect(code).toBe(0)
  })

  it('bound the limit of a REQ', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, document: { limitation: { max_limit: 3 } }, pageCap: 3 })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target)
    const limits = source.received.reqs.flatMap(({ filters }) => filters).map(({ limit = Infinity }) => limit)
    expect(Math.max(...limits)).toBeLessThanOrEqual(4)
    expect([code, idsOf(target.events())]).toEqual([0, idsOf(mine.events)])
  })
})

/** Enough roots for filters of more than ten values and of more than 4 kB, and for many questions at once. */
const some = [...generateHistory({ repositories: 16, rootsPerRepository: 6, commentsPerRoot: 1, statuses: false })]

/** How many values the filter names. */
function countValues(filter: Filter = {}): number {
  return Object.values(filter).reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 0), 0)
}

/** Answers a filter of more than ten values in this way. */
function refusesLarge(end: ReqEnd): Behaviour {
  return { onReq: ({ filters: [filter] }) => (countValues(filter) > 10 ? { rows: [], end } : 'default') }
}

const UNANNOUNCED: readonly (readonly [name: string, options: () => ScriptedRelayOptions, says: RegExp])[] = [
  [
    'CLOSED for too many values',
    () => refusesLarge({ type: 'closed', reason: 'invalid: too many values' }),
    /asked for at most \d+ values at once/,
  ],
  [
    'a NOTICE for too many values',
    () => refusesLarge({ type: 'notice', text: 'ERROR: too many values in filter' }),
    /asked for at most \d+ values at once/,
  ],
  ['close 1009 over 4 kB', () => ({ maxMessageBytes: 4_000 }), /asked for at most \d+ bytes at once/],
  [
    'CLOSED for too many at once',
    () => refusesMany({ type: 'closed', reason: 'error: too many concurrent REQs' }),
    /asked (?:one question|2 questions) at a time/,
  ],
  [
    'a NOTICE for too many at once',
    () => refusesMany({ type: 'notice', text: 'too many concurrent REQs' }),
    /asked (?:one question|2 questions) at a time/,
  ],
]

describe('the limits that a relay states nowhere', () => {
  it.each(UNANNOUNCED)('are learnt at a source: %s (no false green #13)', async (_, options, says) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: some, ...options() })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--idle-timeout', '10s')
    expect(differenceOf(target.events.values(), some)).toEqual({ missing: [], extra: [] })
    expect([code, report.notes.join()]).toEqual([0, expect.stringMatching(says)])
  })

  it.each(UNANNOUNCED)('are learnt at a target: %s (no false green #13)', async (_, options) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: some })
    const target = await bench.scripted(options())
    const { code } = await bench.catchup(source, target, '--idle-timeout', '10s')
    expect(differenceOf(target.events.values(), some)).toEqual({ missing: [], extra: [] })
    expect(code).toBe(0)
  })
})

describe('a source that wants patience', () => {
  it('gets it: a REQ that is closed as rate-limited is asked again', async () => {
    const bench = createWorkbench()
    let refusals = 2
    const source = await bench.scripted({
      events: mine.events,
      closeReq: () => ((refusals -= 1) >= 0 ? 'rate-limited: too many REQs' : undefined),
    })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events())]).toEqual([0, idsOf(mine.events)])
  })
})

describe('a target with small pages', () => {
  it('is never sent what it holds: its ids are asked for until none is missing', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: many })
    const target = await bench.scripted({ events: many.slice(0, 300), pageCap: 7 })
    const { code, report } = await bench.catchup(source, target)
    expect(differenceOf(target.received.events, many.slice(300))).toEqual({ missing: [], extra: [] })
    expect([code, report.totals.accepted]).toEqual([0, many.length - 300])
  })
})

describe('one source that is named twice', () => {
  it('is one source', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { code, report } = await bench.catchup([source, `${source.url}/`], target)
    expect([code, report.sources.map(({ url }) => url)]).toEqual([0, [source.url]])
  })
})

describe('a reader that goes away', () => {
  it('does not change what the run does, but got no report: exit 1 with one line', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const running = bench.start(['catchup', ...endArguments(source, target)])
    running.closeStdout()
    const { code, stderr } = await running.finished
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect([code, stderr]).toEqual([1, 'error: write to standard output: the reader closed the pipe\n'])
  })
})

describe('a source that limits how many REQs it answers', () => {
  it('is drained: one pause for all, fewer at once, and the time is shown (no false green #34)', async () => {
    const bench = createWorkbench()
    // Twenty at once, then two for each half second of silence.
    const limits = { queries: { burst: 20, gain: 2 }, secondMs: 500 }
    const history = [
      ...generateHistory({ repositories: 20, rootsPerRepository: 60, commentsPerRoot: 0, statuses: false }),
    ]
    const source = await bench.scripted({ events: history, pageCap: 100, limits })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.problems]).toEqual([0, []])
    expect(differenceOf(target.events.values(), history)).toEqual({ missing: [], extra: [] })
    expect(report.notes.join()).toMatch(/Asking ws:\S+ took \d+ s longer: it limits how many questions it answers/)
  })
})

describe('a source that stops answering', () => {
  it('is given up after three questions, and the others do not wait for it (no false green #35)', async () => {
    const bench = createWorkbench()
    const history = [
      ...generateHistory({ repositories: 2, rootsPerRepository: 300, commentsPerRoot: 1, statuses: false }),
    ]
    const healthy = await bench.scripted({ events: history })
    const silent = await bench.scripted({ events: history })
    silent.behaviour.onReq = ({ filters: [filter] }) =>
      filter?.kinds === undefined ? { rows: [], end: { type: 'never' } } : 'default'
    const target = await bench.scripted()
    const args = ['--no-reconcile', '--idle-timeout', '2s']
    const { code, report } = await bench.catchup([healthy, silent], target, ...args)
    expect(code).toBe(3)
    expect(differenceOf(target.events.values(), history)).toEqual({ missing: [], extra: [] })
    // So many are open at once: no other is ever asked.
    const unanswered = silent.received.reqs.filter(({ filters: [filter] }) => filter?.kinds === undefined)
    expect(unanswered.length).toBeLessThanOrEqual(4)
    const said = report.problems.filter(({ where, reason }) => where === silent.url && reason.includes('given up'))
    // Once for each layer, not for each request.
    expect(said.length).toBeLessThanOrEqual(2)
    expect(said).toContainEqual(
      expect.objectContaining({
        reason: expect.stringMatching(/^threads not read to the end: given up: 3 questions/) as string,
      }),
    )
    expect(bench.checkpoints(silent).filter(({ layer }) => layer === 'threads')).toEqual([])
  })
})
