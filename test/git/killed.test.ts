import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { createGitRepository } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import { listingOf, startHostileGitServer } from '../support/hostile-git-server.ts'
import { waitFor } from '../support/wait-for.ts'
import { gitAccess, named, temporaryDirectory } from './git-scene.ts'

const ADDRESS = '30617:a:hello'
const ABSENT = '1234567890abcdef1234567890abcdef12345678'

/** Fetches into a cache in a process of its own, by the modules of `dist`. */
function fetchElsewhere(cacheDirectory: string, url: string) {
  const script = `
    const { createGitAccess } = await import(${JSON.stringify(new URL('../../dist/git/create-git-access.js', import.meta.url))})
    const access = createGitAccess({ cacheDirectory: ${JSON.stringify(cacheDirectory)}, takeLock: () => ({ release() {} }),
      path: process.env.PATH, maxRepositoryBytes: 1e9, maxRunBytes: 1e9, maxCacheBytes: 1e9, allowPrivate: false,
      signal: new AbortController().signal, nowMs: () => performance.now() })
    const workshop = await access.openWorkshop('${ADDRESS}')
    await workshop.fetch({ url: ${JSON.stringify(url)}, isNamed: true }, ['${ABSENT}'], new Set())`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
}

describe('a run that is killed', () => {
  it('takes its git along, and the next run uses the same cache', async () => {
    const halves = { started: 0, closed: 0 }
    const server = await startHostileGitServer({
      list: listingOf(ABSENT),
      fetch: (response) => {
        halves.started += 1
        response.on('close', () => (halves.closed += 1))
        response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
        // Enough to be held on disk, and then silence.
        response.write(`000dpackfile\n0011\u0001PACK\0\0\0\u0002\0\0\0\u0001`)
      },
    })
    const cacheDirectory = temporaryDirectory()
    const child = fetchElsewhere(cacheDirectory, server.url)
    await waitFor(() => halves.started === 1, { timeoutMs: 20_000 })
    expect(halves.closed).toBe(0)
    child.kill('SIGKILL')
    await waitFor(() => halves.closed === 1, { timeoutMs: 10_000, what: 'the end of the git that was fetching' })

    const repository = await createGitRepository('hello')
    const real = await startGitServer()
    await real.host('npub1alice', 'hello', repository)
    const workshop = await gitAccess({ cacheDirectory }).openWorkshop(ADDRESS)
    const ids = [repository.commit]
    const fetched = await workshop.fetch(named(real.urlOf('npub1alice', 'hello')), ids, new Set(ids))
    expect(fetched).toEqual({ reason: null, isTooLarge: false })
    const left = readdirSync(join(cacheDirectory, 'slot-0'), { recursive: true, encoding: 'utf8' })
    expect(left.filter((name) => /tmp_|\.lock$/.test(name))).toEqual([])
  })
})
