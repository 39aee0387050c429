import { rmSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { findIncomplete } from '../../src/git/find-incomplete.ts'
import { runGit } from '../../src/git/run-git.ts'
import { createGitRepository } from '../support/git-repository.ts'

const ABSENT = '1234567890abcdef1234567890abcdef12345678'
const host = { path: process.env['PATH'] ?? '', signal: new AbortController().signal }
const work = (repository: string, args: readonly string[], stdin = '') =>
  runGit({ args, repository, stdin, timeoutMs: 20_000, maxFileBytes: 1024 ** 2 }, host)

describe('findIncomplete', () => {
  it('names what is not there, and what lacks something that it reaches', async () => {
    const { directory, commit, commitOn, git } = await createGitRepository('hello')
    const second = await commitOn('main', 'second')
    const repository = join(directory, '.git')
    expect(await findIncomplete(repository, [commit, second, ABSENT], { work })).toEqual([ABSENT])
    const blob = await git('rev-parse', `${second}:second.txt`)
    rmSync(join(repository, 'objects', blob.slice(0, 2), blob.slice(2)))
    expect(await findIncomplete(repository, [commit, second], { work })).toEqual([second])
    expect(await findIncomplete(repository, [second], { work })).toEqual([second])
  })
})
