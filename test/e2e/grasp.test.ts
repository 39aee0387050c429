import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, issue, SOME_TIME, state as stateOf } from '../support/builders.ts'
import type { GraspRelay } from '../support/grasp-relay.ts'
import { alice, bob, carol, dave, smallRepository, type SmallRepository } from '../support/scenes.ts'
import { keyOf, signEvent } from '../support/sign.ts'
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

  it('sends what depends on a repository in order, and deletions last', async () => {
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

  it('sends nothing that depends on a repository which the relay does not take', async () => {
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

describe('a bootstrap of ngit-grasp 3.0.10', () => {
  const DAY = 86_400

  it('ends with everything served once its git data has arrived; a stranger and a second run change nothing', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10' })
    const repositories = repositoriesFor(target, 5)
    const [first] = repositories as [SmallRepository]
    // A profile that names a repository is found by it; its author wrote to no thread.
    const tags = [['a', first.address]]
    const profile = signEvent(dave, { kind: 0, created_at: SOME_TIME, tags, content: '{}' })
    const source = await bench.real({ events: [...eventsOf(repositories), profile] })
    const waits = await bench.catchup(source, target)
    expect([waits.code, waits.report.totals.published]).toEqual([3, 10])
    for (const { address } of repositories) target.pushGitData(address)
    bench.letPass(MINUTE)
    target.letPass(MINUTE)
    const done = await bench.catchup(source, target)
    expect(done.report.problems.filter(({ what }) => what !== 'refused')).toEqual([])
    expect(done.code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(eventsOf(repositories)))
    expect(sendsOf(target, eventsOf(repositories))).toEqual([1])
    expect(bench.spool()).toMatchObject([{ id: profile.id, state: 'refused', outcome: 'refused' }])
    target.forgetReceived()
    const again = await bench.catchup(source, target, '--full')
    expect([again.code, again.report.totals.published, target.received.events]).toEqual([0, 0, []])
  })

  it('does not stop at strangers, though nothing else was sent before', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10' })
    const [{ address, announced, state, events }] = repositoriesFor(target, 1) as [SmallRepository]
    for (const event of [announced, state]) target.events.set(event.id, event)
    const profiles = Array.from({ length: 12 }, (_, n) =>
      signEvent(keyOf(`stranger ${n}`), { kind: 0, created_at: SOME_TIME, tags: [['a', address]], content: '{}' }),
    )
    const source = await bench.scripted({ events: [announced, state, ...profiles] })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked, report.totals.refused]).toEqual([0, 0, 12])
    for (const event of events) source.events.set(event.id, event)
    const second = await bench.catchup(source, target, '--full')
    expect([second.code, idsOf(target.events.values())]).toEqual([0, idsOf(events)])
  })

  it('counts what the relay calls `duplicate: event stored` as accepted', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10' })
    const [{ announced, state, events }] = repositoriesFor(target, 1) as [SmallRepository]
    for (const event of [announced, state]) target.events.set(event.id, event)
    const source = await bench.scripted({ events })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.accepted]).toEqual([0, 2])
    expect(report.layers.flatMap(({ outcomes }) => Object.keys(outcomes))).not.toContain('duplicate')
  })

  it('sends a deletion that is no longer served once in 30 days, and does not wait for it', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10' })
    const [{ address, announced, state, events }] = repositoriesFor(target, 1) as [SmallRepository]
    for (const event of [announced, state]) target.events.set(event.id, event)
    // An unused one: what it deletes was never anywhere.
    const gone = issue(address, bob, { content: 'never published' })
    const withdrawn = deletion({ ids: [gone.id] }, bob, { tags: [['q', address]] })
    const source = await bench.scripted({ events: [...events, withdrawn] })
    const first = await bench.catchup(source, target)
    expect([first.code, target.countSends(withdrawn.id)]).toEqual([0, 1])
    const runAfter = async (days: number): Promise<unknown[]> => {
      bench.letPass(days * DAY)
      target.letPass(days * DAY)
      const { code, report } = await bench.catchup(source, target)
      return [code, report.totals.published, report.totals.parked, report.totals.refused]
    }
    expect(await runAfter(31)).toEqual([0, 1, 0, 0])
    expect(bench.spool()).toMatchObject([{ id: withdrawn.id, state: 'held', outcome: 'duplicate' }])
    expect(await runAfter(1)).toEqual([0, 0, 0, 0])
    expect(await runAfter(28)).toEqual([0, 0, 0, 0])
    expect(await runAfter(3)).toEqual([0, 1, 0, 0])
  })

  it('sends the announcement of a listed author after that of the owner', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10' })
    const service = { clone: [`${target.url.replace('ws:', 'http:')}/alice/hello.git`], relays: [target.url] }
    const owner = announcement(alice, 'hello', { ...service, maintainers: [bob], createdAt: SOME_TIME + MINUTE })
    const listed = announcement(bob, 'hello', { maintainers: [alice] })
    const source = await bench.scripted({ events: [listed, owner, stateOf(bob, 'hello')] })
    const { report } = await bench.catchup(source, target)
    expect(target.received.events.slice(0, 2)).toEqual([owner, listed])
    expect([report.totals.accepted, target.events.has(listed.id)]).toEqual([1, true])
  })
})
