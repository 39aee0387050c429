import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, issue, SOME_TIME } from '../support/builders.ts'
import type { GraspRelay } from '../support/grasp-relay.ts'
import { alice, bob, carol, smallRepository, type SmallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf, type Outcome } from '../support/workbench.ts'

const MINUTE = 60

/** Repositories with issues and comments that want to be served by this relay. */
function repositoriesFor({ url }: GraspRelay, count: number): SmallRepository[] {
  return Array.from({ length: count }, (_, n) => {
    const d = `repository-${n}`
    const clone = [`${url.replace('ws:', 'http:')}/alice/${d}.git`]
    return smallRepository({ d, clone, relays: [url], startAt: SOME_TIME + n * 10 * MINUTE })
  })
}

function eventsOf(repositories: readonly SmallRepository[]): NostrEvent[] {
  return repositories.flatMap(({ events }) => events)
}

/** How often each of these was sent, when that is the same for all; else every number that occurs. */
function sendsOf(target: GraspRelay, events: readonly NostrEvent[]): number[] {
  return [...new Set(events.map(({ id }) => target.countSends(id)))]
}

function summaryOf({ code, report }: Outcome) {
  const { published, parked, refused } = report.totals
  return { code, published, parked, refused }
}

describe('a bootstrap of a GRASP relay', () => {
  it('ends with everything served once its git data has arrived, over several runs, and sends nothing twice', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const repositories = repositoriesFor(target, 30)
    const source = await bench.real({ events: eventsOf(repositories) })
    const run = async (): Promise<Outcome> => {
      bench.letPass(MINUTE)
      target.letPass(MINUTE)
      return bench.catchup(source, target)
    }
    const first = await bench.catchup(source, target)
    expect(summaryOf(first)).toEqual({ code: 3, published: 60, parked: 120, refused: 0 })
    expect([target.events.size, target.pending().length]).toEqual([0, 60])

    for (const [round, arriving] of [
      repositories.slice(0, 10),
      repositories.slice(10, 20),
      repositories.slice(20),
    ].entries()) {
      for (const { address } of arriving) target.pushGitData(address)
      const outcome = await run()
      const parked = 80 - round * 40
      expect(summaryOf(outcome)).toEqual({ code: parked === 0 ? 0 : 3, published: 20, parked, refused: 0 })
      expect(idsOf(target.events.values())).toEqual(idsOf(eventsOf(repositories.slice(0, (round + 1) * 10))))
    }
    expect(sendsOf(target, eventsOf(repositories))).toEqual([1])
    expect(summaryOf(await run())).toEqual({ code: 0, published: 0, parked: 0, refused: 0 })
  })

  it('sends what hangs from a repository in order, and deletions last', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const [repository] = repositoriesFor(target, 1)
    const { address, events, announced, state, issue: first, comment: remark } = repository as SmallRepository
    const second = issue(address, bob, { createdAt: SOME_TIME + 5 * MINUTE })
    const source = await bench.scripted({ events: [...events, second] })
    await bench.catchup(source, target)
    target.pushGitData(address)
    await bench.catchup(source, target)
    const withdrawn = deletion({ ids: [second.id] }, bob, { createdAt: SOME_TIME })
    const answer = comment(first, carol, { createdAt: SOME_TIME + 9 * MINUTE })
    for (const event of [withdrawn, answer]) source.events.set(event.id, event)
    await bench.catchup(source, target, '--full')
    const sent = target.received.events.map(({ id }) => id)
    expect(sent).toEqual([announced, state, first, second, remark, answer, withdrawn].map(({ id }) => id))
    expect(idsOf(target.events.values())).toEqual(idsOf([...events, answer, withdrawn]))
  })

  it('sends announcements once more, no more, when they have expired in purgatory', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const repositories = repositoriesFor(target, 5)
    const source = await bench.real({ events: eventsOf(repositories) })
    const held = repositories.flatMap(({ announced, state }) => [announced, state])
    await bench.catchup(source, target)
    const sends = [sendsOf(target, held)]
    for (const minutes of [20, 16, 20]) {
      bench.letPass(minutes * MINUTE)
      target.letPass(minutes * MINUTE)
      await bench.catchup(source, target)
      sends.push(sendsOf(target, held))
    }
    expect(sends).toEqual([[1], [1], [2], [2]])
    for (const { address } of repositories) target.pushGitData(address)
    const last = await bench.catchup(source, target)
    expect([last.code, idsOf(target.events.values())]).toEqual([0, idsOf(eventsOf(repositories))])
    expect(
      sendsOf(
        target,
        repositories.flatMap(({ issue: root, comment: remark }) => [root, remark]),
      ),
    ).toEqual([1])
  })

  it('sends nothing that hangs from a repository which the relay does not take', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const { address, announced, state, events } = smallRepository()
    const more = Array.from({ length: 5 }, (_, n) => issue(address, bob, { content: `issue ${n}` }))
    const source = await bench.scripted({ events: [...events, ...more] })
    const runs = [
      await bench.catchup(source, target, '--scope', 'all'),
      await bench.catchup(source, target, '--scope', 'all', '--full'),
    ]
    expect(target.received.events.map(({ id }) => id)).toEqual([announced.id, state.id])
    expect(runs.map(summaryOf)).toEqual([
      { code: 0, published: 2, parked: 0, refused: 9 },
      { code: 0, published: 0, parked: 0, refused: 9 },
    ])
  })

  it('learns by one refusal that the relay has lost a repository', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const [repository] = repositoriesFor(target, 1)
    const { address, events, announced } = repository as SmallRepository
    const more = Array.from({ length: 5 }, (_, n) => issue(address, bob, { content: `issue ${n}` }))
    const source = await bench.scripted({ events })
    await bench.catchup(source, target)
    target.pushGitData(address)
    await bench.catchup(source, target)
    for (const event of more) source.events.set(event.id, event)
    const judge = target.behaviour.onEvent ?? (() => 'default')
    target.behaviour.onEvent = (event, connection) => {
      target.events.delete(announced.id)
      return judge(event, connection)
    }
    target.forgetReceived()
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, report.totals.parked, target.received.events.length]).toEqual([3, 5, 1])
    target.events.set(announced.id, announced)
    target.behaviour.onEvent = judge
    const last = await bench.catchup(source, target)
    expect([last.code, last.report.totals.accepted]).toEqual([0, 5])
    expect(idsOf(target.events.values())).toEqual(idsOf([...events, ...more]))
    expect(target.received.events).toHaveLength(1 + more.length)
  })

  it('sends of two versions only the newer one: an older one would take its place in purgatory', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp()
    const [repository] = repositoriesFor(target, 1)
    const { announced } = repository as SmallRepository
    const service = { clone: [`${target.url.replace('ws:', 'http:')}/alice/repository-0.git`], relays: [target.url] }
    const newer = announcement(alice, 'repository-0', { ...service, createdAt: SOME_TIME + MINUTE })
    const sources = [await bench.scripted({ events: [announced] }), await bench.scripted({ events: [newer] })]
    await bench.catchup(sources, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([newer.id])
    expect(target.pending()).toEqual([newer])
  })
})
