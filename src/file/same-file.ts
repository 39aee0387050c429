import { statSync } from 'node:fs'

/**
 * Whether two names lead to one file, by links of either sort: by device and inode. False where one of them is not
 * there.
 */
export function isSameFile(a: string, b: string): boolean {
  const [first, second] = [identityOf(a), identityOf(b)]
  return first !== undefined && first === second
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}
