import { describe, expect, it } from 'vitest'

import { comment, deletion, issue, state, vanishRequest } from '../support/builders.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const START = 1_700_000_000
const LATER = START + 100_000
const mine = smallRepository({ startAt: START })
const fromCarol = vanishRequest(['ALL_RELAYS'], carol, { createdAt: LATER })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]

describe('what an author asked to be forgotten', () => {
  it.each(['source', 'target'])(
    'is not copied when the %s has the request, and neither is the request',
    async (place) => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: [...mine.events, ...(place === 'source' ? [fromCarol] : [])] })
      const target = await bench.scripted({ events: place === 'target' ? [fromCarol] : [] })
      const { code, report } = await bench.catchup(source, target)
      expect(idsOf(target.received.events)).toEqual(idsOf([announced, pushed, bug]))
      expect(report.layers.map(({ dropped }) => dropped)).toEqual([{}, {}, { vanished: 1 }])
      expect([code, report.complete]).toEqual([0, true])
    },
  )

  it('is not copied when only another source has the request', async () => {
    const bench = createWorkbench()
    const [first, second] = await Promise.all([
      bench.scripted({ events: mine.events }),
      bench.scripted({ events: [fromCarol] }),
    ])
    const target = await bench.scripted()
    await bench.catchup([first, second], target)
    expect(target.countSends(remark.id)).toBe(0)
  })

  it('is copied when the request names another relay only', async () => {
    const bench = createWorkbench()
    const elsewhere = vanishRequest(['wss://elsewhere.example'], carol, { createdAt: LATER })
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...mine.events, elsewhere] }),
      bench.scripted(),
    ])
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.received.events)]).toEqual([0, idsOf(mine.events)])
  })

  it.each(['its URL', '--service'])('is not copied when the request names the target by %s', async (by) => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const name = by === '--service' ? 'https://git.example.org/grasp/' : `${target.url}/`
    const request = vanishRequest([name], carol, { createdAt: LATER })
    const source = await bench.scripted({ events: [...mine.events, request] })
    await bench.catchup(source, target, '--service', 'wss://git.example.org/grasp')
    expect(target.countSends(remark.id)).toBe(0)
  })

  it.each([
    ['of the same second', LATER, 0],
    ['a second later', LATER + 1, 1],
  ])('ends with the time of the request: an event %s', async (_, createdAt, sends) => {
    const bench = createWorkbench()
    const event = comment(bug, carol, { createdAt })
    const source = await bench.scripted({ events: [announced, bug, event, fromCarol] })
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect([code, target.countSends(event.id)]).toEqual([0, sends])
  })

  it('includes deletions', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [remark.id] }, carol, { createdAt: LATER - 1 })
    const source = await bench.scripted({ events: [...mine.events, gone, fromCarol] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    expect(idsOf(target.received.events)).toEqual(idsOf([announced, pushed, bug]))
  })

  it('is honoured with --deletions skip as well', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...mine.events, fromCarol] }),
      bench.scripted(),
    ])
    const { code } = await bench.catchup(source, target, '--deletions', 'skip')
    expect([code, target.countSends(remark.id)]).toEqual([0, 0])
  })

  it('is copied when the signature of the request is forged', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...mine.events, forge(fromCarol)] }),
      bench.scripted(),
    ])
    await bench.catchup(source, target)
    expect(target.countSends(remark.id)).toBe(1)
  })

  it('is no difference for check', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...mine.events, fromCarol] })
    const target = await bench.scripted({ events: [announced, pushed, bug] })
    const { code } = await bench.run(['check', ...endArguments(source, target)])
    expect(code).toBe(0)
  })

  it('leaves what depends on it refused with its parent, and the next run sends nothing', async () => {
    const bench = createWorkbench()
    const request = vanishRequest(['ALL_RELAYS'], bob, { createdAt: LATER })
    const source = await bench.scripted({ events: [announced, bug, remark, request] })
    const target = await bench.scripted({
      onEvent: ({ kind }) =>
        kind === 1111
          ? { ok: false, text: 'Event event must reference an accepted repository or accepted event' }
          : 'default',
    })
    const { code, report } = await bench.catchup(source, target)
    const reason = `parent vanished (${bug.id})`
    expect(report.problems).toMatchObject([{ what: 'refused', reason, example: remark.id }])
    expect(code).toBe(0)
    target.forgetReceived()
    expect([(await bench.catchup(source, target)).code, target.received.events]).toEqual([0, []])
  })

  it('is settled when it waited on disk', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ id }) => (id === remark.id ? { ok: false, text: 'error: busy' } : 'default'),
    })
    expect((await bench.catchup(source, target)).code).toBe(3)
    source.events.set(fromCarol.id, fromCarol)
    target.forgetReceived()
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[2]?.outcomes).toEqual({ vanished: 1 })
    expect([code, target.received.events]).toEqual([0, []])
  })
})

describe('a request to vanish', () => {
  it('that a layer brings is counted and not copied', async () => {
    const bench = createWorkbench()
    const request = vanishRequest(['wss://elsewhere.example'], carol, { createdAt: LATER, tags: [['a', mine.address]] })
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...mine.events, request] }),
      bench.scripted(),
    ])
    const { code, report } = await bench.catchup(source, target)
    expect([code, target.countSends(request.id), report.layers[1]?.dropped]).toEqual([0, 0, { 'vanish request': 1 }])
  })

  it('is asked for once of each relay and author, and of those only that have something to send', async () => {
    const bench = createWorkbench()
    const many = Array.from({ length: 300 }, (_, index) => issue(mine.address, bob, { createdAt: START + 200 + index }))
    const source = await bench.scripted({ events: [...mine.events, ...many, state(alice, 'other')] })
    const target = await bench.scripted({ events: [announced, remark] })
    await bench.catchup(source, target)
    for (const relay of [source, target]) {
      const asked = relay.received.reqs.flatMap(({ filters }) => filters).filter(({ kinds }) => kinds?.join() === '62')
      const first = asked.filter(({ until }) => until === undefined).flatMap(({ authors = [] }) => authors)
      expect(first.sort()).toEqual([alice.pubkey, bob.pubkey].sort())
    }
  })

  it('that a source cannot be asked for leaves the run partial', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({
      events: mine.events,
      onReq: ({ filters, answer }) =>
        filters.some(({ kinds }) => kinds?.join() === '62')
          ? { ...answer, end: { type: 'closed', reason: 'error: no' } }
          : 'default',
    })
    const { code } = await bench.catchup(source, await bench.scripted())
    expect([code, bench.checkpoints()]).toEqual([3, []])
  })
})
