import { describe, expect, it } from 'vitest'

import { announcement, issue, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { alice, dave, readingFilters, smallRepository } from '../support/scenes.ts'
import type { Behaviour } from '../support/scripted-behaviour.ts'
import { signEvent } from '../support/sign.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

const LONG = 'x'.repeat(600)
const small = smallRepository({ owner: alice })
const spam = announcement(dave, LONG, { createdAt: SOME_TIME + 300 })
const spamAddress = repositoryAddress(dave, LONG)
const reported = issue(spamAddress, dave, { createdAt: SOME_TIME + 400 })
const liked = signEvent(dave, { kind: 7, created_at: SOME_TIME + 500, tags: [['a', spamAddress]], content: '+' })

/** Finds nothing by tags of more than 512 bytes, and does not say so. */
const indexesShort: Behaviour = {
  onReq: ({ filters, answer }) => {
    const values = filters.flatMap((filter) => Object.values(filter).flat())
    const isLong = values.some((value) => typeof value === 'string' && value.length > 512)
    return isLong ? { rows: [], end: { type: 'eose' } } : answer
  },
}

/** Nobody verifies what does not match. */
const notes = Array.from({ length: 4_000 }, (_, index) => ({
  ...reported,
  kind: 1,
  id: index.toString(16).padStart(64, '0'),
  created_at: SOME_TIME - index,
  tags: [],
  content: 'n'.repeat(2_000),
}))

describe('an identifier of six hundred letters', () => {
  it('costs a source with much else a bounded scan, and no other repository anything (no false green #30)', async () => {
    const bench = createWorkbench()
    const events = [...small.events, spam, reported, ...notes]
    const source = await bench.scripted({ events, ...indexesShort })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--scope', 'all', '--max-bytes', '1MB')
    expect(idsOf(target.events.values())).toEqual(idsOf([...small.events, spam, reported]))
    expect(report.problems).toHaveLength(1)
    expect(report.problems[0]).toMatchObject({ what: 'source', where: source.url })
    expect(report.problems[0]?.reason).toContain(`what refers to ${spamAddress.slice(0, 120)}… may be missing`)
    expect(report.sources[0]?.layers.map(({ end }) => end)).toEqual(['drained', 'incomplete', 'drained'])
    expect(report.sources[0]?.layers[1]?.bytes).toBeLessThan(9 * 2 ** 20)
    expect(code).toBe(3)
    const covered = bench.checkpoints(source).map(({ anchor }) => anchor)
    expect([covered.includes(small.address), covered.includes(spamAddress)]).toEqual([true, false])
  })

  it('costs no scan at a source that shows that it finds it (no false green #30)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...small.events, spam, reported, liked, ...notes] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.problems]).toEqual([0, []])
    expect(idsOf(target.events.values())).toEqual(idsOf([...small.events, spam, reported, liked]))
    expect(readingFilters(source).filter(({ kinds }) => kinds?.includes(1621))).toEqual([])
  })

  it('is complete where a scan of everything comes to its end, kinds that nobody thought of included (no false green #30)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...small.events, spam, reported, liked], ...indexesShort })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.problems]).toEqual([0, []])
    expect(idsOf(target.events.values())).toEqual(idsOf([...small.events, spam, reported, liked]))
  })

  it('is found in a file by its tag like any other (no false green #30)', async () => {
    const bench = createWorkbench()
    const file = bench.file('source.jsonl', [...small.events, spam, reported, liked])
    const target = await bench.scripted()
    const { code } = await bench.catchup(file, target, '--scope', 'all')
    expect(code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf([...small.events, spam, reported, liked]))
  })
})
