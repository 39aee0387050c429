import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { LockedError } from '../errors.ts'
import type { GitAccess } from '../git/git-access.ts'
import type { GitOptions } from '../report/run-options.ts'
import { acquireLock, type Lock } from '../store/lock.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Returns access to git servers and the system's git, with its cache; close it at the end. Loaded only when wanted. */
export async function openGit(
  { maxBytes, allowPrivate }: GitOptions,
  { env, signal }: { readonly env: Environment; readonly signal: AbortSignal },
): Promise<GitAccess & { readonly close: () => void }> {
  const { createGitAccess } = await import('../git/create-git-access.ts')
  const cacheDirectory = gitCacheOf(env)
  return createGitAccess({
    cacheDirectory,
    takeLock: (name) => takeLock(cacheDirectory, name),
    path: env['PATH'] ?? '',
    maxRepositoryBytes: maxBytes,
    maxRunBytes: maxBytes,
    maxCacheBytes: maxBytes,
    allowPrivate,
    signal,
    nowMs: () => performance.now(),
  })
}

/** The cache of repositories (XDG Base Directory specification); it may be deleted at any time. */
function gitCacheOf(env: Environment): string {
  const base = env['XDG_CACHE_HOME']
  const directory = base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache')
  return join(directory, 'ngit-sync', 'git')
}

/** The locks of the cache lie beside it, as those of targets beside the state file. */
function takeLock(cacheDirectory: string, name: string): Lock | undefined {
  const holder = { pid: process.pid, host: hostname(), startedAt: Math.floor(Date.now() / 1000) }
  try {
    return acquireLock(cacheDirectory, `${cacheDirectory} ${name}`, holder)
  } catch (error) {
    if (error instanceof LockedError) return undefined
    throw error
  }
}
