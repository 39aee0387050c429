import { statSync } from 'node:fs'

/**
 * Whether two names refer to one file, through symbolic or hard links: compares device and inode. False if either is
 * missing.
 */
export function isSameFile(a: string, b: string): boolean {
  const [first, second] = [identityOf(a), identityOf(b)]
  return first !== undefined && first === second
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}
