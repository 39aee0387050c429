import { describe, expect, it } from 'vitest'

import { OWNER, setRepairScene, type RepairRepository, type RepairScene } from '../support/repair-scene.ts'
import { createWorkbench, idsOf, type Outcome } from '../support/workbench.ts'

/** The outcome of the repair of each repository, by identifier. */
function repairsOf({ report }: Outcome): Record<string, string | undefined> {
  const list = report.git?.list ?? []
  return Object.fromEntries(list.map(({ repository, repair }) => [repository.split(':')[2] ?? '', repair?.outcome]))
}

const refsAt = ({ target }: RepairScene, { d }: RepairRepository) => target.git.refsOf(OWNER, d)

describe('catchup --git', () => {
  it('brings an emptied GRASP relay back: events, refs, HEAD and pull requests; the second run does nothing', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const repositories = [await scene.add('one'), await scene.add('two'), await scene.add('three')]
    const first = await scene.catchup()
    expect(repairsOf(first)).toEqual({ one: 'released', two: 'released', three: 'released' })
    expect([first.code, first.report.totals.parked, first.report.git?.inSync]).toEqual([0, 0, 3])
    expect(idsOf(scene.target.relay.events.values())).toEqual(idsOf(repositories.flatMap(({ events }) => events)))
    for (const repository of repositories) expect(await refsAt(scene, repository)).toEqual(repository.expected)
    const pushes = scene.target.git.count('receive-pack')
    const second = await scene.catchup()
    expect([second.code, second.report.totals.published]).toEqual([0, 0])
    expect(scene.target.git.count('receive-pack')).toBe(pushes)
  })
})
