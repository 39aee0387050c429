import { describe, expect, it } from 'vitest'

import { gitAccess, named } from '../git/git-scene.ts'
import { state } from '../support/builders.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import { alice } from '../support/scenes.ts'
import { idsOf } from '../support/workbench.ts'
import { startGrasp } from './support/grasp.ts'
import {
  hostedRepository,
  NOTHING_TO_DO,
  pushGitData,
  summaryOf,
  waitUntilServed,
} from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { addRepository, cloneWhole } from './support/signed-repository.ts'

const REPOSITORIES = 30
const ABSENT = 'd'.repeat(40)

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('git data of ngit-grasp 3.0.10', () => {
  it('comes back in one catchup: every repository clones as signed, and nothing is left to do', async () => {
    const bench = createInteropBench()
    const [grasp, server] = [await startGrasp(), await startGitServer()]
    const names = Array.from({ length: REPOSITORIES }, (_, n) => `repository-${n}`)
    const repositories = []
    for (const d of names) repositories.push(await addRepository(grasp.service, server, d))
    const events = repositories.flatMap((repository) => repository.events)
    const source = await bench.real({ events })
    const run = (...args: readonly string[]) =>
      bench.catchup(source, grasp, '--git', '--git-allow', 'private', '--connections', '4', ...args)

    const first = await run('--settle', '2m')
    expect([first.code, first.report.totals.parked, first.report.git?.inSync]).toEqual([0, 0, REPOSITORIES])
    expect(idsOf(await grasp.events())).toEqual(idsOf(events))
    for (const { url, refs, pulls } of repositories)
      expect(await cloneWhole(url)).toEqual({ head: 'refs/heads/main', refs, pulls })

    const fetched = server.count('fetch')
    const second = await run()
    expect(summaryOf(second)).toMatchObject(NOTHING_TO_DO)
    expect(server.count('fetch')).toBe(fetched)
  }, 600_000)

  it('is said to be there or not, object by object: also what no ref shows, or reaches any more', async () => {
    const grasp = await startGrasp()
    const git = await createGitRepository('probed')
    const below = git.commit
    const tree = await git.git('rev-parse', `${below}^{tree}`)
    const forsaken = await git.commitOn('main', 'more')
    const hosted = await hostedRepository(grasp, { d: 'probed', git: { ...git, commit: forsaken } })
    await grasp.offer(hosted.events)
    await pushGitData(grasp, hosted)
    const tip = await git.git('commit-tree', '-p', below, '-m', 'instead', tree)
    const newer = state(alice, 'probed', { commit: tip, createdAt: hosted.state.created_at + 1 })
    await grasp.offer([newer])
    const url = grasp.service.clone(alice, 'probed')
    await git.pushRefs(url, `+${tip}:refs/heads/main`)
    await waitUntilServed(grasp, [newer])

    const answers = await gitAccess().probe(named(url), [ABSENT, below, tree, forsaken, tip])
    expect([...answers]).toEqual([
      [ABSENT, 'lacks it'],
      [below, 'has it'],
      [tree, 'has it'],
      [forsaken, 'has it'],
      [tip, 'has it'],
    ])
  })
})
