import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { LockedError } from '../errors.ts'
import type { OwnGitAccess } from '../git/create-git-access.ts'
import { acquireLock, type Lock } from '../store/lock.ts'

/** What a run may do with git servers. */
export type GitRequest = {
  /** Bytes that may be fetched, of one repository and in the whole run (`--max-git-bytes`). */
  readonly maxBytes: number
  /** Whether strangers may name private addresses. */
  readonly allowPrivate: boolean
}

/** What is kept on disk between runs. */
const MAX_CACHE_BYTES = 2 * 1024 ** 3

/** Creates the access to git servers; close it at the end. */
export async function openGit(
  { maxBytes, allowPrivate }: GitRequest,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<OwnGitAccess> {
  const { createGitAccess } = await import('../git/create-git-access.ts')
  const cacheDirectory = gitCacheOf(env)
  return createGitAccess({
    cacheDirectory,
    takeLock: (name) => takeLock(cacheDirectory, name),
    path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    extraCertificates: extraCertificatesOf(env),
    maxRepositoryBytes: maxBytes,
    maxRunBytes: maxBytes,
    maxCacheBytes: MAX_CACHE_BYTES,
    allowPrivate,
    signal,
    nowMs: () => performance.now(),
  })
}

/** What Node.js itself has read at its start. */
function extraCertificatesOf({
  NODE_EXTRA_CA_CERTS: file,
}: Readonly<Record<string, string | undefined>>): string | undefined {
  return file === '' ? undefined : file
}

/** Where repositories lie while they are worked on (XDG Base Directory specification). */
function gitCacheOf(env: Readonly<Record<string, string | undefined>>): string {
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
