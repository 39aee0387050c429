import { describe, expect, it } from 'vitest'

import { Ledger } from '../src/run/ledger.ts'
import type { Problem } from '../src/report/report.ts'

const problem = { what: 'refused', where: 'ws://target', reason: 'blocked: no', example: 'a' }

function problemsOf(...problems: readonly Parameters<Ledger['problem']>[0][]): readonly Problem[] {
  const ledger = new Ledger([])
  for (const each of problems) ledger.problem(each)
  return ledger.problems()
}

describe('Ledger', () => {
  it('begins with zeros for every layer, in reading order', () => {
    const layers = new Ledger(['announcements', 'threads']).layers()
    expect(layers.map(({ layer }) => layer)).toEqual(['announcements', 'threads'])
    expect(layers[0]).toMatchObject({ fetched: 0, unique: 0, invalid: 0, held: 0, published: 0, lateArrivals: 0 })
  })

  it('adds to the counts of one layer', () => {
    const ledger = new Ledger(['announcements', 'threads'])
    ledger.count('threads', 'fetched', 5)
    ledger.count('threads', 'fetched')
    expect(ledger.layers().map(({ fetched }) => fetched)).toEqual([0, 6])
  })

  it('counts outcomes and what was dropped apart', () => {
    const ledger = new Ledger(['threads'])
    for (const outcome of ['accepted', 'accepted', 'refused'] as const) ledger.settle('threads', outcome)
    ledger.drop('threads', 'expired')
    expect(ledger.layers()[0]).toMatchObject({ outcomes: { accepted: 2, refused: 1 }, dropped: { expired: 1 } })
  })

  it('counts equal problems together and keeps the first example', () => {
    expect(problemsOf(problem, { ...problem, example: 'b' }, { ...problem, count: 3 })).toEqual([
      { ...problem, count: 5, example: 'a' },
    ])
  })

  it('takes a later example when the first had none', () => {
    expect(problemsOf({ ...problem, example: null }, problem)[0]?.example).toBe('a')
  })

  it.each([{ what: 'waiting' }, { where: 'ws://other' }, { reason: 'blocked: never' }])(
    'keeps problems apart that differ in %j',
    (change) => expect(problemsOf(problem, { ...problem, ...change })).toHaveLength(2),
  )

  it('puts the largest problem first', () => {
    expect(problemsOf(problem, { ...problem, reason: 'more', count: 2 }).map(({ count }) => count)).toEqual([2, 1])
  })

  it('says each note once', () => {
    const ledger = new Ledger([])
    for (const note of ['one', 'two', 'one']) ledger.note(note)
    expect(ledger.notes()).toEqual(['one', 'two'])
  })
})
