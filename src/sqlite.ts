import { createRequire } from 'node:module'
import { versions } from 'node:process'
import type Database from 'better-sqlite3'
import { SyncError, reasonOf } from './errors.ts'

const require = createRequire(import.meta.url)

/** The first version of Node-API that better-sqlite3 13 can be loaded with: Node 22.14 has it, Node 20 has not. */
const NODE_API_OF_13 = 10

/**
 * SQLite, by the release of better-sqlite3 that this Node can run: none runs on 20 and on 24 alike
 * (docs/decisions/0001).
 */
export const Sqlite: typeof Database = load()

function load(): typeof Database {
  if (Number(versions['napi']) >= NODE_API_OF_13) return require('better-sqlite3') as typeof Database
  try {
    return require('better-sqlite3-v12') as typeof Database
  } catch (error) {
    const way = 'install a C++ compiler and ngit-sync again, or use Node 22.14 or newer'
    throw new SyncError(`load better-sqlite3 12, which Node ${versions.node} needs: ${reasonOf(error)}; ${way}`)
  }
}
