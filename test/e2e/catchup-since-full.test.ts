import { describe, expect, it } from 'vitest'

import { comment } from '../support/builders.ts'
import { afterFirstRun, allSinces } from '../support/first-run.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

const OVERLAP = 900
const HOUR = 3_600
const DAY = 86_400
const old = smallRepository()

describe('a full run', () => {
  it.each([
    ['the last run is longer ago than the quick window', HOUR, []],
    ['the last run is longer ago than --quick-window', 30, ['--quick-window', '20s']],
  ] as const)('follows when %s', async (_why, seconds, args) => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.letPass(seconds)
    const late = comment(old.issue, bob, { createdAt: 1_650_000_000 })
    source.events.set(late.id, late)
    const { code, report } = await bench.catchup(source, target, ...args)
    expect(allSinces(source)).toEqual([undefined])
    expect(report.range).toEqual({ completeSince: null, fullAt: report.startedAt })
    expect(idsOf(target.events())).toEqual(idsOf([...old.events, late]))
    expect(code).toBe(0)
  })

  it.each([
    ['is longer ago than a day', DAY + 60, [], [undefined]],
    ['is longer ago than --full-every', 7_200, ['--full-every', '1h'], [undefined]],
    ['is longer ago than a day, unless --full-every is never', DAY + 60, ['--full-every', 'never'], ['since']],
  ] as const)('follows when the last full pass %s', async (_why, seconds, args, expected) => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.database((db) => db.prepare('UPDATE coverage SET full_at = full_at - ?').run(seconds))
    await bench.catchup(source, target, ...args)
    expect(allSinces(source).map((since) => (since === undefined ? undefined : 'since'))).toEqual(expected)
  })

  it('is what --full asks for', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    const { report } = await bench.catchup(source, target, '--full')
    expect(allSinces(source)).toEqual([undefined])
    const times = bench.checkpoints(source).map((row) => [row.drained_at, row.full_at])
    expect(times).toEqual(Array(times.length).fill([report.startedAt, report.startedAt]))
  })

  it('follows a checkpoint that lies in the future', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.letPass(-DAY)
    const { report } = await bench.catchup(source, target)
    expect(allSinces(source)).toEqual([undefined])
    expect(bench.checkpoints(source).map((row) => row.drained_at)).toEqual(
      bench.checkpoints(source).map(() => report.startedAt),
    )
  })

  it('follows checkpoints that an older version of the layer wrote', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterFirstRun(bench, old)
    bench.database((db) => db.prepare(`UPDATE coverage SET version = 0 WHERE layer = 'threads'`).run())
    const { report } = await bench.catchup(source, target)
    expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['since', 'since', 'full'])
  })

  it.each([
    ['source', 400],
    ['source', -400],
    ['target', 400],
  ] as const)('follows when the clock of the %s is off by %i s, and the report says so', async (role, offset) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: old.events })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    source.forgetReceived()
    const wrong = role === 'source' ? source : target
    wrong.behaviour.dateOffsetSeconds = offset
    const { code, report } = await bench.catchup(source, target)
    expect(allSinces(source)).toEqual([undefined])
    expect(report.notes.join()).toMatch(new RegExp(`clock of ${wrong.url} is (399|400|401) s`))
    expect(code).toBe(0)
  })

  it('does not follow when a clock is off by less than a third of the overlap', async () => {
    const bench = createWorkbench()
    const { source, target, firstRun } = await afterFirstRun(bench, old)
    source.behaviour.dateOffsetSeconds = 250
    const { report } = await bench.catchup(source, target)
    expect(allSinces(source)).toEqual([firstRun - OVERLAP])
    expect(report.notes).toEqual([])
  })
})
