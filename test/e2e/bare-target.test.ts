import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { generateHistory } from '../support/generate.ts'
import { smallRepository } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

const HISTORY = [...generateHistory({ repositories: 5, rootsPerRepository: 10, commentsPerRoot: 5 })]
const half = HISTORY.filter((_, index) => index % 2 === 0)
const SCOPE = ['--scope', 'all'] as const

/** The frames of comparisons by kinds or tags; by ids and time the target is asked what has arrived. */
function comparisonsAt({ received }: ScriptedRelay): string[] {
  const isAnchored = (filter: Filter = {}): boolean => Object.keys(filter).some((key) => /^(kinds|#.)$/.test(key))
  return received.negs.flatMap(({ label, filter }) => (label !== 'NEG-OPEN' || isAnchored(filter) ? [label] : []))
}

describe('a target that shows nothing', () => {
  it('is not compared: the source is paged, and lists what it has once', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, negentropy: true, verify: false })
    const target = await bench.scripted({ negentropy: true, verify: false })
    const { code, report } = await bench.catchup(source, target, ...SCOPE)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(HISTORY)])
    expect(report.sources[0]?.layers.map(({ mode, end }) => [mode, end])).toEqual([
      ['reconcile', 'drained'],
      ['reconcile', 'drained'],
      ['reconcile', 'drained'],
    ])
    expect(comparisonsAt(target)).not.toContain('NEG-OPEN')
    expect(new Set(comparisonsAt(source))).toEqual(new Set(['NEG-OPEN', 'NEG-CLOSE']))
  })

  it('but holds half is sent the other half only', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, negentropy: true, verify: false })
    const target = await bench.scripted({
      events: half,
      negentropy: true,
      verify: false,
      ignores: (filter) => Object.keys(filter).every((key) => ['since', 'limit'].includes(key)),
    })
    const { code, report } = await bench.catchup(source, target, ...SCOPE)
    expect(code).toBe(0)
    expect(report.totals).toMatchObject({ published: HISTORY.length - half.length })
    expect(comparisonsAt(target)).not.toContain('NEG-OPEN')
  })

  it('gets what the source lists and serves by id only, and the source is named for it', async () => {
    const bench = createWorkbench()
    const { events, comment } = smallRepository()
    const source = await bench.scripted({
      events,
      negentropy: true,
      onReq: ({ filters, answer }) =>
        filters.some(({ ids }) => ids !== undefined)
          ? 'default'
          : { ...answer, rows: answer.rows.filter((row) => (row as { id: string }).id !== comment.id) },
    })
    const target = await bench.scripted({ negentropy: true })
    const { code, report } = await bench.catchup(source, target, ...SCOPE)
    expect([code, idsOf(target.events.values())]).toEqual([3, idsOf(events)])
    expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['source', source.url])
  })

  it('is not compared with several sources either: they list their ids, so that few events are fetched twice', async () => {
    const bench = createWorkbench()
    const relay = () => bench.scripted({ events: HISTORY, negentropy: true, verify: false })
    const sources = await Promise.all([relay(), relay()])
    const target = await bench.scripted({ negentropy: true, verify: false })
    const { code } = await bench.catchup(sources, target, ...SCOPE)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(HISTORY)])
    expect(comparisonsAt(target)).not.toContain('NEG-OPEN')
    for (const source of sources) expect(comparisonsAt(source)).toContain('NEG-MSG')
  })
})
