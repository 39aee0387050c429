import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { createGitRepository, type GitRepository } from '../support/git-repository.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { corruptPack, endlessPack, listingOf, startHostileGitServer, status } from '../support/hostile-git-server.ts'
import { gitAccess, named, strange, temporaryDirectory } from './git-scene.ts'

const NPUB = 'npub1alice'
const ABSENT = '1234567890abcdef1234567890abcdef12345678'

async function hostRepository(): Promise<{ server: GitServer; repository: GitRepository; url: string }> {
  const server = await startGitServer()
  const repository = await createGitRepository('hello')
  await repository.commitOn('main', 'second')
  await repository.commitOn('next', 'third')
  const tip = await repository.commitAside('proposal')
  await server.host(
    NPUB,
    'hello',
    repository,
    new Map([...(await repository.refs()), [`refs/nostr/${'e'.repeat(64)}`, tip]]),
  )
  return { server, repository, url: server.urlOf(NPUB, 'hello') }
}

function removeObject(server: GitServer, id: string): void {
  rmSync(join(server.directoryOf(NPUB, 'hello'), 'objects', id.slice(0, 2), id.slice(2)))
}

describe('proveClone', () => {
  it('finds a whole repository sound, and leaves nothing on disk', async () => {
    const { url } = await hostRepository()
    const cacheDirectory = temporaryDirectory()
    expect(await gitAccess({ cacheDirectory }).proveClone(named(url))).toEqual({ type: 'sound' })
    expect(readdirSync(join(cacheDirectory, 'slot-0'))).toEqual([])
  })

  it('finds an empty repository sound', async () => {
    const server = await startGitServer()
    await server.host(NPUB, 'hello')
    expect(await gitAccess().proveClone(named(server.urlOf(NPUB, 'hello')))).toEqual({ type: 'sound' })
  })

  it('finds a repository broken that lacks a commit, although its refs are equal', async () => {
    const { server, repository, url } = await hostRepository()
    removeObject(server, repository.commit)
    const access = gitAccess()
    expect(await access.listRefs(named(url))).toMatchObject({ type: 'refs', head: 'refs/heads/main' })
    const proof = await access.proveClone(named(url))
    expect(proof).toEqual({ type: 'broken', reason: expect.any(String), missing: [repository.commit] })
  })

  it('finds a repository broken that lacks the content of a file', async () => {
    const { server, repository, url } = await hostRepository()
    const blob = await repository.git('rev-parse', 'main:README.md')
    removeObject(server, blob)
    expect(await gitAccess().proveClone(named(url))).toMatchObject({ type: 'broken', missing: [blob] })
  })

  it('finds a repository broken that sends a corrupt pack', async () => {
    const server = await startHostileGitServer({ list: listingOf(ABSENT), fetch: corruptPack })
    expect(await gitAccess().proveClone(named(server.url))).toMatchObject({ type: 'broken', missing: [] })
  })

  it('proves nothing where the server does not answer, or not in time, or too much', async () => {
    const list = listingOf(ABSENT)
    const access = gitAccess({ maxRepositoryBytes: 1024 ** 2, talkTimeoutMs: 500 })
    const prove = async (fetch: Parameters<typeof startHostileGitServer>[0]) => {
      const { url } = await startHostileGitServer(fetch)
      return access.proveClone(named(url))
    }
    const notProved = (reason: string) => ({ type: 'not proved', reason: expect.stringContaining(reason) })
    expect(await prove({ info: status(404) })).toEqual(notProved('no repository: HTTP 404'))
    expect(await prove({ list, fetch: status(503) })).toEqual(notProved('503'))
    expect(await prove({ list, fetch: (response) => void response.destroy() })).toEqual(notProved(''))
    expect(await prove({ list, fetch: () => undefined })).toEqual(notProved('it took too long'))
    expect(await prove({ list, fetch: endlessPack })).toEqual(notProved('it is too large'))
    expect(await access.proveClone(strange('http://127.0.0.1:1/x.git'))).toEqual(notProved('its host is private'))
  })

  it('proves nothing of a SHA-256 repository', async () => {
    const server = await startGitServer()
    await server.host(NPUB, 'hello', await createGitRepository('hello', 'sha256'))
    const proof = await gitAccess().proveClone(named(server.urlOf(NPUB, 'hello')))
    expect(proof).toEqual({ type: 'not proved', reason: 'SHA-256 repositories are not supported' })
  })
})
