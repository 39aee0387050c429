import { randomUUID } from 'node:crypto'
import { closeSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../database.ts'
import { SyncError } from '../errors.ts'
import { Sqlite } from '../sqlite.ts'
import { fileReasonOf } from './file-error.ts'

/** A SQLite database that nobody else sees and that disappears with the process, even after `kill -9`. */
export type TemporaryDatabase = { readonly db: Database; readonly close: () => void }

/** Creates a database file (0600) with this schema in the directory, and unlinks it at once if the system allows it. */
export function createTemporaryDatabase(directory: string, schema: string): TemporaryDatabase {
  const path = join(directory, `ngit-sync-${randomUUID()}.sqlite`)
  try {
    closeSync(openSync(path, 'wx', 0o600))
    const db = new Sqlite(path)
    const isUnlinked = unlinkOpenFile(path)
    prepareForScratch(db)
    db.exec(schema)
    return { db, close: () => closeDatabase(db, isUnlinked ? undefined : path) }
  } catch (error) {
    rmSync(path, { force: true })
    throw new SyncError(`create a temporary index in ${directory}: ${fileReasonOf(error)}`, {
      cause: error,
      hint: 'the temporary directory must exist and be writable for this user (TMPDIR names another one)',
    })
  }
}

/**
 * To be called when a database has been filled. Only filling it, all over its indexes, needs a large cache; while it is
 * read the system keeps its pages, in memory that is free.
 */
export function endFilling(db: Database): void {
  db.pragma('cache_size = -4096')
  db.pragma('shrink_memory')
}

function unlinkOpenFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    // Windows does not unlink open files; there the file is removed on close.
    if (error instanceof Error) return false
    throw error
  }
}

/** A journal file would need the unlinked name, and nothing here has to survive a crash. */
function prepareForScratch(db: Database): void {
  db.pragma('journal_mode = MEMORY')
  db.pragma('synchronous = OFF')
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('temp_store = FILE')
  db.pragma('cache_size = -32768')
}

function closeDatabase(db: Database, path: string | undefined): void {
  db.close()
  if (path !== undefined) rmSync(path, { force: true })
}
