import { createRequire } from 'node:module'
import type Process from 'node:process'
import type { DatabaseConstructor } from './database.ts'
import { SyncError, reasonOf } from './errors.ts'
import { loadNodeDatabase } from './node-database.ts'

// An import of it would read all its properties, and so open standard input.
const { versions } = createRequire(import.meta.url)('node:process') as typeof Process

/** Opens SQLite databases: with the SQLite inside Node, or on Node 20 with better-sqlite3 (docs/decisions/0011). */
export const Sqlite: DatabaseConstructor = hasNodeSqlite(versions.node) ? loadNodeDatabase() : loadBetterSqlite()

/** Whether this version of Node has all of `node:sqlite` that we use: 22.16 and newer, but not 23. */
function hasNodeSqlite(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 16)
}

function loadBetterSqlite(): DatabaseConstructor {
  // Where node20/install.mjs has put it, or wherever else it is found from there.
  const require = createRequire(new URL('../node20/package.json', import.meta.url))
  try {
    // Release 13 ends the process here by a segmentation fault.
    const { version } = require('better-sqlite3/package.json') as { version: string }
    if (!version.startsWith('12.')) throw new Error(`release 12 is needed, and ${version} is installed`)
    const BetterSqlite = require('better-sqlite3') as DatabaseConstructor
    new BetterSqlite(':memory:').close()
    return BetterSqlite
  } catch (error) {
    throw new SyncError(`load better-sqlite3, which Node ${versions.node} needs: ${oneLine(error)}`, {
      hint: 'use Node 22.16 or newer, which needs no such package; or, with a C++ compiler: npm install --global better-sqlite3@12',
    })
  }
}

/** The lists of places that were searched say nothing to the reader. */
function oneLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : reasonOf(error)).split('\n')
  return line
}
