import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SyncError } from '../errors.ts'
import { describeEnd } from './describe-end.ts'
import type { GitTool } from './git-tool.ts'

/** Opens the bare repository in a directory: as it was left if it is whole, else a new one. */
export async function openBareRepository(directory: string, { work }: GitTool): Promise<void> {
  if (existsSync(directory)) {
    removeLeftovers(directory)
    const { code } = await work(directory, ['rev-list', '--objects', '--quiet', '--all'])
    if (code === 0) return
    rmSync(directory, { recursive: true, force: true })
  }
  await createBareRepository(directory, { work })
}

/** Creates an empty bare repository. Throws SyncError if the disk does not take it. */
export async function createBareRepository(directory: string, { work }: Pick<GitTool, 'work'>): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const made = await work(directory, ['init', '--quiet', '--bare', '--template=', '--object-format=sha1'])
  if (made.code === 0) return
  throw new SyncError(`create a git repository in ${directory}: ${describeEnd(made)}`, {
    hint: 'its file system must be writable and have room; XDG_CACHE_HOME says where it lies',
  })
}

/** Removes what a git that was killed leaves: locks, and packs that it had not finished. */
export function removeLeftovers(directory: string): void {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (isLeftover(name)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}

function isLeftover(path: string): boolean {
  return path.endsWith('.lock') || path === 'shallow' || /^objects\/(?:pack\/)?(?:[0-9a-f]{2}\/)?\.?tmp[_-]/.test(path)
}
