import { describe, expect, it } from 'vitest'

import { comment, issue } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { bob, carol } from '../support/scenes.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { idsOf } from '../support/workbench.ts'
import { FOREIGN_RELAYS } from './support/foreign-relays.ts'
import { startGrasp } from './support/grasp.ts'
import { hostedRepository, NOTHING_TO_DO, pushGitData, summaryOf } from './support/hosted-repository.ts'
import { plainRelays, wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

const reconciling = plainRelays().filter((name) => FOREIGN_RELAYS[name].reconciles)
// 260 threads: enough to compare relays as wholes.
const HISTORY = [...generateHistory({ repositories: 20, rootsPerRepository: 13, commentsPerRoot: 1 })]

/** A proxy before a relay, and the filters that were compared through it. */
async function watchComparisons(url: string) {
  const proxy = await startTcpProxy(url)
  const filters: unknown[] = []
  proxy.onFrame((frame, from) => {
    const [label, , filter] = frame
    if (from === 'client' && label === 'NEG-OPEN') filters.push(filter)
    return undefined
  })
  return { url: proxy.url, filters, close: () => proxy.close() }
}

describe.each(reconciling)('%s and a relay that differs by little', (name) => {
  it('are compared as wholes, and every event that is missing comes', async () => {
    const bench = createInteropBench()
    const missing = HISTORY.filter(({ kind }, index) => kind === 1111 && index % 40 === 0)
    const source = await bench.foreign(name, { events: HISTORY })
    const target = await bench.foreign(name, { events: HISTORY.filter((event) => !missing.includes(event)) })
    const watched = await watchComparisons(source.url)
    const run = await bench.catchup(watched, target, '--scope', 'all')
    expect([run.code, run.report.totals.published]).toEqual([0, missing.length])
    expect(idsOf(await target.events())).toEqual(idsOf(HISTORY))
    expect(watched.filters.map((filter) => JSON.stringify(filter))).toContain('{}')
    watched.filters.length = 0
    const again = await bench.catchup(watched, target, '--scope', 'all', '--full')
    expect([again.code, again.report.totals.published, watched.filters]).toEqual([0, 0, [{}]])
    await watched.close()
  })
})

describe.skipIf(!wantedRelays().includes('ngit-grasp') || !reconciling.includes('nostr-sdk'))(
  'ngit-grasp 3.0.10 with hundreds of threads',
  () => {
    it('is compared as a whole with a source, and gets the comment that it lacks', async () => {
      const bench = createInteropBench()
      const grasp = await startGrasp()
      const repository = await hostedRepository(grasp)
      await grasp.offer([repository.announced, repository.state])
      await pushGitData(grasp, repository)
      const issues = Array.from({ length: 250 }, (_, n) => issue(repository.address, bob, { content: `issue ${n}` }))
      await grasp.offer([...repository.events.slice(2), ...issues])
      const late = comment(issues[0] ?? repository.issue, carol, { content: 'late' })
      const source = await bench.foreign('nostr-sdk', { events: [...repository.events, ...issues, late] })
      const watched = await watchComparisons(grasp.url)
      const run = await bench.catchup(source, watched, '--service', grasp.url)
      expect(summaryOf(run)).toEqual({ code: 0, published: 1, parked: 0, refused: 0 })
      expect(watched.filters.map((filter) => JSON.stringify(filter))).toContain('{}')
      const again = await bench.catchup(source, watched, '--service', grasp.url, '--full')
      expect(summaryOf(again)).toEqual(NOTHING_TO_DO)
      await watched.close()
    }, 240_000)
  },
)
