import { describe, expect, it } from 'vitest'

import { createGitRepository } from '../support/git-repository.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import {
  capabilities,
  endlessRefs,
  htmlPage,
  oldListing,
  packet,
  redirect,
  refs,
  result,
  silence,
  slowDrip,
  startHostileGitServer,
  status,
  type GitAnswers,
} from '../support/hostile-git-server.ts'
import { gitAccess, named, strange } from './git-scene.ts'

const NPUB = 'npub1alice'
const ID = '1234567890abcdef1234567890abcdef12345678'
const EVENT = 'e'.repeat(64)

/** A repository with two branches, an annotated tag, and the tip of a pull request. */
async function hostRepository(server: GitServer, format: 'sha1' | 'sha256' = 'sha1') {
  const repository = await createGitRepository('hello', format)
  await repository.commitOn('next', 'more')
  await repository.tag('v1')
  const tip = await repository.commitAside('proposal')
  const expected = new Map([...(await repository.refs()), [`refs/nostr/${EVENT}`, tip]])
  await server.host(NPUB, 'hello', repository, expected)
  return { repository, expected }
}

async function listHostile(answers: GitAnswers, listTimeoutMs = 30_000) {
  const server = await startHostileGitServer(answers)
  return gitAccess({ listTimeoutMs }).listRefs(named(server.url))
}

describe('listRefs at git http-backend', () => {
  it.each([2, 0] as const)(
    'lists heads, tags and refs/nostr without peeled values by protocol v%d',
    async (protocol) => {
      const server = await startGitServer({ protocol })
      const { expected } = await hostRepository(server)
      const access = gitAccess()
      const listing = await access.listRefs(named(server.urlOf(NPUB, 'hello')))
      expect(listing).toEqual({ type: 'refs', refs: expected, head: 'refs/heads/main', format: 'sha1' })
      expect(access.costs().requests).toBe(protocol === 2 ? 2 : 1)
      expect(access.costs().bytes).toBeGreaterThan(300)
    },
  )

  it('lists refs outside heads, tags and refs/nostr neither by v2 nor by v0', async () => {
    for (const protocol of [2, 0] as const) {
      const server = await startGitServer({ protocol })
      const repository = await createGitRepository('hello')
      const given = new Map([
        ['refs/pull/1/head', repository.commit],
        ['refs/heads/main', repository.commit],
      ])
      await server.host(NPUB, 'hello', repository, given)
      const listing = await gitAccess().listRefs(named(server.urlOf(NPUB, 'hello')))
      expect(listing).toMatchObject({ refs: new Map([['refs/heads/main', repository.commit]]) })
    }
  })

  it('says what HEAD of an empty repository stands for', async () => {
    const server = await startGitServer()
    await server.host(NPUB, 'hello')
    const listing = await gitAccess().listRefs(named(server.urlOf(NPUB, 'hello')))
    expect(listing).toEqual({ type: 'refs', refs: new Map(), head: 'refs/heads/main', format: 'sha1' })
  })

  it('lists an empty repository by protocol v0', async () => {
    const server = await startGitServer({ protocol: 0 })
    await server.host(NPUB, 'hello')
    const listing = await gitAccess().listRefs(named(server.urlOf(NPUB, 'hello')))
    expect(listing).toMatchObject({ type: 'refs', refs: new Map(), head: null })
  })

  it.each([2, 0] as const)('recognises a SHA-256 repository by protocol v%d', async (protocol) => {
    const server = await startGitServer({ protocol })
    const { expected } = await hostRepository(server, 'sha256')
    const listing = await gitAccess().listRefs(named(server.urlOf(NPUB, 'hello')))
    expect(listing).toMatchObject({ type: 'refs', refs: expected, format: 'sha256' })
  })

  it('tells a repository that is not there from a server that is not', async () => {
    const server = await startGitServer()
    const url = server.urlOf(NPUB, 'hello')
    expect(await gitAccess().listRefs(named(url))).toEqual({ type: 'no repository', reason: 'HTTP 404' })
    await server.stop()
    const listing = await gitAccess().listRefs(named(url))
    expect(listing).toMatchObject({ type: 'unreachable', reason: expect.stringContaining('ECONNREFUSED') })
  })

  it('reads identifiers with spaces, and URLs with a slash at the end', async () => {
    const server = await startGitServer()
    await server.host(NPUB, 'hello world')
    const listing = await gitAccess().listRefs(named(`${server.urlOf(NPUB, 'hello world')}/`))
    expect(listing.type).toBe('refs')
  })
})

describe('listRefs at a server that misbehaves', () => {
  it.each<[string, GitAnswers, string, string]>([
    ['wants a password', { info: status(401) }, 'unreachable', 'HTTP 401: it wants a password (private, or not there)'],
    ['is broken', { info: status(500) }, 'unreachable', 'HTTP 500'],
    ['has lost the repository', { info: status(410) }, 'no repository', 'HTTP 410'],
    ['shows a page', { info: htmlPage }, 'unreachable', "it answers with text/html instead of git's protocol"],
    [
      'shows a page for the list',
      { list: htmlPage },
      'unreachable',
      "it answers with text/html instead of git's protocol",
    ],
    [
      'sends no git protocol',
      { list: result(Buffer.from('hello there')) },
      'unreachable',
      "the answer is not in git's protocol",
    ],
    ['ends in a line', { list: result(Buffer.from('00ff')) }, 'unreachable', 'ends in the middle'],
    [
      'ends without an end',
      { list: result(packet(`${ID} refs/heads/main\n`)) },
      'unreachable',
      'the list of refs has no end',
    ],
    ['never answers', { info: silence }, 'unreachable', 'no answer within 500 ms'],
    ['drips', { list: slowDrip }, 'unreachable', 'no answer within 500 ms'],
    ['never ends', { list: endlessRefs }, 'not asked', 'its list of refs is longer than 4 MiB'],
    ['has a strange format', { info: capabilities('md5') }, 'unreachable', 'its object format md5 is unknown'],
    ['climbs up', { list: refs([`${ID} refs/heads/../x`]) }, 'unreachable', 'git forbids: refs/heads/../x'],
    ['writes to the terminal', { list: refs([`${ID} refs/heads/\u001b[2J`]) }, 'unreachable', 'git forbids'],
    ['has another id', { list: refs([`${ID.toUpperCase()} refs/heads/main`]) }, 'unreachable', 'no object id'],
    ['has a short id', { list: refs(['1234 refs/heads/main']) }, 'unreachable', 'no object id'],
    [
      'has a HEAD like an option',
      { list: refs([`${ID} HEAD symref-target:-upload-pack=x`]) },
      'unreachable',
      'HEAD stands for',
    ],
    [
      'says it is not there',
      { info: result(packet('ERR repository not found')) },
      'unreachable',
      "instead of git's protocol",
    ],
    ['says no', { list: result(packet('ERR repository not found\n')) }, 'no repository', 'repository not found'],
    ['says something else', { list: result(packet('ERR come back later\n')) }, 'unreachable', 'come back later'],
    ['is old and climbs up', { info: oldListing([`${ID} refs/heads/../x`]) }, 'unreachable', 'git forbids'],
    [
      'has bad capabilities',
      { info: oldListing([`${ID} refs/heads/x`], 'symref=HEAD:..') },
      'unreachable',
      'HEAD stands for',
    ],
  ])('%s', async (_what, answers, type, reason) => {
    const timeoutMs = reason.startsWith('no answer') ? 500 : 30_000
    expect(await listHostile(answers, timeoutMs)).toEqual({ type, reason: expect.stringContaining(reason) })
  })

  it('lists too much', async () => {
    const lines = (count: number): string[] => Array.from({ length: count }, (_, at) => `${ID} refs/heads/b${at}`)
    expect(await listHostile({ list: refs(lines(10_000)) })).toMatchObject({ type: 'refs' })
    const tooMany = { type: 'not asked', reason: 'it lists more than 10000 refs' }
    expect(await listHostile({ list: refs(lines(10_001)) })).toEqual(tooMany)
    expect(await listHostile({ info: oldListing(lines(10_001)) })).toEqual(tooMany)
  })

  it('leaves out refs of other kinds, whatever their names', async () => {
    const list = refs([`${ID} -upload-pack=touch`, `${ID} refs/pull/1/head`, `${ID} refs/heads/main`])
    expect(await listHostile({ list })).toMatchObject({ refs: new Map([['refs/heads/main', ID]]) })
  })

  it('redirects, and is not followed', async () => {
    const victim = await startHostileGitServer()
    const reason = expect.stringContaining('HTTP 302: it redirects to http://127.0.0.1')
    expect(await listHostile({ info: redirect(victim.url) })).toEqual({ type: 'unreachable', reason })
    expect(await listHostile({ list: redirect(victim.url) })).toEqual({ type: 'unreachable', reason })
    expect(victim.asked).toEqual([])
  })
})

describe('listRefs of places that strangers named', () => {
  it.each([
    ['http://127.0.0.1:PORT/x.git', 'its host is private'],
    ['http://[::1]:PORT/x.git', 'its host is private'],
    ['http://0x7f.1:PORT/x.git', 'its host is private'],
    ['http://localhost:PORT/x.git', 'its host is private'],
    ['http://169.254.169.254/latest', 'its host is reserved'],
    ['http://[::ffff:127.0.0.1]:PORT/x.git', 'its host is private'],
    ['http://x.onion/x.git', 'it is in a hidden network'],
    ['ssh://git@example.org/x.git', 'only http and https are asked'],
    ['git://example.org/x.git', 'only http and https are asked'],
    ['file:///etc', 'only http and https are asked'],
    ['ext::sh -c touch% x', 'only http and https are asked'],
    ['https://user:secret@example.org/x.git', 'its URL has a user or password'],
    ['https://example.org/x.git?a=b', 'its URL has a query'],
    ['--upload-pack=x', 'it is not a URL'],
    [`https://example.org/${'x'.repeat(3_000)}`, 'its URL is longer than 2048 characters'],
  ])('does not dial %s', async (pattern, reason) => {
    const server = await startHostileGitServer()
    const url = pattern.replace('PORT', new URL(server.url).port)
    expect(await gitAccess().listRefs(strange(url))).toEqual({ type: 'not asked', reason })
    expect(server.asked).toEqual([])
  })

  it('dials private addresses if that is allowed, but never reserved ones', async () => {
    const access = gitAccess({ allowPrivate: true })
    const server = await startHostileGitServer()
    expect((await access.listRefs(strange(server.url))).type).toBe('refs')
    expect((await access.listRefs(strange('http://169.254.169.254/x.git'))).type).toBe('not asked')
  })
})

describe('listRefs in a run', () => {
  it('rejects when the run is aborted', async () => {
    const controller = new AbortController()
    const server = await startHostileGitServer({ info: () => controller.abort(new Error('over')) })
    await expect(gitAccess({ signal: controller.signal }).listRefs(named(server.url))).rejects.toThrow('over')
  })

  it('asks four times at once where the operator named it, else twice, and eight times in all', async () => {
    const open = { now: 0, most: 0 }
    const answers: GitAnswers = {
      info: (response, request) => {
        open.now += 1
        open.most = Math.max(open.most, open.now)
        setTimeout(() => {
          open.now -= 1
          status(404)(response, request)
        }, 20)
      },
    }
    const servers = await Promise.all([1, 2, 3, 4, 5].map(() => startHostileGitServer(answers)))
    const [first] = servers
    const most = async (places: readonly { url: string; isNamed: boolean }[]): Promise<number> => {
      open.most = 0
      const access = gitAccess({ allowPrivate: true })
      await Promise.all(places.flatMap((place) => Array.from({ length: 6 }, () => access.listRefs(place))))
      return open.most
    }
    expect(await most([named(first?.url ?? '')])).toBe(4)
    expect(await most([strange(first?.url ?? '')])).toBe(2)
    // The double's ports differ, and so do the hosts.
    expect(await most(servers.map(({ url }) => strange(url)))).toBe(8)
  })
})
