import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import type { GitReport, GitRepositoryReport } from '../../src/report/git-report.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, pullRequest, SOME_TIME } from '../support/builders.ts'
import { GIT_ENVIRONMENT, runGit } from '../support/git-repository.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { setGitScene, signState, type GitScene, type SceneRepository } from '../support/git-scene.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, type Workbench } from '../support/workbench.ts'

const runFile = promisify(execFile)
const GIT_ENV = { ...GIT_ENVIRONMENT, PATH: process.env['PATH'] }

/** The directory below which a server keeps its repositories. */
function rootOf(server: GitServer): string {
  return dirname(dirname(server.directoryOf('x', 'x')))
}

type Checked = { readonly code: number | null; readonly report: Report; readonly git: GitReport }

async function check(bench: Workbench, { args }: GitScene, ...more: readonly string[]): Promise<Checked> {
  const result = await bench.run(['check', '--git', '--json', ...args, ...more])
  const report = result.json<Report>()
  if (report.git === undefined || report.git === null) throw new Error(result.stdout + result.stderr)
  return { code: result.code, report, git: report.git }
}

function rowOf({ git }: Checked, { address }: SceneRepository): GitRepositoryReport {
  const row = git.list.find(({ repository }) => repository === address)
  if (row === undefined) throw new Error(`no row for ${address}`)
  return row
}

/** What stands at the target: verdict, and what to do. */
function foundFor(checked: Checked, repository: SceneRepository) {
  const { places, remedy } = rowOf(checked, repository)
  return [places[0]?.verdict, remedy.type]
}

/** The target has the events and the git data of these. */
async function serve(scene: GitScene, ...repositories: readonly SceneRepository[]): Promise<void> {
  for (const { npub, d, git, announced, state } of repositories) {
    scene.store(announced, state)
    await scene.own.host(npub, d, git)
    await scene.other.host(npub, d, git)
  }
}

describe('check --git', () => {
  it('is equal when every repository is as signed, and says so in one line', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    await serve(
      scene,
      await scene.add('a'),
      await scene.add('b', {
        prepare: async (git) => {
          await git.commitOn('feature/x', 'more')
          await git.tag('v1')
        },
      }),
    )
    const { code, stdout } = await bench.run(['check', '--git', ...scene.args])
    expect(stdout).toMatch(/git data of 2 repositories is as signed \(8 requests, .*\)/)
    expect([code, stdout.includes('not looked at')]).toEqual([0, false])
    expect((await bench.run(['check', '--git', '--quiet', ...scene.args])).stdout).toBe('')
  })

  it('counts the servers that have the git data (--copies): exit 5 where only the target has it, and what to do', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const [both, alone] = [await scene.add('both'), await scene.add('alone')]
    await serve(scene, both)
    scene.store(alone.announced, alone.state)
    await scene.own.host(alone.npub, alone.d, alone.git)
    const { code, git, report } = await check(bench, scene, '--copies', '2')
    expect([code, git.differing, report.check?.copies?.below]).toEqual([5, 0, 0])
    expect([git.copies?.repositories, git.copies?.below, git.copies?.undecided]).toEqual([2, 1, 0])
    expect(git.copies?.list).toMatchObject([{ repository: alone.address, copies: 1 }])
    const { stdout } = await bench.run(['check', '--git', ...scene.args, '--copies', '2'])
    expect(stdout).toContain('git data of 2 repositories with a state: 1 at 2 servers · 1 at 1 server')
    expect(stdout.replaceAll(/\s+/g, ' ').trim()).toMatch(
      /: the target lacks nothing\. Its git data of 2 repositories is as signed\. The git data of 1 of 2 repositories is at fewer than 2 servers\. For git data at too few servers, push a clone to another one that the announcement names, or have one more named\. `ngit-sync repair --git` does that for a GRASP relay as --target, or says what its operator has to do\. took \S+ s$/,
    )
    await scene.other.host(alone.npub, alone.d, alone.git)
    expect((await check(bench, scene, '--copies', '2')).code).toBe(0)
  })

  it('tells each way in which the target differs, and what to do', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const { own, other } = scene
    const names = ['well', 'behind', 'missing', 'extra', 'head', 'empty', 'none', 'lost'] as const
    const made: Record<string, SceneRepository> = {}
    for (const name of names) {
      const prepare = async ({ commitOn, tag }: SceneRepository['git']): Promise<void> => {
        await commitOn('main', 'second')
        await tag('v1')
      }
      made[name] = await scene.add(name, { prepare })
      if (name !== 'lost') await other.host(made[name].npub, name, made[name].git)
      scene.store(made[name].announced, made[name].state)
    }
    const of = (name: (typeof names)[number]): SceneRepository => made[name] as SceneRepository
    for (const name of ['well', 'behind', 'missing', 'extra', 'head'] as const)
      await own.host(of(name).npub, name, of(name).git)
    await own.host(of('empty').npub, 'empty')
    await own.host(of('lost').npub, 'lost')
    const at = (name: (typeof names)[number], ...args: readonly string[]): Promise<string> =>
      runGit(own.directoryOf(of(name).npub, name), ...args)
    await at('behind', 'update-ref', 'refs/heads/main', of('behind').git.commit)
    await at('missing', 'update-ref', '-d', 'refs/tags/v1')
    await at('extra', 'branch', 'old', of('extra').git.commit)
    await at('head', 'symbolic-ref', 'HEAD', 'refs/heads/gone')

    const checked = await check(bench, scene)
    expect(Object.fromEntries(names.map((name) => [name, foundFor(checked, of(name))]))).toEqual({
      well: ['in sync', 'nothing'],
      behind: ['behind', 'operator'],
      missing: ['missing', 'operator'],
      extra: ['extra', 'operator'],
      head: ['HEAD differs', 'operator'],
      empty: ['empty', 'operator'],
      none: ['no repository', 'operator'],
      lost: ['empty', 'lost'],
    })
    expect(rowOf(checked, of('behind')).places[0]).toMatchObject({ behind: ['refs/heads/main'], missing: [] })
    expect(rowOf(checked, of('behind')).hasAll).toEqual([other.urlOf(of('behind').npub, 'behind')])
    const { code, git } = checked
    expect([code, git.inSync, git.differing, git.unasked, git.lost]).toEqual([5, 1, 7, 0, 1])
    expect(git.list.at(-1)?.repository).toBe(of('well').address)

    // The operator does as told.
    for (const { remedy } of git.list.filter(({ remedy: { type } }) => type === 'operator')) {
      if (remedy.type !== 'operator') continue
      await runFile('sh', ['-c', remedy.command], { env: { ...GIT_ENV, NGIT_GIT_DATA_PATH: rootOf(own) } })
    }
    const after = await check(bench, scene)
    expect([after.git.inSync, after.git.differing, after.git.lost]).toEqual([7, 1, 1])
  })

  it('waits for the target while it holds the state back, and repairs after that', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('held')
    await scene.other.host(repository.npub, 'held', repository.git)
    const ends = scene.args.filter((arg) => arg !== '--git-allow' && arg !== 'private')
    expect((await bench.run(['catchup', ...ends])).code).toBe(3)
    const held = await check(bench, scene)
    expect(foundFor(held, repository)).toEqual(['no repository', 'target fetches'])
    expect(rowOf(held, repository).state).toMatchObject({ id: repository.state.id, isHeldBack: true })
    bench.letPass(40 * 60)
    expect(foundFor(await check(bench, scene), repository)).toEqual(['no repository', 'repair'])
  })

  it('goes by the newest state that somebody with authority has signed', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x')
    await serve(scene, repository)
    const refs = new Map([['refs/heads/main', 'f'.repeat(40)]])
    const stranger = signState(carol, 'x', refs, { createdAt: SOME_TIME + 900 })
    const forged = forge(signState(alice, 'x', refs, { createdAt: SOME_TIME + 800 }))
    for (const event of [stranger, forged]) scene.source.events.set(event.id, event)
    expect(foundFor(await check(bench, scene), repository)).toEqual(['in sync', 'nothing'])

    const newer = signState(alice, 'x', refs, { createdAt: SOME_TIME + 700 })
    scene.source.events.set(newer.id, newer)
    const checked = await check(bench, scene)
    expect(foundFor(checked, repository)).toEqual(['behind', 'lost'])
    expect([checked.code, rowOf(checked, repository).state?.id]).toEqual([5, newer.id])
  })

  it('finds the data at a mirror that is ahead of the state, below a newer ref', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const { own, other, store, add } = scene
    const [ahead, stored] = [await add('ahead'), await add('stored')]
    for (const { npub, d, git, announced } of [ahead, stored]) {
      store(announced)
      await own.host(npub, d)
      await git.commitOn('main', 'newer than the state')
      await other.host(npub, d, git)
    }
    store(stored.state)
    const checked = await check(bench, scene)
    expect(foundFor(checked, ahead)).toEqual(['empty', 'repair'])
    expect(rowOf(checked, ahead).hasAll).toEqual([other.urlOf(ahead.npub, 'ahead')])
    expect([foundFor(checked, stored), checked.git.lost]).toEqual([['empty', 'operator'], 0])

    const { remedy } = rowOf(checked, stored)
    const command = remedy.type === 'operator' ? remedy.command : ''
    await runFile('sh', ['-c', command], { env: { ...GIT_ENV, NGIT_GIT_DATA_PATH: rootOf(own) } })
    expect(foundFor(await check(bench, scene), stored)).toEqual(['in sync', 'nothing'])
  })

  it('finds what the target itself has below a newer ref', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x')
    const { npub, d, git, announced, state } = repository
    scene.store(announced, state)
    await git.commitOn('main', 'newer than the state')
    await scene.own.host(npub, d, git)
    const checked = await check(bench, scene)
    expect(foundFor(checked, repository)).toEqual(['behind', 'operator'])
  })

  it('calls nothing lost while a server cannot say whether it has it', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const old = await startGitServer({ protocol: 0 })
    const repository = await scene.add('x', { clone: [old.urlOf('old', 'x')] })
    scene.store(repository.announced, repository.state)
    await scene.own.host(repository.npub, 'x')
    await old.host('old', 'x')
    const checked = await check(bench, scene)
    expect([foundFor(checked, repository), checked.git.lost]).toEqual([['empty', 'unknown'], 0])
  })

  it('takes the state of a maintainer whom the owner lists and who lists the owner', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x', { maintainers: [bob] })
    const other = await scene.add('x', { owner: bob, maintainers: [alice] })
    await serve(scene, repository, other)
    const refs = new Map([['refs/heads/main', 'e'.repeat(40)]])
    const newer = signState(bob, 'x', refs, { createdAt: SOME_TIME + 700 })
    scene.source.events.set(newer.id, newer)
    const checked = await check(bench, scene)
    expect([repository, other].map((each) => rowOf(checked, each).state?.id)).toEqual([newer.id, newer.id])
  })

  it('misses the tip of a pull request', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x')
    await serve(scene, repository)
    const request = pullRequest(repository.address, carol)
    scene.source.events.set(request.id, request)
    scene.store(request)
    const checked = await check(bench, scene)
    expect(rowOf(checked, repository).places[0]).toMatchObject({
      verdict: 'missing',
      missing: [`refs/nostr/${request.id}`],
    })
  })

  it('ends with 3 when the git server of the target cannot be asked', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    await serve(scene, await scene.add('a'), await scene.add('b'))
    const args = scene.args.map((arg) => (arg === scene.own.url.replace('http:', 'ws:') ? scene.relay.url : arg))
    const { code, git, report } = await check(bench, { ...scene, args })
    expect([code, git.unasked]).toEqual([3, 2])
    expect(report.problems.map(({ what }) => what)).toContain('git')
  })

  it('ends with 0 although another server is behind, or cannot be asked', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x', { clone: ['http://127.0.0.1:1/x.git', 'ssh://git@h/x.git'] })
    await serve(scene, repository)
    await runGit(scene.other.directoryOf(repository.npub, 'x'), 'branch', 'more', repository.git.commit)
    const checked = await check(bench, scene)
    const verdicts = rowOf(checked, repository).places.map(({ verdict }) => verdict)
    expect([checked.code, verdicts]).toEqual([0, ['in sync', 'extra', 'unreachable', 'not asked']])
  })

  it("does not dial strangers' private addresses unless allowed", async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x')
    await serve(scene, repository)
    const args = scene.args.filter((arg) => arg !== '--git-allow' && arg !== 'private')
    const checked = await check(bench, { ...scene, args })
    expect(rowOf(checked, repository).places.map(({ verdict }) => verdict)).toEqual(['in sync', 'not asked'])
    expect([checked.code, scene.other.requests.length]).toEqual([0, 0])
  })

  it('says that no state was announced', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const repository = await scene.add('x')
    scene.source.events.delete(repository.state.id)
    scene.store(repository.announced)
    await scene.own.host(repository.npub, 'x', repository.git)
    const checked = await check(bench, scene)
    expect([checked.code, ...foundFor(checked, repository)]).toEqual([0, 'no state announced', 'nothing'])
  })

  it('is a wrong use with a target that serves no git data', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted(), await bench.scripted()]
    const ends = ['check', '--git', '--scope', 'all', '--source', source.url, '--target']
    const relay = await bench.run([...ends, target.url])
    expect([relay.code, relay.stderr]).toEqual([2, expect.stringContaining('--git wants a GRASP relay as target')])
    const file = await bench.run([...ends, bench.file('target.jsonl', [])])
    expect([file.code, file.stderr]).toEqual([2, expect.stringContaining('is a file')])
  })

  it('finds by --deep that a clone fails behind refs that are right, in one of the parts', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const prepare = (git: SceneRepository['git']): Promise<string> => git.commitOn('main', 'second')
    const [whole, broken] = [await scene.add('whole', { prepare }), await scene.add('broken', { prepare })]
    await serve(scene, whole, broken)
    const directory = scene.own.directoryOf(broken.npub, 'broken')
    const first = broken.git.commit
    rmSync(join(directory, 'objects', first.slice(0, 2), first.slice(2)))
    expect((await check(bench, scene)).code).toBe(0)

    const parts = [await check(bench, scene, '--deep', '1/2'), await check(bench, scene, '--deep', '2/2')]
    expect(parts.map(({ git }) => git.cloned).reduce((sum: number, cloned) => sum + (cloned ?? 0), 0)).toBe(2)
    expect(parts.map(({ code }) => code).sort()).toContain(5)
    const found = parts.flatMap(({ git }) => git.list).filter(({ places }) => places[0]?.clone?.isSound === false)
    expect(found.map(({ repository, remedy }) => [repository, remedy.type])).toEqual([[broken.address, 'operator']])
  })

  it('prints what strangers write without its power, and commands that a shell reads as one word', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    const d = "x'; touch pwned; \u001b[31m\u202e"
    const repository = await scene.add('plain')
    await serve(scene, repository)
    const clone = [`${scene.relay.url.replace('ws:', 'http:')}/x/x.git`]
    const hostile = announcement(alice, d, { clone, relays: [scene.relay.url] })
    const state = signState(alice, d, new Map([['refs/heads/main', 'a'.repeat(40)]]))
    for (const event of [hostile, state]) scene.source.events.set(event.id, event)
    scene.store(hostile, state)
    const { stdout } = await bench.run(['check', '--git', ...scene.args])
    expect(stdout).not.toMatch(/[\u001b\u202e]/)
    expect(stdout).toContain('lost')
  })
})

describe('a run without --git', () => {
  it('says that it does not look at pull requests which the target hosts without a repository (GRASP-06)', async () => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    await serve(scene, await scene.add('x'))
    const note = 'Git data below /prs/ was not looked at'
    expect((await check(bench, scene)).report.notes.join()).not.toContain(note)
    scene.relay.behaviour.document = { ...scene.relay.behaviour.document, supported_grasps: ['GRASP-01', 'GRASP-06'] }
    const { code, report } = await check(bench, scene)
    expect([code, report.notes.join()]).toEqual([0, expect.stringContaining(note)])
  })

  it.each(['check', 'catchup'])('says in one line that git data was not looked at: %s', async (command) => {
    const bench = createWorkbench()
    const scene = await setGitScene(bench)
    await serve(scene, await scene.add('a'))
    const ends = scene.args.filter((arg) => arg !== '--git-allow' && arg !== 'private')
    const { code, stdout } = await bench.run([command, ...ends])
    expect([code, stdout.match(/git data was not looked at/gi)?.length]).toEqual([0, 1])
    expect((await bench.run([command, '--quiet', ...ends])).stdout).toBe('')
  })
})
