import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'

import { openGit } from '../../src/cli/open-git.ts'

const ADDRESS = '30617:a:hello'

async function open(cache: string) {
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: cache }
  const git = await openGit({ maxBytes: 1024 ** 2, allowPrivate: false }, env, new AbortController().signal)
  onTestFinished(() => git.close())
  return git
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-cache-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

describe('openGit', () => {
  it('writes nothing before a repository is worked on, and then below XDG_CACHE_HOME, for the user alone', async () => {
    const cache = temporaryDirectory()
    const git = await open(cache)
    expect(readdirSync(cache)).toEqual([])
    await (await git.openWorkshop(ADDRESS)).close()
    expect(readdirSync(join(cache, 'ngit-sync', 'git'))).toEqual(['slot-0'])
    expect(statSync(join(cache, 'ngit-sync', 'git')).mode & 0o777).toBe(0o700)
  })

  it('gives a second run a part of its own, and the next run the first part again', async () => {
    const cache = temporaryDirectory()
    const [one, two] = [await open(cache), await open(cache)]
    const first = await one.openWorkshop(ADDRESS)
    const second = await two.openWorkshop(ADDRESS)
    const slots = () => readdirSync(join(cache, 'ngit-sync', 'git'))
    expect(slots().sort()).toEqual(['slot-0', 'slot-1'])
    await Promise.all([first.close(), second.close()])
    one.close()
    two.close()
    await (await (await open(cache)).openWorkshop(ADDRESS)).close()
    expect(slots()).toEqual(['slot-0'])
  })
})
