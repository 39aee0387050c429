import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { SOME_TIME } from '../support/builders.ts'
import { createGitRepository, runGit } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import {
  corruptPack,
  endlessPack,
  redirect,
  refs,
  startHostileGitServer,
  type GitAnswers,
} from '../support/hostile-git-server.ts'
import {
  branchedRepository,
  OWNER,
  setRepairScene,
  stateOf,
  type RepairRepository,
  type RepairScene,
} from '../support/repair-scene.ts'
import { alice } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
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

describe('a target without git data', () => {
  it('is refused before anything is sent', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    await scene.add('one')
    const plain = await bench.scripted()
    const ends = ['--source', scene.source.url, '--target', plain.url]
    const { code, stderr } = await bench.run(['catchup', '--git', ...ends])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--git wants a GRASP relay as target')])
    expect(plain.received.events).toEqual([])
  })
})

describe('a machine without git', () => {
  it('is told before anything is sent; refs are compared all the same', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    await scene.add('one')
    const env = { PATH: bench.path('no programs here') }
    const { code, stderr } = await bench.run(['catchup', '--git', ...scene.args], { env })
    expect([code, stderr]).toEqual([1, expect.stringContaining('git data needs the program git')])
    expect(scene.target.relay.received.events).toEqual([])
    const ends = scene.args.slice(0, scene.args.indexOf('--rate'))
    expect((await bench.run(['check', '--git', ...ends], { env })).code).toBe(5)
  })
})

describe('a repair', () => {
  it('plans with --dry-run and touches nothing', async () => {
    const scene = await setRepairScene(createWorkbench())
    await scene.add('one')
    const { code, report } = await scene.catchup('--dry-run')
    expect([code, report.git?.repairs]).toEqual([0, { planned: 1 }])
    expect(report.git?.list[0]?.repair?.reason).toBe('would push 3 refs, 1 pull request')
    expect([scene.target.git.count('receive-pack'), scene.target.relay.received.events.length]).toEqual([0, 0])
  })

  it('takes what is spread over two servers, though one of its servers is down', async () => {
    const scene = await setRepairScene(createWorkbench())
    const [other, down] = [await startGitServer(), await startGitServer()]
    const git = await branchedRepository('spread')
    const all = await git.refs()
    const main = new Map([['refs/heads/main', all.get('refs/heads/main') ?? '']])
    const tip = new Map([['refs/heads/proposal', await git.commitAside('a proposal for spread')]])
    const rest = new Map([...all].filter(([ref]) => ref !== 'refs/heads/main'))
    await down.stop()
    const repository = await scene.add('spread', {
      git,
      isHosted: false,
      at: [
        [scene.server, main],
        [other, new Map([...rest, ...tip])],
      ],
      clone: [down.urlOf(OWNER, 'spread')],
    })
    const { code, report } = await scene.catchup()
    expect([code, report.git?.repairs]).toEqual([0, { released: 1 }])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  it('says which objects no server has, repairs the others, and is partial', async () => {
    const scene = await setRepairScene(createWorkbench())
    const lost = 'a'.repeat(40)
    const gone = await scene.add('gone', { refs: new Map([['refs/heads/main', lost]]) })
    await scene.add('kept')
    const outcome = await scene.catchup()
    expect(repairsOf(outcome)).toEqual({ gone: 'no data', kept: 'released' })
    const row = outcome.report.git?.list.find(({ repository }) => repository === gone.address)
    expect([outcome.code, row?.remedy.type, row?.repair?.missing]).toEqual([3, 'lost', [lost]])
    expect(await refsAt(scene, gone)).toEqual(new Map())
  })

  it('pushes no pull request whose tip is lost, but the branches', async () => {
    const scene = await setRepairScene(createWorkbench())
    const git = await branchedRepository('tipless')
    const all = await git.refs()
    const repository = await scene.add('tipless', { git, isHosted: false, at: [[scene.server, all]] })
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome)]).toEqual([3, { tipless: 'no data' }])
    expect(await refsAt(scene, repository)).toEqual(all)
    expect(scene.target.relay.events.has(repository.state.id)).toBe(true)
  })

  it('goes by the newest state, whose data is not there yet', async () => {
    const scene = await setRepairScene(createWorkbench())
    const { d, address } = await scene.add('ahead')
    const newer = stateOf(alice, d, new Map([['refs/heads/main', 'b'.repeat(40)]]), SOME_TIME + 9_000)
    scene.source.events.set(newer.id, newer)
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome)]).toEqual([3, { ahead: 'no data' }])
    expect(outcome.report.git?.list[0]).toMatchObject({ repository: address, state: { id: newer.id } })
  })

  it('pushes nothing when a newer state comes while objects are fetched', async () => {
    const scene = await setRepairScene(createWorkbench())
    const newer = stateOf(alice, 'late', new Map([['refs/heads/main', 'b'.repeat(40)]]), SOME_TIME + 9_000)
    const server = await startGitServer({
      onRequest: ({ command }) => void (command === 'fetch' && scene.source.events.set(newer.id, newer)),
    })
    const git = await branchedRepository('late')
    await scene.add('late', { git, isHosted: false, at: [[server, await git.refs()]] })
    const outcome = await scene.catchup()
    const [repair] = (outcome.report.git?.list ?? []).map((each) => each.repair)
    expect([outcome.code, repair]).toMatchObject([
      3,
      { outcome: 'given up', reason: expect.stringContaining('newer state') as string },
    ])
    expect(scene.target.git.count('receive-pack')).toBe(0)
  })

  it('deletes a stale ref at the target with --prune-refs only', async () => {
    const scene = await setRepairScene(createWorkbench())
    const repository = await scene.add('stale')
    scene.target.git.acceptAll(OWNER, 'stale')
    await repository.git.pushRefs(scene.target.clone(alice, 'stale'), 'feature:refs/heads/old')
    rmSync(join(scene.target.git.directoryOf(OWNER, 'stale'), 'ngit-open'))
    const kept = await scene.catchup()
    expect([kept.code, repairsOf(kept)]).toEqual([3, { stale: 'given up' }])
    expect(kept.report.git?.list[0]?.repair?.reason).toContain('refs/heads/old): --prune-refs deletes them')
    expect([...(await refsAt(scene, repository)).keys()]).toEqual(['refs/heads/old'])
    const pruned = await scene.catchup('--prune-refs')
    expect([pruned.code, repairsOf(pruned)]).toEqual([0, { stale: 'released' }])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  /** A target that serves the events of a repository, and has no git data of it. */
  async function loseGitData() {
    const scene = await setRepairScene(createWorkbench())
    const repository = await scene.add('bare')
    for (const event of repository.events) scene.target.relay.events.set(event.id, event)
    const refs = await repository.git.refs()
    scene.target.git.accept(OWNER, 'bare', { refs, head: 'refs/heads/main' })
    return { scene, repository }
  }

  it('pushes a state that ngit-relay has stored, and its pull requests', async () => {
    const { scene, repository } = await loseGitData()
    const software = 'https://gitworkshop.dev/danconwaydev.com/ngit-relay'
    scene.target.relay.behaviour.document = { software, version: '0.1.0', supported_grasps: ['GRASP-01'] }
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome), outcome.report.totals.published]).toEqual([0, { bare: 'released' }, 0])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  it('pushes only pull requests where ngit-grasp has stored the state, and gives the command of its operator', async () => {
    const { scene, repository } = await loseGitData()
    const { code, report } = await scene.catchup()
    expect([code, [...(await refsAt(scene, repository)).keys()]]).toEqual([3, [`refs/nostr/${repository.pull.id}`]])
    expect(report.git?.list[0]?.remedy).toMatchObject({ type: 'operator' })
  })

  it('has nothing to push for an empty repository, and is complete', async () => {
    const scene = await setRepairScene(createWorkbench())
    const { announced, state } = await scene.add('empty', { refs: new Map(), isHosted: false })
    scene.source.events.clear()
    for (const event of [announced, state]) scene.source.events.set(event.id, event)
    const outcome = await scene.catchup()
    expect([outcome.code, outcome.report.git?.repairs]).toEqual([0, {}])
  })

  it('refuses SHA-256 repositories in so many words', async () => {
    const scene = await setRepairScene(createWorkbench())
    const git = await createGitRepository('wide', 'sha256')
    await scene.add('wide', { git })
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome)]).toEqual([3, { wide: 'given up' }])
    expect(outcome.report.git?.list[0]?.repair?.reason).toContain('SHA-256')
  })

  it('tells what the target said when it takes no push', async () => {
    const scene = await setRepairScene(createWorkbench())
    await scene.add('denied')
    writeFileSync(
      join(scene.target.git.directoryOf(OWNER, 'denied'), 'hooks', 'pre-receive'),
      '#!/bin/sh\necho "no room \u001b[31m left" >&2; exit 1\n',
      { mode: 0o755 },
    )
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome)]).toEqual([3, { denied: 'denied' }])
    expect(outcome.report.git?.list[0]?.repair?.reason).toContain('no room')
  })

  it('is pushed once the target has made the repository, which turned the first pushes away', async () => {
    const scene = await setRepairScene(createWorkbench())
    const repository = await scene.add('late')
    const { git } = scene.target
    const directory = git.directoryOf(OWNER, 'late')
    await runGit(directory, 'config', 'http.receivepack', 'false')
    const running = scene.catchup()
    await waitFor(() => git.count('info/refs') - git.count('ls-refs') >= 2, { timeoutMs: 60_000, what: 'two pushes' })
    expect(git.count('receive-pack')).toBe(0)
    await runGit(directory, 'config', 'http.receivepack', 'true')
    const outcome = await running
    expect([outcome.code, repairsOf(outcome)]).toEqual([0, { late: 'released' }])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  it('is released when the target fetched the data itself while it was pushed, and so took no push', async () => {
    const scene = await setRepairScene(createWorkbench())
    const repository = await scene.add('raced')
    const fetch = `git fetch --quiet '${repository.git.directory}' 'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'`
    writeFileSync(
      join(scene.target.git.directoryOf(OWNER, 'raced'), 'hooks', 'pre-receive'),
      `#!/bin/sh\n[ -f raced ] && exit 0\ntouch raced\nunset GIT_QUARANTINE_PATH $(git rev-parse --local-env-vars)\n${fetch}\nexit 1\n`,
      { mode: 0o755 },
    )
    const outcome = await scene.catchup()
    expect([outcome.code, repairsOf(outcome)]).toEqual([0, { raced: 'released' }])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  it('believes no push: what is not served afterwards was not released', async () => {
    const scene = await setRepairScene(createWorkbench())
    await scene.add('silent')
    scene.target.relay.receiveObjects = () => undefined
    const { code, report } = await scene.catchup('--max-duration', '20s')
    expect([code, report.git?.repairs.released]).toEqual([3, undefined])
  })
})

describe('a hostile git server', () => {
  const cases: readonly (readonly [what: string, answers: GitAnswers])[] = [
    ['redirects to a private address', { info: redirect('http://127.0.0.1:1/x.git/info/refs') }],
    ['sends an endless pack', { fetch: endlessPack }],
    ['sends a corrupt pack', { fetch: corruptPack }],
    ['sends a hostile ref name', { list: refs([`${'1'.repeat(40)} refs/heads/\u001b]0;x`]) }],
  ]
  it.each(cases)('that %s does no harm: another server has the data', async (_, answers) => {
    const scene = await setRepairScene(createWorkbench())
    const hostile = await startHostileGitServer(answers)
    const repository = await scene.add('one', { clone: [hostile.url] })
    const { code, report } = await scene.catchup('--max-git-bytes', '2MB')
    expect([code, report.git?.repairs]).toEqual([0, { released: 1 }])
    expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  it.each(cases)('that %s and is the only one brings nothing to the target', async (_, answers) => {
    const scene = await setRepairScene(createWorkbench())
    const hostile = await startHostileGitServer(answers)
    const repository = await scene.add('one', { isHosted: false, clone: [hostile.url] })
    const { code, report } = await scene.catchup('--max-git-bytes', '2MB')
    expect(code).toBe(3)
    expect(['no data', 'too large']).toContain(report.git?.list[0]?.repair?.outcome)
    expect(await refsAt(scene, repository)).toEqual(new Map())
  })
})

describe('kill -9', () => {
  it('between fetch and push loses nothing: the next run fetches nothing again and pushes', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const repositories = [await scene.add('one'), await scene.add('two')]
    let held = 0
    // With objects fetched and checked, the newest states are read once more: this question is never answered.
    scene.source.behaviour.onReq = ({ filters }) => {
      if (scene.server.count('fetch') === 0 || filters.every(({ kinds }) => kinds?.includes(30_618) !== true))
        return 'default'
      held += 1
      return new Promise(() => undefined)
    }
    const options = { env: { XDG_CACHE_HOME: bench.path('cache') } }
    const cli = bench.start(['catchup', '--git', ...scene.args], options)
    await waitFor(() => held === repositories.length, { timeoutMs: 30_000, everyMs: 1 })
    cli.kill('SIGKILL')
    await cli.finished
    expect(scene.target.git.count('receive-pack')).toBe(0)
    const fetches = scene.server.count('fetch')
    delete scene.source.behaviour.onReq
    const next = await bench.run(['catchup', '--git', '--json', ...scene.args], options)
    expect([next.code, next.json<Report>().git]).toMatchObject([0, { inSync: 2, repairs: { released: 2 } }])
    expect(scene.server.count('fetch')).toBe(fetches)
    for (const repository of repositories) expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })

  /** Until then the server takes no push, and does not answer it either. */
  const BLOCKING = '#!/bin/sh\nwhile [ -f ngit-block ]; do sleep 0.1; done\nexec hooks/judge\n'

  const phases: readonly (readonly [phase: string, isReached: (scene: RepairScene) => boolean | Promise<boolean>])[] = [
    ['while objects are fetched', ({ server }) => server.count('fetch') > 0],
    ['while the target judges a push', ({ target }) => target.git.count('receive-pack') > 0],
    ['right after a push', async ({ target }) => (await target.git.refsOf(OWNER, 'one')).size > 0],
  ]
  it.each(phases)('%s loses nothing: the next run ends like an undisturbed one', async (phase, isReached) => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const repositories = [await scene.add('one'), await scene.add('two')]
    const isBlocked = phase.includes('judges')
    const hooks = repositories.map(({ d }) => scene.target.git.directoryOf(OWNER, d))
    for (const directory of isBlocked ? hooks : []) {
      renameSync(join(directory, 'hooks', 'pre-receive'), join(directory, 'hooks', 'judge'))
      writeFileSync(join(directory, 'hooks', 'pre-receive'), BLOCKING, { mode: 0o755 })
      writeFileSync(join(directory, 'ngit-block'), '')
    }
    const cli = bench.start(['catchup', '--git', ...scene.args])
    await waitFor(() => isReached(scene), { timeoutMs: 30_000, everyMs: 1 })
    cli.kill('SIGKILL')
    await cli.finished
    for (const directory of isBlocked ? hooks : []) rmSync(join(directory, 'ngit-block'))
    const { code, report } = await scene.catchup()
    expect([code, report.git?.inSync, report.totals.parked]).toEqual([0, 2, 0])
    expect(idsOf(scene.target.relay.events.values())).toEqual(idsOf(repositories.flatMap(({ events }) => events)))
    for (const repository of repositories) expect(await refsAt(scene, repository)).toEqual(repository.expected)
  })
})
