import { describe, expect, it } from 'vitest'

import { generateHistory } from '../support/generate.ts'
import { smallRepository } from '../support/scenes.ts'
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
  it('does not change what the run does', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const running = bench.start(['catchup', ...endArguments(source, target)])
    running.closeStdout()
    const { code, stderr } = await running.finished
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(stderr).not.toContain('EPIPE')
    expect(code).toBe(0)
  })
})
