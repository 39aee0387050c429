import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { alice, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const mine = smallRepository({ owner: alice })
const LATER = ['--retries', '0', '--idle-timeout', '500ms']

describe('a source that comes up without its database', () => {
  it('saves no checkpoint and keeps its debts until it serves something again (no false green #4)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({
      events: mine.events,
      closeReq: (filter) => ((filter['#e'] ?? filter['#E']) ? 'error: no' : undefined),
    })
    const target = await bench.scripted()
    expect((await bench.catchup(source, target, ...LATER)).code).toBe(3)
    const before = bench.checkpoints(source)
    delete source.behaviour.closeReq
    source.events.clear()
    const empty = await bench.catchup(source, target)
    expect([empty.code, bench.checkpoints(source)]).toEqual([3, before])
    expect(empty.report.sources[0]?.notes.join()).toMatch(/nothing that it held on \d{4}-\d\d-\d\dT.*is there any more/)
    for (const event of mine.events) source.events.set(event.id, event)
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
  })
})

describe('a relay that answers no question by id', () => {
  const ignores = (filter: Filter): boolean => filter.ids !== undefined

  it('has not lost what a source shows when it is asked otherwise (no false green #4)', async () => {
    const bench = createWorkbench()
    const announcer = await bench.scripted({ events: [mine.announced] })
    const source = await bench.scripted({ events: [mine.issue, mine.comment], ignores })
    const target = await bench.scripted()
    expect((await bench.catchup([announcer, source], target)).code).toBe(0)
    const { code, report } = await bench.catchup([announcer, source], target)
    expect([code, report.problems, report.sources[1]?.notes]).toEqual([0, [], []])
    source.events.clear()
    const emptied = await bench.catchup([announcer, source], target)
    expect(emptied.report.problems).toMatchObject([{ where: source.url, reason: 'serves nothing of what it once had' }])
    expect(emptied.code).toBe(3)
  })

  it('was not restored, as a target', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ events: mine.events })
    expect((await bench.catchup(source, target)).code).toBe(0)
    target.behaviour.ignores = ignores
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.notes]).toEqual([0, []])
  })
})

describe('a source that never had anything', () => {
  it.each([[['--json']], [[]], [['--quiet']]])(
    'is named, with %j, when it is a relay (no false green #4)',
    async (args) => {
      const bench = createWorkbench()
      const [source, target] = await Promise.all([bench.scripted(), bench.scripted({ events: mine.events })])
      const { code, stdout } = await bench.run(['catchup', ...endArguments(source, target), ...args])
      expect(stdout).toContain('it serves no event at all')
      expect(stdout).toContain(source.url)
      expect(code).toBe(0)
    },
  )

  it.each([[['--json']], [[]], [['--quiet']]])(
    'is partial, with %j, when it is a file (no false green #4)',
    async (args) => {
      const bench = createWorkbench()
      const target = await bench.scripted()
      const file = bench.file('empty.jsonl', [])
      const { code, stdout } = await bench.run(['catchup', ...endArguments(file, target), ...args])
      expect(stdout).toContain('it holds no event')
      expect(code).toBe(3)
    },
  )

  it('is not named when it serves what is out of scope only', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [mine.state] })
    const { code, report } = await bench.catchup(source, await bench.scripted())
    expect([code, report.problems]).toEqual([0, []])
  })
})
