import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { createGitRepository, runGit } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import {
  corruptPack,
  endlessPack,
  listingOf,
  redirect,
  slowEndlessPack,
  startHostileGitServer,
  status,
} from '../support/hostile-git-server.ts'
import { gitAccess, named, strange, temporaryDirectory } from './git-scene.ts'

const NPUB = 'npub1alice'
const ADDRESS = `30617:${'a'.repeat(64)}:hello`
const EVENT = 'e'.repeat(64)
const ABSENT = '1234567890abcdef1234567890abcdef12345678'
const NOTHING: ReadonlySet<string> = new Set()

/** A server with a repository of two branches, a tag, and a commit that no ref points to. */
async function hostRepository(options: { readonly protocol?: 0 | 2; readonly anyObject?: boolean } = {}) {
  const server = await startGitServer(options)
  const repository = await createGitRepository('hello')
  const next = await repository.commitOn('next', 'more')
  const tag = await repository.tag('v1')
  const aside = await repository.commitAside('proposal')
  await server.host(NPUB, 'hello', repository, new Map([...(await repository.refs()), ['refs/heads/gone', aside]]))
  await runGit(server.directoryOf(NPUB, 'hello'), 'update-ref', '-d', 'refs/heads/gone')
  const place = named(server.urlOf(NPUB, 'hello'))
  return { server, repository, next, tag, aside, place, refs: await repository.refs() }
}

describe('fetching objects', () => {
  it('brings what refs point to in one talk, and the rest by their ids', async () => {
    const { server, place, refs, aside } = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const ids = [...refs.values(), aside]
    expect(await workshop.findIncomplete(ids)).toEqual([...new Set(ids)])
    expect(await workshop.fetch(place, ids, new Set(refs.values()))).toEqual({ reason: null, isTooLarge: false })
    expect(await workshop.findIncomplete(ids)).toEqual([])
    expect(server.count('fetch')).toBe(2)
    await workshop.close()
  })

  it('asks for nothing that is here', async () => {
    const { server, place, refs } = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    await workshop.fetch(place, [...refs.values()], NOTHING)
    const before = server.requests.length
    expect(await workshop.fetch(place, [...refs.values()], NOTHING)).toEqual({ reason: null, isTooLarge: false })
    expect(server.requests.length).toBe(before)
  })

  it('brings what there is when one object is nowhere, and says so', async () => {
    const { place, refs } = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const ids = [...refs.values(), ABSENT]
    const fetched = await workshop.fetch(place, ids, new Set(refs.values()))
    expect(fetched).toEqual({ reason: expect.stringContaining(`not our ref ${ABSENT}`), isTooLarge: false })
    const again = await workshop.fetch(place, ids, NOTHING)
    expect(again.reason).toContain(`not our ref ${ABSENT}`)
    expect(await workshop.findIncomplete(ids)).toEqual([ABSENT])
  })

  it('asks one by one where one of many is refused', async () => {
    const { place, next, aside, repository } = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const ids = [repository.commit, ABSENT, next, aside]
    expect((await workshop.fetch(place, ids, new Set(ids))).reason).toContain('not our ref')
    expect(await workshop.findIncomplete(ids)).toEqual([ABSENT])
  })

  it('gathers objects that are spread over two servers', async () => {
    const { place, next, repository } = await hostRepository()
    const other = await startGitServer()
    const second = await createGitRepository('other')
    await other.host(NPUB, 'hello', second)
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const ids = [next, second.commit]
    await workshop.fetch(place, ids, new Set(ids))
    await workshop.fetch(named(other.urlOf(NPUB, 'hello')), ids, new Set(ids))
    expect(await workshop.findIncomplete([...ids, repository.commit])).toEqual([])
  })

  it('says what a server of protocol v0 refuses that does not serve every object', async () => {
    const { place, refs, aside } = await hostRepository({ protocol: 0, anyObject: false })
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const ids = [...refs.values(), aside]
    const fetched = await workshop.fetch(place, ids, new Set(refs.values()))
    expect(fetched.reason).toContain('unadvertised object')
    expect(await workshop.findIncomplete(ids)).toEqual([aside])
  })

  it('says what a shallow server cannot give', async () => {
    const { server, place, next, repository } = await hostRepository()
    writeFileSync(join(server.directoryOf(NPUB, 'hello'), 'shallow'), `${next}\n`)
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(place, [next], new Set([next]))
    expect(fetched.reason).not.toBeNull()
    expect(await workshop.findIncomplete([next, repository.commit])).toEqual([next, repository.commit])
  })

  it('refuses SHA-256 clearly', async () => {
    const server = await startGitServer()
    const repository = await createGitRepository('hello', 'sha256')
    await server.host(NPUB, 'hello', repository)
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const place = named(server.urlOf(NPUB, 'hello'))
    const reason = 'SHA-256 repositories are not supported'
    expect(await workshop.fetch(place, [repository.commit], NOTHING)).toEqual({ reason, isTooLarge: false })
    expect(await workshop.fetch(place, [ABSENT], NOTHING)).toEqual({ reason, isTooLarge: false })
    const pushed = await workshop.push(place, [{ ref: 'refs/heads/main', to: repository.commit }])
    expect(pushed).toEqual({ type: 'failed', reason })
  })

  it.each(['--upload-pack=touch', 'HEAD', 'refs/heads/main', `${ABSENT}\n--all`, ABSENT.slice(1)])(
    'takes no %j for an object id',
    async (id) => {
      const { server, place } = await hostRepository()
      const workshop = await gitAccess().openWorkshop(ADDRESS)
      const fetched = await workshop.fetch(place, [id], NOTHING)
      expect(fetched.reason).toBe('something was asked for that is no object id')
      expect(await workshop.findIncomplete([id])).toEqual([id])
      expect(server.requests).toEqual([])
    },
  )

  it('does not dial a private address that a stranger named', async () => {
    const { server, place } = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(strange(place.url), [ABSENT], NOTHING)
    expect(fetched).toEqual({ reason: 'its host is private', isTooLarge: false })
    expect(server.requests).toEqual([])
  })
})

describe('fetching from a server that misbehaves', () => {
  const info = { list: listingOf(ABSENT) }

  it('stops an endless pack at the limit of a repository, and leaves nothing of it on disk', async () => {
    const server = await startHostileGitServer({ ...info, fetch: endlessPack })
    const cacheDirectory = temporaryDirectory()
    const access = gitAccess({ cacheDirectory, maxRepositoryBytes: 2 * 1024 ** 2 })
    const workshop = await access.openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    expect(fetched).toEqual({ reason: expect.any(String), isTooLarge: true })
    // The kernel stops the file at the limit; beside it lie a few small files of git.
    expect(access.costs().bytes).toBeLessThan(2 * 1024 ** 2 + 64 * 1024)
    const left = readdirSync(cacheDirectory, { recursive: true, encoding: 'utf8' })
    expect(left.filter((name) => /tmp_|\.pack$/.test(name))).toEqual([])
    const again = await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    expect(again.isTooLarge).toBe(true)
  })

  it('fetches nothing more once the run has had its bytes', async () => {
    const server = await startHostileGitServer({ ...info, fetch: endlessPack })
    const access = gitAccess({ maxRepositoryBytes: 2 * 1024 ** 2, maxRunBytes: 1024 ** 2 })
    const workshop = await access.openWorkshop(ADDRESS)
    await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    const asked = server.asked.length
    expect(await workshop.fetch(named(server.url), [ABSENT], NOTHING)).toEqual({
      reason: 'it would take more than the run may fetch (--max-git-bytes)',
      isTooLarge: true,
    })
    expect(server.asked.length).toBe(asked)
  })

  it('shares the bytes of the run among two fetches beside each other', async () => {
    const servers = await Promise.all([1, 2].map(() => startHostileGitServer({ ...info, fetch: slowEndlessPack })))
    const access = gitAccess({ maxRepositoryBytes: 64 * 1024 ** 2, maxRunBytes: 4 * 1024 ** 2 })
    const fetched = await Promise.all(
      servers.map(async ({ url }, n) =>
        (await access.openWorkshop(`${ADDRESS}${n}`)).fetch(named(url), [ABSENT], NOTHING),
      ),
    )
    const reason = 'it would take more than the run may fetch (--max-git-bytes)'
    expect(fetched).toEqual([1, 2].map(() => ({ reason, isTooLarge: true })))
    // Each alone would take all 4 MiB.
    expect(access.costs().bytes).toBeLessThan(6 * 1024 ** 2)
  })

  it('pushes what was fetched with the last bytes of the run', async () => {
    const repository = await createGitRepository('hello')
    const [from, to] = [await startGitServer(), await startGitServer()]
    await from.host(NPUB, 'hello', repository)
    await to.host(NPUB, 'hello')
    to.acceptAll(NPUB, 'hello')
    const hostile = await startHostileGitServer({ ...info, fetch: endlessPack })
    const access = gitAccess({ maxRunBytes: 1024 ** 2 })
    const [workshop, other] = [await access.openWorkshop(ADDRESS), await access.openWorkshop(`${ADDRESS}2`)]
    await workshop.fetch(named(from.urlOf(NPUB, 'hello')), [repository.commit], new Set([repository.commit]))
    await other.fetch(named(hostile.url), [ABSENT], NOTHING)
    const updates = [{ ref: 'refs/heads/main', to: repository.commit }]
    expect(await workshop.push(named(to.urlOf(NPUB, 'hello')), updates)).toEqual({ type: 'pushed' })
  })

  it('refuses a corrupt pack', async () => {
    const server = await startHostileGitServer({ ...info, fetch: corruptPack })
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    expect(fetched).toEqual({ reason: expect.stringContaining('pack'), isTooLarge: false })
    expect(await workshop.findIncomplete([ABSENT])).toEqual([ABSENT])
  })

  it('refuses objects that git forbids', async () => {
    const server = await startGitServer()
    const repository = await createGitRepository('hello')
    const blob = await repository.git('rev-parse', 'HEAD:README.md')
    const listing = join(temporaryDirectory(), 'tree')
    writeFileSync(listing, Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]))
    const tree = await repository.git('hash-object', '-t', 'tree', '-w', '--literally', listing)
    const commit = await repository.git('commit-tree', '-m', 'bad', tree)
    await repository.git('update-ref', 'refs/heads/bad', commit)
    await server.host(NPUB, 'hello', repository)
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(server.urlOf(NPUB, 'hello')), [commit], new Set([commit]))
    expect(fetched.reason).toContain('hasDotgit')
    expect(await workshop.findIncomplete([commit])).toEqual([commit])
  })

  it('follows no redirect', async () => {
    const victim = await startHostileGitServer()
    for (const answers of [{ info: redirect(victim.url) }, { ...info, fetch: redirect(victim.url) }]) {
      const server = await startHostileGitServer(answers)
      const workshop = await gitAccess().openWorkshop(ADDRESS)
      expect((await workshop.fetch(named(server.url), [ABSENT], NOTHING)).reason).not.toBeNull()
    }
    expect(victim.asked).toEqual([])
  })

  it('answers no question for a password', async () => {
    const server = await startHostileGitServer({ info: status(401, 'no', { 'www-authenticate': 'Basic realm=x' }) })
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    expect(fetched.reason).toBe('HTTP 401: it wants a password (private, or not there)')
  })

  it('gives up a server that takes too long', async () => {
    const server = await startHostileGitServer({ ...info, fetch: () => undefined })
    const workshop = await gitAccess({ talkTimeoutMs: 500 }).openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(server.url), [ABSENT], NOTHING)
    expect(fetched).toEqual({ reason: 'it took too long', isTooLarge: false })
  })

  it('ends git and rejects when the run is aborted', async () => {
    const controller = new AbortController()
    const abort = (): void => controller.abort(new Error('over'))
    const server = await startHostileGitServer({ ...info, fetch: abort })
    const workshop = await gitAccess({ signal: controller.signal }).openWorkshop(ADDRESS)
    await expect(workshop.fetch(named(server.url), [ABSENT], NOTHING)).rejects.toThrow('over')
  })
})

describe('pushing refs', () => {
  async function openWithObjects() {
    const scene = await hostRepository()
    const workshop = await gitAccess().openWorkshop(ADDRESS)
    await workshop.fetch(scene.place, [...scene.refs.values(), scene.aside], NOTHING)
    const target = await startGitServer()
    await target.host(NPUB, 'hello')
    return { ...scene, workshop, target, to: named(target.urlOf(NPUB, 'hello')) }
  }

  it('pushes exactly these refs, with annotated tags and refs/nostr', async () => {
    const { workshop, target, to, refs, aside } = await openWithObjects()
    target.accept(NPUB, 'hello', { refs })
    const all = new Map([...refs, [`refs/nostr/${EVENT}`, aside]])
    const updates = [...all].map(([ref, id]) => ({ ref, to: id }))
    expect(await workshop.push(to, updates)).toEqual({ type: 'pushed' })
    expect(await target.refsOf(NPUB, 'hello')).toEqual(all)
    expect(await workshop.push(to, updates)).toEqual({ type: 'pushed' })
  })

  it('moves a ref back and deletes another in the same push', async () => {
    const { workshop, target, to, refs, repository } = await openWithObjects()
    target.acceptAll(NPUB, 'hello')
    await workshop.push(
      to,
      [...refs].map(([ref, id]) => ({ ref, to: id })),
    )
    const updates = [
      { ref: 'refs/heads/next', to: repository.commit },
      { ref: 'refs/tags/v1', to: null },
    ]
    expect(await workshop.push(to, updates)).toEqual({ type: 'pushed' })
    const expected = { 'refs/heads/main': repository.commit, 'refs/heads/next': repository.commit }
    expect(Object.fromEntries(await target.refsOf(NPUB, 'hello'))).toEqual(expected)
  })

  it('pushes nothing when one ref is refused, and passes on the words of the server', async () => {
    const { workshop, target, to, refs, repository } = await openWithObjects()
    target.accept(NPUB, 'hello', { refs })
    const pushed = await workshop.push(to, [{ ref: 'refs/heads/main', to: repository.commit }])
    expect(pushed).toEqual({
      type: 'denied',
      reason: 'refs differ from the state event; pre-receive hook declined',
    })
    expect(await target.refsOf(NPUB, 'hello')).toEqual(new Map())
  })

  it('moves no ref when a hook of the server refuses another', async () => {
    const { workshop, target, to, repository } = await openWithObjects()
    target.acceptAll(NPUB, 'hello')
    const hook = join(target.directoryOf(NPUB, 'hello'), 'hooks', 'update')
    writeFileSync(hook, '#!/bin/sh\n[ "$1" != refs/heads/next ]\n', { mode: 0o755 })
    const updates = ['refs/heads/main', 'refs/heads/next'].map((ref) => ({ ref, to: repository.commit }))
    expect(await workshop.push(to, updates)).toMatchObject({ type: 'denied' })
    expect(await target.refsOf(NPUB, 'hello')).toEqual(new Map())
  })

  it('says that a server takes no pushes', async () => {
    const { workshop, repository } = await openWithObjects()
    const updates = [{ ref: 'refs/heads/main', to: repository.commit }]
    const forbidding = await startHostileGitServer()
    expect(await workshop.push(named(forbidding.url), updates)).toMatchObject({ type: 'turned away' })
    const empty = await startHostileGitServer({ push: status(404) })
    expect(await workshop.push(named(empty.url), updates)).toMatchObject({ type: 'turned away' })
    const asking = await startHostileGitServer({ push: status(401, 'no', { 'www-authenticate': 'Basic realm=x' }) })
    const reason = 'HTTP 401: it wants a password (private, or not there)'
    expect(await workshop.push(named(asking.url), updates)).toEqual({ type: 'turned away', reason })
  })

  it('tells a server that is away from one that refuses', async () => {
    const { workshop, target, to, repository } = await openWithObjects()
    await target.stop()
    const pushed = await workshop.push(to, [{ ref: 'refs/heads/main', to: repository.commit }])
    expect(pushed).toEqual({ type: 'failed', reason: expect.stringContaining('Failed to connect') })
  })

  it('does not push what it does not have', async () => {
    const { workshop, to } = await openWithObjects()
    expect(await workshop.push(to, [{ ref: 'refs/heads/main', to: ABSENT }])).toMatchObject({ type: 'failed' })
  })

  it('says when there are more refs than git can be told in one push', async () => {
    const { workshop, to, repository } = await openWithObjects()
    const name = 'x'.repeat(900)
    const updates = Array.from({ length: 10_000 }, (_, at) => ({
      ref: `refs/heads/${name}${at}`,
      to: repository.commit,
    }))
    const reason = expect.stringContaining('10000 refs are too many for one push')
    expect(await workshop.push(to, updates)).toEqual({ type: 'failed', reason })
  })

  it.each(['refs/heads/../x', '--force', 'HEAD', 'refs/heads/a b', 'refs/heads/x:refs/heads/y', '+refs/heads/x'])(
    'takes no %j for a ref',
    async (ref) => {
      const { workshop, target, to, repository } = await openWithObjects()
      const reason = expect.stringContaining('git forbids the name of the ref')
      expect(await workshop.push(to, [{ ref, to: repository.commit }])).toEqual({ type: 'failed', reason })
      expect(target.requests).toEqual([])
    },
  )
})

describe('the cache', () => {
  it('keeps objects for the next run', async () => {
    const { server, place, refs } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    for (let run = 1; run <= 2; run += 1) {
      const access = gitAccess({ cacheDirectory })
      const workshop = await access.openWorkshop(ADDRESS)
      await workshop.fetch(place, [...refs.values()], NOTHING)
      await workshop.close()
      access.close()
    }
    expect(server.count('fetch')).toBe(1)
  })

  it('does not believe what was damaged: it fetches again', async () => {
    const { place, refs } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    const first = await gitAccess({ cacheDirectory }).openWorkshop(ADDRESS)
    await first.fetch(place, [...refs.values()], NOTHING)
    await first.close()
    for (const name of readdirSync(cacheDirectory, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.pack')) rmSync(join(cacheDirectory, name))
    }
    const second = await gitAccess({ cacheDirectory }).openWorkshop(ADDRESS)
    expect(await second.findIncomplete([...refs.values()])).toEqual([...new Set(refs.values())])
    expect(await second.fetch(place, [...refs.values()], NOTHING)).toEqual({ reason: null, isTooLarge: false })
    expect(await second.findIncomplete([...refs.values()])).toEqual([])
  })

  it('may be deleted between two runs, and while a workshop is closed', async () => {
    const { place, refs } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    const access = gitAccess({ cacheDirectory })
    const first = await access.openWorkshop(ADDRESS)
    await first.close()
    rmSync(cacheDirectory, { recursive: true })
    const second = await access.openWorkshop(ADDRESS)
    expect(await second.fetch(place, [...refs.values()], NOTHING)).toEqual({ reason: null, isTooLarge: false })
  })

  it('may be deleted while it is used: that repository is not repaired, and the next is', async () => {
    const { place, refs, repository } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    const access = gitAccess({ cacheDirectory })
    const workshop = await access.openWorkshop(ADDRESS)
    rmSync(cacheDirectory, { recursive: true })
    expect((await workshop.fetch(place, [repository.commit], NOTHING)).reason).toContain('not a git repository')
    expect(await workshop.findIncomplete([repository.commit])).toEqual([repository.commit])
    const pushed = await workshop.push(place, [{ ref: 'refs/heads/main', to: repository.commit }])
    expect(pushed).toMatchObject({ type: 'failed' })
    await workshop.close()
    expect(await access.proveClone(place)).toEqual({ type: 'sound' })
    const next = await access.openWorkshop(`${ADDRESS}2`)
    expect(await next.fetch(place, [...refs.values()], NOTHING)).toEqual({ reason: null, isTooLarge: false })
  })

  it('cleans what a git that was killed left: locks and half a pack', async () => {
    const { place, refs } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    const first = await gitAccess({ cacheDirectory }).openWorkshop(ADDRESS)
    await first.close()
    const directory = join(cacheDirectory, 'slot-0', readdirSync(join(cacheDirectory, 'slot-0'))[0] ?? '')
    const left = ['HEAD.lock', 'packed-refs.lock', 'shallow', 'objects/pack/tmp_pack_abc123', 'objects/tmp_objdir-x1']
    for (const name of left) writeFileSync(join(directory, name), `${ABSENT}\n`)
    const second = await gitAccess({ cacheDirectory }).openWorkshop(ADDRESS)
    expect(left.filter((name) => existsSync(join(directory, name)))).toEqual([])
    expect(await second.fetch(place, [...refs.values()], NOTHING)).toEqual({ reason: null, isTooLarge: false })
  })

  it('gives two runs at once directories of their own, and empties what nobody holds', async () => {
    const { place, refs } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    const held = new Set<string>()
    const takeLock = (name: string) => {
      if (held.has(name)) return undefined
      held.add(name)
      return { release: () => void held.delete(name) }
    }
    const [one, two] = [gitAccess({ cacheDirectory, takeLock }), gitAccess({ cacheDirectory, takeLock })]
    const workshops = [await one.openWorkshop(ADDRESS), await two.openWorkshop(ADDRESS)]
    const fetched = await Promise.all(workshops.map((workshop) => workshop.fetch(place, [...refs.values()], NOTHING)))
    expect(fetched.map(({ reason }) => reason)).toEqual([null, null])
    expect(readdirSync(cacheDirectory).sort()).toEqual(['slot-0', 'slot-1'])
    one.close()
    two.close()
    await gitAccess({ cacheDirectory, takeLock }).openWorkshop(ADDRESS)
    expect(readdirSync(cacheDirectory)).toEqual(['slot-0'])
  })

  it('opens a repository twice in one run', async () => {
    const access = gitAccess()
    const [one, two] = [await access.openWorkshop(ADDRESS), await access.openWorkshop(ADDRESS)]
    await one.close()
    expect(await two.findIncomplete([ABSENT])).toEqual([ABSENT])
  })

  it('removes what was not used for longest when it is full', async () => {
    const cacheDirectory = temporaryDirectory()
    const access = gitAccess({ cacheDirectory, maxCacheBytes: 1 })
    const kept = () => readdirSync(join(cacheDirectory, 'slot-0')).length
    const [one, two] = [await access.openWorkshop(ADDRESS), await access.openWorkshop(`${ADDRESS}2`)]
    expect(kept()).toBe(2)
    await one.close()
    expect(kept()).toBe(1)
    await two.close()
    expect(kept()).toBe(0)
  })

  it('says what to do when it cannot be written', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    const opening = gitAccess({ cacheDirectory: join(file, 'git') }).openWorkshop(ADDRESS)
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining('XDG_CACHE_HOME') })
  })
})
