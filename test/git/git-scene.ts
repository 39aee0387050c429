import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

import { createGitAccess, type GitAccessOptions } from '../../src/git/create-git-access.ts'
import type { GitPlace } from '../../src/git/git-access.ts'

/** A directory that ends with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-git-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Access to git servers with a cache of its own; it ends with the test. */
export function gitAccess(options: Partial<GitAccessOptions> = {}) {
  const access = createGitAccess({
    cacheDirectory: join(temporaryDirectory(), 'git'),
    takeLock: () => ({ release: () => undefined }),
    path: process.env['PATH'] ?? '',
    maxRepositoryBytes: 64 * 1024 ** 2,
    maxRunBytes: 256 * 1024 ** 2,
    maxCacheBytes: 64 * 1024 ** 2,
    allowPrivate: false,
    signal: new AbortController().signal,
    nowMs: () => performance.now(),
    ...options,
  })
  onTestFinished(() => access.close())
  return access
}

/** A place that the operator named. */
export function named(url: string): GitPlace {
  return { url, isNamed: true }
}

/** A place that a stranger named. */
export function strange(url: string): GitPlace {
  return { url, isNamed: false }
}
