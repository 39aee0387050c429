import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { TEMPORARY, type CacheSlot } from './cache-slot.ts'
import { directorySize } from './directory-size.ts'

/** The directories of a run's workshops: kept for later runs within a bound, the longest unused removed first. */
export type Shelf = {
  /** A directory for a repository, which may hold what an earlier run left. It may not exist yet. */
  readonly take: (address: string) => ShelfPlace
  /** A new directory that is removed when it is put back. */
  readonly takeTemporary: () => ShelfPlace
}

/** A directory that nobody else uses until it is put back. */
export type ShelfPlace = { readonly directory: string; readonly putBack: () => void }

/** Creates the shelf of a slot; it keeps at most `maxBytes` beside what is in use. */
export function createShelf(slot: CacheSlot, maxBytes: number): Shelf {
  const taken = new Set<string>()
  const sizes = measure(slot.directory)
  const takeTemporary = (): ShelfPlace => {
    mkdirSync(slot.directory, { recursive: true, mode: 0o700 })
    const directory = mkdtempSync(join(slot.directory, TEMPORARY))
    return { directory, putBack: () => remove(directory) }
  }
  const putBack = (directory: string): void => {
    taken.delete(directory)
    // The newest is the last: a map keeps the order in which it was filled.
    sizes.delete(directory)
    if (existsSync(directory)) sizes.set(directory, directorySize(directory))
    let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
    for (const [oldest, bytes] of sizes) {
      if (total <= maxBytes) return
      if (taken.has(oldest)) continue
      remove(oldest)
      sizes.delete(oldest)
      total -= bytes
    }
  }
  return {
    takeTemporary,
    take(address) {
      const directory = join(slot.directory, createHash('sha256').update(address).digest('hex').slice(0, 32))
      if (taken.has(directory)) return takeTemporary()
      taken.add(directory)
      if (existsSync(directory)) touch(directory)
      return { directory, putBack: () => putBack(directory) }
    },
  }
}

/** Directories of earlier runs with their sizes, the longest unused first. */
function measure(slot: string): Map<string, number> {
  const found = readdirSync(slot).map((name) => join(slot, name))
  const dated = found.map((directory) => ({ directory, usedMs: statSync(directory).mtimeMs }))
  return new Map(
    dated.sort((a, b) => a.usedMs - b.usedMs).map(({ directory }) => [directory, directorySize(directory)]),
  )
}

function touch(directory: string): void {
  const now = new Date()
  utimesSync(directory, now, now)
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
