import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of all files below a directory; what vanishes while it is counted counts nothing. */
export function directorySize(directory: string): number {
  let bytes = 0
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name)
    bytes += entry.isDirectory() ? directorySize(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0)
  }
  return bytes
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
