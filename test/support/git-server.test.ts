import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'

import { createGitRepository, refsOf, runGit } from './git-repository.ts'
import { startGitServer } from './git-server.ts'

const NPUB = 'npub1alice'

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-clone-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

describe('the git server of the tests', () => {
  it('serves a repository that git clones', async () => {
    const [repository, server] = [await createGitRepository('hello'), await startGitServer()]
    await repository.tag('v1')
    await repository.commitOn('next', 'more')
    await server.host(NPUB, 'hello world', repository)
    const clone = temporaryDirectory()
    await runGit(clone, 'clone', '--quiet', '--mirror', server.urlOf(NPUB, 'hello world'), '.')
    expect(await refsOf(clone)).toEqual(await repository.refs())
    expect(['info/refs', 'ls-refs', 'fetch'].map((name) => server.count(name as 'fetch'))).toEqual([1, 1, 1])
  })

  it('takes a push only if heads and tags equal the state after it', async () => {
    const [repository, server] = [await createGitRepository('hello'), await startGitServer()]
    await server.host(NPUB, 'hello')
    const url = server.urlOf(NPUB, 'hello')
    await expect(repository.pushRefs(url)).rejects.toThrow('no state event in purgatory')
    const first = await repository.refs()
    server.accept(NPUB, 'hello', { refs: first, head: 'refs/heads/main' })
    await repository.commitOn('next', 'more')
    await expect(repository.pushRefs(url)).rejects.toThrow('refs differ from the state event')
    await repository.push(url)
    await repository.push(url, `refs/nostr/${'a'.repeat(64)}`)
    await expect(repository.push(url, 'refs/other/x')).rejects.toThrow('only refs/heads')
    expect(await server.refsOf(NPUB, 'hello')).toEqual(
      new Map([...first, [`refs/nostr/${'a'.repeat(64)}`, repository.commit]]),
    )
  })

  it('refuses connections while stopped, and serves on the same port again', async () => {
    const [repository, server] = [await createGitRepository('hello'), await startGitServer()]
    await server.host(NPUB, 'hello', repository)
    await server.stop()
    await expect(repository.git('ls-remote', server.urlOf(NPUB, 'hello'))).rejects.toThrow('Failed to connect')
    await server.start()
    expect(await repository.git('ls-remote', server.urlOf(NPUB, 'hello'))).toContain(repository.commit)
  })

  it('says no to a repository that it does not have', async () => {
    const [repository, server] = [await createGitRepository('hello'), await startGitServer()]
    await expect(repository.git('ls-remote', server.urlOf(NPUB, 'hello'))).rejects.toThrow('not found')
  })
})
