import { describe, expect, it } from 'vitest'

import { reportSchema } from '../support/report-schema.ts'
import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const NOBODY = 'ws://127.0.0.1:1'

describe('a source that cannot be reached', () => {
  it.each([[['catchup']], [['catchup', '--quiet']], [['check']]])(
    'is told once: %j (no false green #19)',
    async (args) => {
      const bench = createWorkbench()
      const [source, target] = await Promise.all([
        bench.scripted({ events: smallRepository().events }),
        bench.scripted(),
      ])
      const { code, stdout } = await bench.run([...args, ...endArguments([source, NOBODY], target), '--retries', '0'])
      expect(code).toBe(3)
      expect(stdout.match(/ECONNREFUSED/g)).toHaveLength(1)
    },
  )

  it('has its reason once in JSON, and layers that were not asked (no false green #40)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: smallRepository().events }), bench.scripted()])
    const { report } = await bench.catchup([source, NOBODY], target, '--retries', '0')
    const [read, gone] = reportSchema.parse(report).sources
    expect(read).toMatchObject({ complete: true, reason: null, layers: Array(3).fill({ end: 'drained' }) })
    expect(gone).toMatchObject({ complete: false, layers: Array(3).fill({ end: 'not asked', reason: null }) })
    expect(gone?.reason).toContain('ECONNREFUSED')
  })
})

describe('a layer that was never asked', () => {
  it('is not drained (no false green #40)', async () => {
    const bench = createWorkbench()
    const closeReq = ({ kinds }: { kinds?: readonly number[] }): string | undefined =>
      kinds?.includes(30617) === true ? 'error: no index' : undefined
    const source = await bench.scripted({ events: smallRepository().events, closeReq })
    const ends = endArguments(source, await bench.scripted())
    const result = await bench.run(['catchup', '--json', ...ends])
    const ended = reportSchema.parse(result.json()).sources[0]?.layers.map(({ end }) => end)
    expect([result.code, ended]).toEqual([3, ['incomplete', 'not asked', 'not asked']])
    const { stdout } = await bench.run(['catchup', ...ends])
    expect(stdout).toMatch(/2 repositories .*not asked$/m)
    expect(stdout).not.toMatch(/(?<!not) drained$/m)
  })
})
