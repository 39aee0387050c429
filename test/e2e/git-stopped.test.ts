import { describe, expect, it } from 'vitest'

import type { GitReport } from '../../src/report/git-report.ts'
import type { Report } from '../../src/report/report.ts'
import { listingOf, silence, startHostileGitServer } from '../support/hostile-git-server.ts'
import { setGitScene } from '../support/git-scene.ts'
import { OWNER, setRepairScene, type RepairRepository } from '../support/repair-scene.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench } from '../support/workbench.ts'

/** What stands in a report for one repository: its verdict at the target, what to do, and how its repair ended. */
function foundFor(git: GitReport | null, { address }: Pick<RepairRepository, 'address'>) {
  const row = git?.list.find(({ repository }) => repository === address)
  return [row?.places[0]?.verdict, row?.places[0]?.reason, row?.remedy.type, row?.repair?.outcome]
}

const UNLOOKED = ['not asked', 'the run was stopped', 'run again'] as const

describe('a run with --git that is stopped', () => {
  /** Two repositories that are as signed; one also names a git server that never answers. */
  async function setSlowScene() {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const silent = await startHostileGitServer({ info: silence })
    const [quick, slow] = [await scene.add('quick'), await scene.add('slow', { clone: [silent.url] })]
    for (const { npub, d, git, announced, state } of [quick, slow]) {
      scene.store(announced, state)
      await scene.own.host(npub, d, git)
      await scene.other.host(npub, d, git)
    }
    return { bench, scene, silent, quick, slow }
  }

  it('says by a signal what was compared by then, and that the others were not looked at', async () => {
    const { bench, scene, silent, quick, slow } = await setSlowScene()
    const cli = bench.start(['check', '--git', '--json', '--verbose', '--log-level', 'debug', ...scene.args])
    const isCompared = (): boolean => cli.stderr().includes('quick: in sync')
    await waitFor(() => silent.asked.length > 0 && isCompared(), { timeoutMs: 20_000 })
    cli.kill('SIGINT')
    const { code, json } = await cli.finished
    const { git, complete } = json<Report>()
    expect([code, complete, git?.inSync, git?.unasked]).toEqual([130, false, 1, 1])
    expect(git?.stopped).toEqual({ reason: 'interrupted', repositories: 1 })
    expect(foundFor(git, quick)).toEqual(['in sync', null, 'nothing', undefined])
    expect(foundFor(git, slow)).toEqual([...UNLOOKED, undefined])
  })

  it('is partial when its time is up, although everything that was compared is as signed', async () => {
    const { bench, scene, slow } = await setSlowScene()
    const { code, json } = await bench.run(['catchup', '--git', '--json', '--max-duration', '4s', ...scene.args])
    const { git, complete } = json<Report>()
    expect([code, complete, git?.differing, git?.stopped?.reason]).toEqual([
      3,
      false,
      0,
      'out of time (--max-duration)',
    ])
    expect(foundFor(git, slow)).toEqual([...UNLOOKED, undefined])
  })

  it('is partial when its time is up before the sources were read', async () => {
    const { bench, scene } = await setSlowScene()
    scene.source.behaviour.onReq = () => new Promise(() => undefined)
    const { code, stdout } = await bench.run(['catchup', '--git', '--max-duration', '2s', ...scene.args])
    expect(code).toBe(3)
    expect(stdout).toMatch(/git data was not looked at, because the run was stopped: out of time\s+\(--max-duration\)/)
    expect(stdout).not.toContain('is as signed')
  })

  it('says what was repaired by then', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const quick = await scene.add('quick')
    const tip = (await quick.git.refs()).get('refs/heads/main') ?? ''
    const silent = await startHostileGitServer({ list: listingOf(tip), fetch: silence })
    const slow = await scene.add('slow', { isHosted: false, clone: [silent.url] })
    const cli = bench.start(['catchup', '--git', '--json', '--verbose', ...scene.args])
    const isReleased = (): boolean => /quick: released/.test(cli.stderr())
    const isFetching = (): boolean => silent.asked.some((path) => path.includes('git-upload-pack'))
    await waitFor(() => isReleased() && isFetching(), { timeoutMs: 30_000 })
    cli.kill('SIGTERM')
    const { code, json } = await cli.finished
    const { git, complete } = json<Report>()
    expect([code, complete, git?.stopped]).toEqual([143, false, { reason: 'interrupted', repositories: 2 }])
    expect(foundFor(git, quick)).toEqual([...UNLOOKED, 'released'])
    expect(foundFor(git, slow)).toEqual([...UNLOOKED, 'given up'])
    expect(git?.repairs).toEqual({ released: 1, 'given up': 1 })
    expect(await scene.target.git.refsOf(OWNER, 'quick')).toEqual(quick.expected)
  })
})
