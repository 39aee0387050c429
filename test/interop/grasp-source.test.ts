import { describe, expect, it } from 'vitest'

import { comment, issue } from '../support/builders.ts'
import { bob, carol } from '../support/scenes.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { startGrasp } from './support/grasp.ts'
import { hostedRepository, pushGitData } from './support/hosted-repository.ts'
import { plainRelays, wantedRelays } from './support/installation.ts'
import { createInteropBench, type InteropBench } from './support/interop-bench.ts'

/** A GRASP relay with a repository and more in its threads than it gives in one page. */
async function startFullGrasp(replies: number) {
  const grasp = await startGrasp()
  const repository = await hostedRepository(grasp)
  const [announced, pushed, ...threads] = repository.events
  if (announced === undefined || pushed === undefined) throw new Error('a small repository has both')
  await grasp.offer([announced, pushed])
  await pushGitData(grasp, repository)
  const more = Array.from({ length: replies }, (_, n) =>
    comment(repository.issue, carol, { content: `reply ${n}`, createdAt: repository.issue.created_at + n }),
  )
  const answers = await grasp.offer([...threads, ...more])
  expect(answers.filter(({ accepted }) => !accepted)).toEqual([])
  return { grasp, repository, events: [...repository.events, ...more] }
}

async function openTarget(bench: InteropBench, name: string) {
  if (name === 'the embedded relay') {
    const relay = await bench.real()
    return { url: relay.url, events: async () => relay.events() }
  }
  const plain = plainRelays().find((each) => each === name)
  if (plain === undefined) throw new Error(`${name} is not installed`)
  return bench.foreign(plain)
}

const TARGETS = ['the embedded relay', ...plainRelays().filter((name) => name === 'khatru' || name === 'nostr-sdk')]

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('ngit-grasp 3.0.10 as the source', () => {
  it.each(TARGETS)('gives %s everything, paged and compared, and nothing counts as a problem', async (name) => {
    const bench = createInteropBench()
    const { grasp, repository, events } = await startFullGrasp(520)
    const target = await openTarget(bench, name)
    const paged = await bench.catchup(grasp, target, '--scope', 'all', '--no-reconcile')
    expect(idsOf(await target.events())).toEqual(idsOf(events))
    expect([paged.code, paged.report.problems]).toEqual([0, []])
    const late = issue(repository.address, bob, { createdAt: nowSeconds() - 10 })
    await grasp.offer([late])
    const compared = await bench.catchup(grasp, target, '--scope', 'all', '--full')
    expect([compared.code, compared.report.totals.published, compared.report.problems]).toEqual([0, 1, []])
    const again = await bench.catchup(grasp, target, '--scope', 'all', '--full')
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
  })
})
