import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { LayerName } from '../src/layer-name.ts'
import { DifferenceTally } from '../src/run/difference-tally.ts'

const MOST_ROWS = 5

type Counted = Parameters<DifferenceTally['add']>[1] & { readonly side: 'targetHas' | 'missing' }

const event: fc.Arbitrary<Counted> = fc.record({
  side: fc.constantFrom('targetHas' as const, 'missing' as const),
  layer: fc.constantFrom<LayerName[]>('repositories', 'threads'),
  kind: fc.constantFrom(1617, 1621),
  repository: fc.option(fc.constantFrom('30617:a:x', '30617:b:x', '30617:c:x', '30617:d:x')),
})

function count(events: readonly Counted[], mostRows?: number): DifferenceTally {
  const tally = new DifferenceTally(mostRows)
  for (const { side, ...row } of events) tally.add(side, row)
  return tally
}

describe('DifferenceTally', () => {
  it('counts what each side has by layer, kind and repository', () => {
    const row = { layer: 'threads', kind: 1621, repository: '30617:a:x' } as const
    const tally = new DifferenceTally()
    tally.add('targetHas', row)
    tally.add('missing', row)
    tally.add('missing', { ...row, repository: null })
    expect(tally.rows()).toEqual([
      { ...row, sourceHas: 2, targetHas: 1, missing: 1 },
      { ...row, repository: null, sourceHas: 1, targetHas: 0, missing: 1 },
    ])
    expect(tally.missing).toBe(2)
  })

  it('loses no event when there are too many rows, and then tells no further repositories apart', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const bounded = count(events, MOST_ROWS).rows()
        const sums = (rows: typeof bounded): readonly number[] =>
          (['sourceHas', 'targetHas', 'missing'] as const).map((field) =>
            rows.reduce((total, row) => total + row[field], 0),
          )
        expect(sums(bounded)).toEqual(sums(count(events).rows()))
        expect(bounded.filter(({ repository }) => repository !== null).length).toBeLessThanOrEqual(MOST_ROWS)
      }),
      { numRuns: 300 },
    )
  })
})
