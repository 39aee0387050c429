import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { onTestFinished } from 'vitest'

const run = promisify(execFile)

/** A git repository of one commit on `main`. */
export type GitRepository = {
  /** Its id in hex: the same text gives the same commit. */
  readonly commit: string
  /** Pushes `main` to this URL, as another ref if one is given; throws with git's words when the server refuses. */
  push(url: string, ref?: string): Promise<void>
}

const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'alice',
  GIT_AUTHOR_EMAIL: 'alice@example.test',
  GIT_AUTHOR_DATE: '1750000000 +0000',
  GIT_COMMITTER_NAME: 'alice',
  GIT_COMMITTER_EMAIL: 'alice@example.test',
  GIT_COMMITTER_DATE: '1750000000 +0000',
}

/** A repository with `text` in its README; it ends with the test. */
export async function createGitRepository(text: string): Promise<GitRepository> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-git-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const git = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', directory, ...args], { env: { ...process.env, ...ENVIRONMENT } })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch', 'main')
  writeFileSync(join(directory, 'README.md'), `${text}\n`)
  await git('add', 'README.md')
  await git('commit', '--quiet', '--message', text)
  return {
    commit: await git('rev-parse', 'HEAD'),
    push: async (url, ref) => void (await git('push', '--quiet', url, ref === undefined ? 'main' : `main:${ref}`)),
  }
}
