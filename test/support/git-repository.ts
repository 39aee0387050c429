import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { onTestFinished } from 'vitest'

const run = promisify(execFile)

/** A git repository with work tree; it begins with one commit on `main`, and ends with the test. */
export type GitRepository = {
  readonly directory: string
  /** The id of its first commit in hex: the same text gives the same commit. */
  readonly commit: string
  /** Runs git in it and returns what it printed. */
  git(...args: readonly string[]): Promise<string>
  /** Commits a file with this text on the branch (made at the current commit if it is new); returns the commit. */
  commitOn(branch: string, text: string): Promise<string>
  /** Makes an annotated tag at `at`; returns the id of the tag object, which is what `refs/tags/…` points to. */
  tag(name: string, at?: string): Promise<string>
  /** Commits on top of `main` without any branch, as the tip of a pull request; returns the commit. */
  commitAside(text: string): Promise<string>
  /** Every head and tag with what it points to: what a state event of it says. */
  refs(): Promise<ReadonlyMap<string, string>>
  /** Pushes `main` to this URL, as another ref if one is given; throws with git's words when the server refuses. */
  push(url: string, ref?: string): Promise<void>
  /** Pushes these refspecs (all heads and tags if none are given); throws with git's words. */
  pushRefs(url: string, ...refspecs: readonly string[]): Promise<void>
}

/** The environment in which tests run git: nobody's configuration, and the same commit for the same text. */
export const GIT_ENVIRONMENT = {
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

/** Runs git in a directory and returns what it printed, trimmed; rejects with its words when it fails. */
export async function runGit(directory: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...GIT_ENVIRONMENT }
  const { stdout } = await run('git', ['-C', directory, ...args], { env, maxBuffer: 64 * 1024 ** 2 })
  return stdout.trim()
}

/** A repository with `text` in its README; it ends with the test. */
export async function createGitRepository(text: string, format: 'sha1' | 'sha256' = 'sha1'): Promise<GitRepository> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-git-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const git = (...args: readonly string[]): Promise<string> => runGit(directory, ...args)
  const commitFile = async (name: string, content: string): Promise<string> => {
    writeFileSync(join(directory, name), `${content}\n`)
    await git('add', name)
    await git('commit', '--quiet', '--message', content)
    return git('rev-parse', 'HEAD')
  }
  await git('init', '--quiet', '--initial-branch', 'main', `--object-format=${format}`)
  const commit = await commitFile('README.md', text)
  return {
    directory,
    commit,
    git,
    async commitOn(branch, content) {
      const isThere = (await git('branch', '--list', branch)) !== ''
      await git('switch', '--quiet', ...(isThere ? [] : ['--create']), branch)
      return commitFile(fileNameOf(content), content)
    },
    async tag(name, at = 'HEAD') {
      await git('tag', '--annotate', '--message', name, name, at)
      return git('rev-parse', `refs/tags/${name}`)
    },
    async commitAside(content) {
      await git('switch', '--quiet', '--detach', 'main')
      const tip = await commitFile(fileNameOf(content), content)
      await git('switch', '--quiet', 'main')
      return tip
    },
    refs: () => refsOf(directory),
    push: async (url, ref) => void (await git('push', '--quiet', url, ref === undefined ? 'main' : `main:${ref}`)),
    async pushRefs(url, ...refspecs) {
      const wanted = refspecs.length > 0 ? refspecs : ['refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*']
      await git('push', '--quiet', url, ...wanted)
    },
  }
}

/** Every head and tag of the repository in a directory, with what it points to; with `refs/nostr/` if asked for. */
export async function refsOf(directory: string, ...prefixes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const wanted = prefixes.length > 0 ? prefixes : ['refs/heads', 'refs/tags']
  const printed = await runGit(directory, 'for-each-ref', '--format=%(refname) %(objectname)', ...wanted)
  return new Map(
    printed.split('\n').flatMap((line) => {
      const [ref, id] = line.split(' ')
      return ref === undefined || id === undefined ? [] : [[ref, id] as const]
    }),
  )
}

function fileNameOf(content: string): string {
  return `${content.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 40)}.txt`
}
