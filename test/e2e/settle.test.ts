import { existsSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { announcement, SOME_TIME, status } from '../support/builders.ts'
import type { GraspRelay } from '../support/grasp-relay.ts'
import { alice, smallRepository, type SmallRepository } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds, type Workbench } from '../support/workbench.ts'

const MINUTE = 60
const [A_WHILE, A_MOMENT] = ['1m', '3s']

type Scene = {
  readonly bench: Workbench
  readonly source: { readonly url: string }
  readonly target: GraspRelay
  readonly repositories: readonly SmallRepository[]
}

/** Repositories at a source; the target is empty and holds back what has no git data. */
async function startScene(count: number): Promise<Scene> {
  const bench = createWorkbench()
  const target = await bench.grasp({ personality: '3.0.10' })
  const repositories = Array.from({ length: count }, (_, n) => {
    const d = `repository-${n}`
    const clone = [`${target.url.replace('ws:', 'http:')}/alice/${d}.git`]
    return smallRepository({ d, clone, relays: [target.url], startAt: SOME_TIME + n * 10 * MINUTE })
  })
  const source = await bench.real({ events: repositories.flatMap(({ events }) => events) })
  return { bench, source, target, repositories }
}

const holdsBack = (target: GraspRelay, count: number) => () => target.pending().length >= count
const withLog = (bench: Workbench): string[] => ['--log-file', bench.path('run.log')]
const hasLogged = (bench: Workbench, text: string) => () => {
  return existsSync(bench.path('run.log')) && readFileSync(bench.path('run.log'), 'utf8').includes(text)
}

/** The events of these repositories in the order in which they were made. */
function eventsOf(repositories: readonly SmallRepository[]): string[] {
  return idsOf(repositories.flatMap(({ events }) => events))
}

describe('--settle', () => {
  it('stays until the git data of every repository came, sends what waited for it, and ends complete', async () => {
    const { bench, source, target, repositories } = await startScene(3)
    const run = bench.catchup(source, target, '--settle', A_WHILE)
    await waitFor(holdsBack(target, 6))
    for (const { address } of repositories) target.pushGitData(address)
    const { code, report } = await run
    expect([code, report.totals.parked, report.totals.accepted]).toEqual([0, 0, 12])
    expect(idsOf(target.events.values())).toEqual(eventsOf(repositories))
    const again = await bench.catchup(source, target, '--settle', A_WHILE)
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
    expect(again.report.durationMs).toBeLessThan(2_000)
  })

  it('sends the children of each repository as soon as it is served, while others still wait', async () => {
    const { bench, source, target, repositories } = await startScene(2)
    const [first, second] = repositories as [SmallRepository, SmallRepository]
    const run = bench.catchup(source, target, '--settle', A_WHILE)
    await waitFor(holdsBack(target, 4))
    target.pushGitData(first.address)
    await waitFor(() => target.events.has(first.comment.id))
    expect(target.countSends(second.issue.id)).toBe(0)
    target.pushGitData(second.address)
    expect((await run).code).toBe(0)
  })

  it('sends a child one of whose parents came to the target in another way, while nothing else changes', async () => {
    const { bench, target, repositories } = await startScene(1)
    const [{ address, announced, state, issue }] = repositories as [SmallRepository]
    const closed = status(1632, issue, alice, { createdAt: SOME_TIME + 5 * MINUTE })
    const source = bench.file('without the issue.jsonl', [announced, state, closed])
    const run = bench.catchup(source, target, '--settle', A_WHILE, ...withLog(bench))
    await waitFor(hasLogged(bench, 'waiting: 2 events'), { timeoutMs: 20_000 })
    expect(target.events.has(closed.id)).toBe(false)
    target.events.set(issue.id, issue)
    await waitFor(() => target.events.has(closed.id), { timeoutMs: 40_000 })
    expect(target.events.has(announced.id)).toBe(false)
    target.pushGitData(address)
    expect((await run).code).toBe(0)
  })

  it('settles what it refused before and has by now, and sends its children', async () => {
    const { bench, source, target, repositories } = await startScene(2)
    const [first, second] = repositories as [SmallRepository, SmallRepository]
    const judge = target.behaviour.onEvent
    target.behaviour.onEvent = (event, connection) => {
      const isFailing = event.id === second.announced.id
      return isFailing ? { ok: false, text: 'error: no space left' } : (judge?.(event, connection) ?? 'default')
    }
    const run = bench.catchup(source, target, '--settle', A_WHILE, ...withLog(bench))
    await waitFor(hasLogged(bench, 'waiting: 2 events of 1 repository'), { timeoutMs: 20_000 })
    expect(target.events.has(second.issue.id)).toBe(false)
    for (const event of [second.announced, second.state]) target.events.set(event.id, event)
    await waitFor(() => target.events.has(second.comment.id), { timeoutMs: 40_000 })
    expect(target.events.has(first.announced.id)).toBe(false)
    target.pushGitData(first.address)
    const { code, report } = await run
    expect([code, report.totals.parked]).toEqual([0, 0])
  })

  it('sends nothing again while it waits, and ends partial when its time has passed', async () => {
    const { bench, source, target, repositories } = await startScene(1)
    const { code, report } = await bench.catchup(source, target, '--settle', A_MOMENT)
    expect([code, report.totals.parked]).toEqual([3, 4])
    expect(report.durationMs).toBeGreaterThanOrEqual(3_000)
    const [{ announced, state, issue }] = repositories as [SmallRepository]
    expect([announced, state, issue].map(({ id }) => target.countSends(id))).toEqual([1, 1, 0])
  })

  it('moves the checkpoints like any run, so that the next one asks for what is new only', async () => {
    const { bench, source, target } = await startScene(1)
    await bench.catchup(source, target, '--settle', A_MOMENT)
    expect(bench.checkpoints(source).length).toBeGreaterThan(0)
  })

  it('sends again what the target has lost, but not before its 35 minutes are over', async () => {
    const { bench, source, target, repositories } = await startScene(1)
    const [{ announced }] = repositories as [SmallRepository]
    await bench.catchup(source, target)
    bench.letPass(35 * MINUTE - 2)
    const run = bench.run(['retry', '--target', target.url, '--settle', A_WHILE, '--json'])
    await waitFor(() => target.countSends(announced.id) === 2)
    for (const { address } of repositories) target.pushGitData(address)
    expect((await run).code).toBe(0)
  })

  it('takes a newer version that the target serves for the one that waited', async () => {
    const { bench, target, repositories } = await startScene(1)
    const [{ announced }] = repositories as [SmallRepository]
    const only = bench.file('announcement.jsonl', [announced])
    const run = bench.catchup(only, target, '--settle', A_WHILE, ...withLog(bench))
    await waitFor(hasLogged(bench, 'waiting: 1 event '))
    const newer = announcement(alice, 'repository-0', { createdAt: nowSeconds(), relays: [target.url] })
    target.events.set(newer.id, newer)
    const { code, report } = await run
    expect([code, report.layers[0]?.outcomes]).toEqual([0, { superseded: 1 }])
  })

  it('ends when the time of the whole run is up', async () => {
    const { bench, source, target } = await startScene(1)
    const { code, report } = await bench.catchup(source, target, '--settle', A_WHILE, '--max-duration', '3s')
    expect([code, report.totals.parked]).toEqual([3, 4])
    expect(report.durationMs).toBeLessThan(20_000)
  })

  it('ends with a report when the target goes away, and keeps what waits', async () => {
    const { bench, source, target } = await startScene(1)
    const run = bench.catchup(source, target, '--settle', A_WHILE, '--retries', '0', ...withLog(bench))
    await waitFor(hasLogged(bench, 'waiting: 2 events'))
    await target.close()
    const { code, report } = await run
    expect([code, report.totals.parked]).toEqual([3, 4])
    expect(bench.checkpoints(source).length).toBeGreaterThan(0)
  })

  it('says what it waits for in the log and in the lines of --stats', async () => {
    const { bench, source, target } = await startScene(2)
    const args = ['catchup', ...endArguments(source, target), '--settle', A_MOMENT, '--stats', '500ms']
    const { stderr } = await bench.run([...args, ...withLog(bench)])
    const line = /waiting: 4 events of 2 repositories for git data, [\d.]+ (s|ms) left$/m
    expect(stderr).toMatch(line)
    expect(readFileSync(bench.path('run.log'), 'utf8')).toMatch(line)
  })

  it('ends at a signal', async () => {
    const { bench, source, target } = await startScene(1)
    const cli = bench.start(['catchup', ...endArguments(source, target), '--settle', A_WHILE, '--verbose'])
    await waitFor(() => cli.stderr().includes('waiting: 2 events'), { timeoutMs: 20_000 })
    cli.kill('SIGINT')
    const { code } = await cli.finished
    expect(code).toBe(130)
  })
})
