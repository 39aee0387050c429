import { createRequire } from 'node:module'
import type Process from 'node:process'
import type Database from 'better-sqlite3'
import { SyncError, reasonOf } from './errors.ts'

const require = createRequire(import.meta.url)

/** Lowest Node-API version that better-sqlite3 13 needs: Node 22.14 has it, Node 20 does not. */
const NODE_API_OF_13 = 10

/**
 * SQLite, from the release of better-sqlite3 that this Node can load: none runs on both Node 20 and 24
 * (docs/decisions/0001).
 */
export const Sqlite: typeof Database = load()

function load(): typeof Database {
  // An import of it would read all its properties, and so open standard input.
  const { versions } = require('node:process') as typeof Process
  if (Number(versions['napi']) >= NODE_API_OF_13) return require('better-sqlite3') as typeof Database
  try {
    return require('better-sqlite3-v12') as typeof Database
  } catch (error) {
    const way = 'install a C++ compiler and ngit-sync again, or use Node 22.14 or newer'
    throw new SyncError(`load better-sqlite3 12, which Node ${versions.node} needs: ${reasonOf(error)}; ${way}`)
  }
}
