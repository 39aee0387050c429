import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { issue, SOME_TIME } from '../support/builders.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const mine = smallRepository()

/** The small repository with so many events in all. */
function eventsOf(count: number): NostrEvent[] {
  const issues = Array.from({ length: count - mine.events.length }, (_, n) =>
    issue(mine.address, bob, { createdAt: SOME_TIME + 1_000 + n, content: `issue ${n}` }),
  )
  return [...mine.events, ...issues]
}

/** A relay's limit: so many events at once, then so many a second; checked before anything else. */
function createLimit(burst: number, perSecond: number): { refused: number; decide(): EventDecision } {
  let tokens = burst
  let filledAt = Date.now()
  const limit = {
    refused: 0,
    decide: (): EventDecision => {
      tokens = Math.min(burst, tokens + ((Date.now() - filledAt) / 1_000) * perSecond)
      filledAt = Date.now()
      if (tokens < 1) {
        limit.refused += 1
        return { ok: false, text: 'rate-limited: slow down' }
      }
      tokens -= 1
      return 'default'
    },
  }
  return limit
}

describe('a target that limits the rate', () => {
  it('gets 90 events although it takes 60 at once: what it puts off is sent again, and is no refusal', async () => {
    const bench = createWorkbench()
    const events = eventsOf(90)
    const source = await bench.scripted({ events })
    const limit = createLimit(60, 20)
    const target = await bench.scripted({ onEvent: () => limit.decide() })
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    expect([code, report.problems]).toEqual([0, []])
    expect(report.totals).toMatchObject({ published: 90, accepted: 90, parked: 0, refused: 0 })
    expect(limit.refused).toBeGreaterThan(0)
    expect(target.received.events).toHaveLength(90 + limit.refused)
  })
})

describe('--rate', () => {
  it('sends no faster than that', async () => {
    const bench = createWorkbench()
    const events = eventsOf(12)
    const source = await bench.scripted({ events })
    const arrivals: number[] = []
    const target = await bench.scripted({ onEvent: () => (arrivals.push(performance.now()), 'default') })
    const { code } = await bench.catchup(source, target, '--rate', '20/s')
    expect([code, arrivals.length]).toEqual([0, 12])
    // Timers never fire early; arrivals may come late.
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(11 * 50 - 60)
  })

  it('says beforehand what will take long, on standard error, and not with --quiet', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: eventsOf(30) })
    const slow = ['--rate', '10/m', '--max-duration', '3s']
    const run = async (...args: readonly string[]) =>
      bench.run(['catchup', ...endArguments(source, await bench.scripted()), ...slow, ...args])
    const [told, quiet] = await Promise.all([run(), run('--quiet')])
    expect(told.stderr).toBe('sending 30 events at 10 events a minute: about 2 min 54 s\n')
    expect(quiet.stderr).toBe('')
  })

  it('none goes as fast as the target takes, whatever its software is known for', async () => {
    const bench = createWorkbench()
    const events = eventsOf(70)
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ document: { software: 'ngit-grasp', version: '1.0.2' } })
    const args = ['--rate', 'none', '--scope', 'all', '--max-duration', '20s']
    const { code, report } = await bench.catchup(source, target, ...args)
    expect([code, report.totals.accepted]).toEqual([0, 70])
  })
})

describe('--connections', () => {
  it('sends over several connections, each stage after the one before', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ owner: bob, d: 'other' })
    const events = [...eventsOf(40), ...other.events]
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ onEvent: () => ({ ok: true, store: true, delayMs: 5 }) })
    const { code } = await bench.catchup(source, target, '--connections', '4')
    expect([code, target.received.connections]).toEqual([0, 4])
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    const stages = target.received.events.map(({ kind }) => [30617, 30618, 1621, 1111].indexOf(kind))
    expect(stages).toEqual(stages.toSorted((a, b) => a - b))
  })
})

describe('--max-duration', () => {
  it('stops between two events, says how many are left, and the next run sends these and no other', async () => {
    const bench = createWorkbench()
    const events = eventsOf(30)
    const source = await bench.scripted({ events })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--rate', '8/s', '--max-duration', '2500ms')
    const stored = target.events.size
    expect(stored).toBeLessThan(30)
    expect(code).toBe(3)
    expect(report.problems).toMatchObject([
      { what: 'unsent', where: target.url, reason: 'out of time (--max-duration)', count: 30 - stored },
    ])
    expect(report.totals).toMatchObject({ published: stored, accepted: stored, parked: 30 - stored })
    expect(report.sources.map(({ complete }) => complete)).toEqual([true])
    expect(new Set(bench.checkpoints(source).map((row) => row.drained_at))).toEqual(new Set([report.startedAt]))
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    expect(target.received.events).toHaveLength(30)
  })

  it('is told in words', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: eventsOf(30) })
    const target = await bench.scripted()
    const args = ['--rate', '8/s', '--max-duration', '2500ms']
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target), ...args])
    const left = 30 - target.events.size
    expect(stdout).toContain(`${left} unsent at ${target.url}: not sent before --max-duration had passed`)
    expect(stdout).toMatch(/partial \(3\): the time was up and \d+ events wait on disk;/)
  })

  it('ends the reading of a file: what was read by then is kept, the file was not read to its end', async () => {
    const bench = createWorkbench()
    const events = eventsOf(4_000)
    const source = bench.file('many.jsonl', events)
    const target = await bench.scripted({ delayMs: 300 })
    const { code, report } = await bench.catchup(source, target, '--max-duration', '1500ms')
    expect([code, report.sources[0]?.complete]).toEqual([3, false])
    expect(report.problems).toContainEqual(
      expect.objectContaining({
        what: 'source',
        reason: expect.stringContaining('out of time (--max-duration)') as string,
      }),
    )
    expect(report.totals.unique).toBeLessThan(4_000)
    expect(report.totals).toMatchObject({ published: 0, parked: report.totals.unique })
  })

  it('ends the reading as well: the source is not drained and keeps its checkpoint', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, neverEose: true })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--max-duration', '500ms')
    expect(code).toBe(3)
    expect(report.sources[0]).toMatchObject({ complete: false })
    expect(report.problems[0]).toMatchObject({ what: 'source', where: source.url })
    expect(report.problems[0]?.reason).toContain('out of time (--max-duration)')
    expect(bench.checkpoints(source)).toEqual([])
    delete source.behaviour.neverEose
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
  })
})
