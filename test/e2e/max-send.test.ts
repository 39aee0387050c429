import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { issue } from '../support/builders.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, nowSeconds } from '../support/workbench.ts'

const mine = smallRepository()
const CHILDLESS = {
  onEvent: ({ kind }: { kind: number }) => (kind === 1621 ? ('silent' as const) : 'default'),
} as const

const planOf = ({ problems }: Report) => problems.find(({ what }) => what === 'plan')?.reason

describe('--max-send', () => {
  it('stops before anything is sent, exit 1, with the numbers; nothing is settled and no checkpoint moves', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted()
    const { code, json } = await bench.spawn([
      ...['catchup', '--json', ...endArguments(source, target)],
      ...['--max-send', '3'],
    ])
    const report = json<Report>()
    expect([code, report.exit, target.received.events]).toEqual([1, 1, []])
    expect(planOf(report)).toBe('4 events would be sent, and --max-send allows 3')
    expect(report.totals).toMatchObject({ published: 0, accepted: 0, parked: 0 })
    expect([bench.spool(), bench.checkpoints()]).toEqual([[], []])
  })

  it('says in the report and in the history what is wrong, and how to allow it', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real()]
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target), '--max-send', '0'])
    expect(stdout).toContain('failed (1): the plan is larger than --max-send allows; no events sent.')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Look with --dry-run. If it is right, raise --max-send or leave it out.',
    )
    const { stdout: status } = await bench.run(['status'])
    expect(status).toContain('4 events would be sent, and --max-send allows 0')
  })

  it('lets through a plan of just that size, and the next run sends what one stopped', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real()]
    expect((await bench.catchup(source, target, '--max-send', '3')).code).toBe(1)
    const { code, report } = await bench.catchup(source, target, '--max-send', '4')
    expect([code, report.totals.accepted, target.events().length]).toEqual([0, 4, 4])
  })

  it.each([
    ['0', 0],
    ['0%', 0],
    ['100%', 0],
  ])('lets through a plan that sends nothing: %s', async (limit, exit) => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    expect((await bench.catchup(source, target, '--max-send', limit)).code).toBe(exit)
  })

  it.each([
    ['100%', 4, 0],
    ['100%', 5, 1],
    ['50%', 2, 0],
    ['50%', 3, 1],
    ['0%', 1, 1],
  ])('%s of a target that holds four lets through %i: exit %i', async (limit, more, exit) => {
    const bench = createWorkbench()
    const issues = Array.from({ length: more }, (_, n) => issue(mine.address, bob, { content: `more ${n}` }))
    const source = await bench.real({ events: [...mine.events, ...issues] })
    const target = await bench.real({ events: mine.events })
    const { code, report } = await bench.catchup(source, target, '--max-send', limit)
    expect(code).toBe(exit)
    if (exit === 1) expect(planOf(report)).toContain(`: ${limit} of the 4 that it was seen to hold`)
  })

  it('counts what earlier runs saw at the target where a quick run meets only what is new', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    await bench.catchup(source, target)
    await source.seed([issue(mine.address, bob, { createdAt: nowSeconds(), content: 'today' })])
    expect((await bench.catchup(source, target, '--max-send', '50%')).code).toBe(0)
  })

  it('stops for a target that was emptied, whatever earlier runs saw there', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ events: mine.events })
    await bench.catchup(source, target)
    const emptied = await bench.scripted()
    bench.database((db) => {
      for (const table of ['coverage', 'known', 'anchor', 'announcement', 'run'])
        db.prepare(`UPDATE ${table} SET target = ?`).run(emptied.url)
      db.prepare('UPDATE witness SET target = ?, relay = CASE relay WHEN ? THEN ? ELSE relay END').run(
        ...[emptied.url, target.url, emptied.url],
      )
    })
    const { code, report } = await bench.catchup(source, emptied, '--max-send', '100%')
    expect([code, planOf(report)]).toEqual([1, expect.stringContaining('100% of the 0 that it was seen to hold')])
    expect(emptied.received.events).toEqual([])
  })

  it('leaves what waited before as it was', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted(CHILDLESS)
    await bench.catchup(source, target, '--ok-timeout', '300ms')
    const before = bench.spool()
    expect(before).toHaveLength(1)
    const { code, report } = await bench.catchup(source, target, '--max-send', '0')
    expect([code, report.totals.parked]).toEqual([1, 1])
    expect(bench.spool()).toEqual(before)
  })

  it.each(['ten', '10%%', '-1', '10001%', '1.5', ''])('refuses %j', async (limit) => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run([
      'catchup',
      '--source',
      'a.jsonl',
      '--target',
      'b.jsonl',
      `--max-send=${limit}`,
    ])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--max-send')])
  })
})
