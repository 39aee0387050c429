import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a directory and its missing parents for the owner only (0700). One at a time, because Node's `recursive`
 * never returns where nothing can be created, such as below /proc.
 */
export function createPrivateDirectory(directory: string): void {
  if (existsSync(directory)) return
  createPrivateDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another run has created it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
