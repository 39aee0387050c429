import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it that are missing, for its owner only (0700). Step by step: Node's `recursive`
 * never returns where nothing can be made, as below /proc.
 */
export function createPrivateDirectory(directory: string): void {
  if (existsSync(directory)) return
  createPrivateDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another run has made it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
