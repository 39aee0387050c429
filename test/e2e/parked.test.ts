import { describe, expect, it } from 'vitest'

import { announcement, comment, issue, pullRequest } from '../support/builders.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { PURGATORY, receiveGitData, startStrictGrasp } from '../support/strict-grasp.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const MINUTE = 60
const mine = smallRepository({ startAt: START })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]

describe('a pending event', () => {
  it('is reported as pending with the words of the relay, and the run is partial', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [announced] })
    const { code, report } = await bench.catchup(source, await startStrictGrasp(bench))
    expect(report.problems).toMatchObject([{ what: 'pending', reason: PURGATORY, count: 1, example: announced.id }])
    expect(report.totals).toMatchObject({ published: 1, accepted: 0, parked: 1 })
    expect(code).toBe(3)
  })

  it('stands in the report with its repository, what it needs, what waits for it, and until when it is kept', async () => {
    const bench = createWorkbench()
    const pull = pullRequest(mine.address, bob, { createdAt: START + 400 })
    const source = await bench.real({ events: [...mine.events, pull] })
    const target = await startStrictGrasp(bench)
    const first = await bench.catchup(source, target)
    const commits = ['1'.repeat(40)]
    const repository = { repository: mine.address, name: 'hello', events: 2, waiting: 3, commits, commitCount: 1 }
    expect(first.report.heldBack).toMatchObject([repository])
    expect((first.report.heldBack[0]?.keptUntil ?? 0) - nowSeconds()).toBeGreaterThan(29 * MINUTE)
    bench.letPass(32 * MINUTE)
    const { stdout } = await bench.run(['retry', '--target', target.url])
    expect(stdout).toContain('The purgatory has expired; sent again by a run five minutes after that.')
    expect(stdout).not.toContain('Push the repository')
    const status = await bench.run(['status'])
    expect(status.stdout).toContain('the target no longer keeps the first: its purgatory has expired')
    expect(status.stdout).toMatch(new RegExp(`needs\\s+${mine.address}`))
    bench.letPass(4 * MINUTE)
    const last = await bench.run(['retry', '--target', target.url])
    expect(last.stdout).toContain('Push the repository')
    receiveGitData(target, announced, pushed)
    target.behaviour.onEvent = ({ kind }) =>
      kind === 1618 ? { ok: true, text: 'purgatory: PR event stored, waiting for git push', store: false } : 'default'
    const pulled = await bench.catchup(source, target)
    expect(pulled.report.heldBack).toMatchObject([{ repository: mine.address, events: 1, commits: ['3'.repeat(40)] }])
  })

  it('is asked for and not sent again in the next runs, quick or full', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [announced] })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    target.received.reqs.length = 0
    bench.letPass(20 * MINUTE)
    const quick = await bench.catchup(source, target)
    await bench.catchup(source, target, '--full')
    expect(target.countSends(announced.id)).toBe(1)
    const asked = target.received.reqs.flatMap(({ filters }) => filters).flatMap(({ ids = [] }) => ids)
    expect(asked).toContain(announced.id)
    expect([quick.code, quick.report.totals.parked]).toEqual([3, 1])
  })

  it('is not sent again before its time when the run that sent it was cut off', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced] })
    const target = await bench.scripted()
    target.behaviour.onEvent = () => {
      target.behaviour.connections = 'refuse'
      return { ok: true, text: PURGATORY, store: false, drop: true }
    }
    const first = await bench.catchup(source, target, '--retries', '0')
    expect([first.code, bench.spool()]).toMatchObject([3, [{ outcome: 'pending', reason: PURGATORY }]])
    target.behaviour.connections = 'accept'
    bench.letPass(20 * MINUTE)
    await bench.catchup(source, target)
    expect(target.countSends(announced.id)).toBe(1)
  })

  it('is accepted when the target serves it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [announced] })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    receiveGitData(target, announced)
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[0]?.outcomes).toEqual({ accepted: 1 })
    expect([code, report.totals.parked, target.countSends(announced.id)]).toEqual([0, 0, 1])
  })

  it('is sent again 35 minutes after its last OK', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [announced] })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    bench.letPass(36 * MINUTE)
    await bench.catchup(source, target)
    expect(target.countSends(announced.id)).toBe(2)
    bench.letPass(10 * MINUTE)
    await bench.catchup(source, target)
    expect(target.countSends(announced.id)).toBe(2)
  })

  it.each(['duplicate: in purgatory', 'purgatory: PR event stored, waiting for git push with commit 1234'])(
    'is what "%s" means',
    async (text) => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: [announced] })
      const target = await bench.scripted({ onEvent: () => ({ ok: true, text, store: false }) })
      const { report } = await bench.catchup(source, target)
      expect(report.problems).toMatchObject([{ what: 'pending', reason: text }])
    },
  )

  it('gives way to a newer version of its address', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [announced] })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    const newer = announcement(alice, 'hello', { createdAt: nowSeconds() })
    source.events.delete(announced.id)
    source.events.set(newer.id, newer)
    await bench.catchup(source, target)
    expect([target.countSends(announced.id), target.countSends(newer.id)]).toEqual([1, 1])
    expect(bench.spool().map(({ id }) => id)).toEqual([newer.id])
  })
})

describe('what depends on a pending repository', () => {
  it('waits unsent, however deep, and is sent in order when the target serves the repository', async () => {
    const bench = createWorkbench()
    const answer = comment(remark, bob, { root: bug, createdAt: START + 240 })
    const source = await bench.real({ events: [...mine.events, answer] })
    const target = await startStrictGrasp(bench)
    const first = await bench.catchup(source, target)
    expect([bug, remark, answer].map(({ id }) => target.countSends(id))).toEqual([0, 0, 0])
    expect(first.report.problems.map(({ what, reason, count }) => [what, reason, count]).sort()).toEqual([
      ['pending', PURGATORY, 2],
      ['waiting', `its parent is pending: ${PURGATORY} (${mine.address})`, 3],
    ])
    expect([first.code, first.report.totals.parked]).toEqual([3, 5])
    receiveGitData(target, announced, pushed)
    target.forgetReceived()
    const second = await bench.catchup(source, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([bug.id, remark.id, answer.id])
    expect([second.code, second.report.totals.parked]).toEqual([0, 0])
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, answer]))
  })

  it('waits without its state: that goes with the announcement, for git data is pushed by its leave', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([announced.id, pushed.id])
  })

  it('has its state sent again when only the announcement came to wait for git data', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await startStrictGrasp(bench)
    const grasp = target.behaviour.onEvent
    target.behaviour.onEvent = ({ kind }) =>
      kind === 30617
        ? { ok: false, text: 'git init failed: no space left' }
        : { ok: false, text: 'invalid: no announcement exists for this repository' }
    await bench.catchup(source, target)
    target.forgetReceived()
    if (grasp !== undefined) target.behaviour.onEvent = grasp
    await bench.catchup(source, target)
    await bench.catchup(source, target)
    expect(target.received.events.map(({ id }) => id)).toEqual([announced.id, pushed.id])
  })

  it('goes on waiting, unsent, while the target does not serve it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    const late = issue(mine.address, carol, { createdAt: nowSeconds() })
    await source.seed([late])
    for (let run = 0; run < 3; run += 1) await bench.catchup(source, target)
    expect([bug, remark, late].map(({ id }) => target.countSends(id))).toEqual([0, 0, 0])
  })

  it('goes in the same run when the target takes the repository in the meantime', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await startStrictGrasp(bench)
    await bench.catchup(source, target)
    delete target.behaviour.onEvent
    bench.letPass(36 * MINUTE)
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })
})
