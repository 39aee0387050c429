import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { comment, deletion } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { findClosedUrl } from '../support/mute-server.ts'
import { bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf, nowSeconds, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** Everything in the directory of the bench but what belongs to no state. */
function filesOf(bench: Workbench): string[] {
  return readdirSync(bench.path('.')).sort()
}

describe('--dry-run', () => {
  it('sends nothing and makes no state', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--dry-run')
    expect([target.received.events, target.events.size]).toEqual([[], 0])
    expect([existsSync(bench.stateFile), filesOf(bench)]).toEqual([false, []])
    expect(report).toMatchObject({ dryRun: true, exit: 0, totals: { published: 4, accepted: 0 } })
    expect(code).toBe(0)
  })

  it('makes the plan of the run that follows: the same filters, the same numbers', async () => {
    const bench = createWorkbench()
    const events = [...generateHistory({ repositories: 3, rootsPerRepository: 4 })]
    const gone = deletion({ ids: [events[7]?.id ?? ''] }, carol)
    const source = await bench.scripted({ events: [...events, gone] })
    const target = await bench.real({ events: events.slice(0, 20) })
    const dry = await bench.catchup(source, target, '--dry-run')
    const planned = readingFilters(source).map((filter) => JSON.stringify(filter))
    source.forgetReceived()
    const real = await bench.catchup(source, target)
    const asked = readingFilters(source).map((filter) => JSON.stringify(filter))
    expect(planned.sort()).toEqual(asked.sort())
    const numbers = dry.report.layers.map(({ outcomes: _outcomes, ...numbersOnly }) => numbersOnly)
    expect(numbers).toEqual(real.report.layers.map(({ outcomes: _outcomes, ...numbersOnly }) => numbersOnly))
    expect(dry.report.sources).toEqual(real.report.sources)
    expect(dry.report.totals.published).toBe(real.report.totals.accepted)
  })

  it('leaves the state file byte by byte as it was, and plans with it', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    const remark = comment(mine.issue, bob, { createdAt: nowSeconds() })
    source.events.set(remark.id, remark)
    const before = [digestOf(bench.stateFile), filesOf(bench)]
    source.forgetReceived()
    const { code, report } = await bench.catchup(source, target, '--dry-run')
    expect([digestOf(bench.stateFile), filesOf(bench)]).toEqual(before)
    expect(readingFilters(source).every(({ since }) => since !== undefined)).toBe(true)
    expect(report.totals.published).toBe(1)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })

  it('counts parked events that would be sent, and leaves them parked', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'you are banned' }) })
    await bench.catchup(source, target)
    target.forgetReceived()
    const { report } = await bench.catchup(source, target, '--dry-run')
    expect([report.totals.published, target.received.events]).toEqual([4, []])
    expect(bench.spool().map(({ state }) => state)).toEqual(Array(4).fill('parked'))
  })

  it('does not touch a file that is the target', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const file = bench.file('out.jsonl', mine.events.slice(0, 1))
    const { report } = await bench.catchup(source, file, '--dry-run')
    expect([report.totals.published, bench.readFile(file)]).toEqual([3, mine.events.slice(0, 1)])
  })

  it('is not in the way of a run, and no run is in its way', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const [dry, real] = await Promise.all([bench.catchup(source, target, '--dry-run'), bench.catchup(source, target)])
    expect([dry.code, real.code]).toEqual([0, 0])
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
  })

  it('exits 3 when not everything could be read', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const dead = await findClosedUrl()
    const { code, report } = await bench.catchup([source, dead], target, '--dry-run', '--retries', '0')
    expect([code, report.totals.published, target.events()]).toEqual([3, 4, []])
  })

  it('says in the table that nothing was sent', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { stdout } = await bench.run(['catchup', '--source', source.url, '--target', target.url, '--dry-run'])
    expect(stdout).toContain('would send')
    expect(stdout).toMatch(/complete \(0\): dry run: would send 4 events; nothing was sent\./)
  })
})
