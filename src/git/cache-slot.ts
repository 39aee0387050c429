import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf, SyncError } from '../errors.ts'

/*
 * Runs at the same time must not share a repository on disk. Each takes a slot, a directory of its own that is locked
 * as long as it lives; a run that is alone gets the first one, and so finds again what it kept. What lies in a slot
 * that nobody holds was left behind.
 */

/** Takes a lock that the system drops when this process dies; undefined if somebody holds it. */
export type TakeLock = (name: string) => { release(): void } | undefined

/** A directory for this run alone. */
export type CacheSlot = { readonly directory: string; readonly release: () => void }

const SLOTS = 16

/** Takes the first free slot of a cache and empties the others that are free. Throws SyncError if all are taken. */
export function takeSlot(cache: string, takeLock: TakeLock): CacheSlot {
  createDirectory(cache)
  for (let at = 0; at < SLOTS; at += 1) {
    const lock = takeLock(nameOf(at))
    if (lock === undefined) continue
    const directory = join(cache, nameOf(at))
    createDirectory(directory)
    removeTemporary(directory)
    emptyOthers(cache, at, takeLock)
    return { directory, release: () => lock.release() }
  }
  throw new SyncError(`${SLOTS} runs use ${cache} already`, { hint: 'wait until one of them has ended' })
}

function createDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SyncError(`create the cache of git data ${directory}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'it needs a directory that can be written: XDG_CACHE_HOME says where',
    })
  }
}

/** What temporary directories in a slot begin with. */
export const TEMPORARY = 'tmp-'

function removeTemporary(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(TEMPORARY)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}

function emptyOthers(cache: string, own: number, takeLock: TakeLock): void {
  const present = new Set(readdirSync(cache))
  for (let at = own + 1; at < SLOTS; at += 1) {
    if (!present.has(nameOf(at))) continue
    const lock = takeLock(nameOf(at))
    if (lock === undefined) continue
    rmSync(join(cache, nameOf(at)), { recursive: true, force: true })
    lock.release()
  }
}

function nameOf(slot: number): string {
  return `slot-${slot}`
}
