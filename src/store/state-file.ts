import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSqliteError, type Database } from '../database.ts'
import { SyncError, reasonOf } from '../errors.ts'
import { Sqlite } from '../sqlite.ts'
import { createPrivateDirectory } from './private-directory.ts'
import { APPLICATION_ID, RUN_SCHEMA, SCHEMA, SCHEMA_VERSION, UPGRADES } from './schema.ts'

export type Db = Database

/**
 * Opens the state file; creates it (0600, in a directory of 0700) when missing. Throws SyncError when it is unreadable,
 * damaged, not ours, or of a newer version. Never replaces it.
 */
export function openStateFile(file: string): Db {
  const reading = `read state ${file}`
  try {
    createPrivately(file)
    const db = new Sqlite(file)
    try {
      prepare(db, file)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    if (error instanceof SyncError) throw error
    throw new SyncError(`${reading}: ${reasonOf(error)}`, { cause: error, hint: hintFor(error, file) })
  }
}

/** Turns an error of SQLite into one that names the state file; returns any other error unchanged. */
export function explainStateError(thrown: unknown, file: string): unknown {
  if (!isSqliteError(thrown)) return thrown
  return new SyncError(`use state ${file}: ${reasonOf(thrown)}`, { cause: thrown, hint: hintFor(thrown, file) })
}

/**
 * Opens a private copy of the state for `--dry-run`. It disappears when it is closed or the process dies, and lies on
 * disk in `directory`, so memory does not grow with it.
 */
export function openScratchCopy(file: string | undefined, directory: string): Db {
  const copy = join(mkdtempSync(join(directory, 'ngit-sync-')), 'state.db')
  try {
    if (file !== undefined && existsSync(file)) copyInto(file, copy)
    const db = new Sqlite(copy)
    db.pragma('journal_mode = MEMORY')
    db.pragma('synchronous = OFF')
    if (Number(db.pragma('user_version', { simple: true })) === 0) createTables(db)
    prepareConnection(db)
    return db
  } finally {
    rmSync(dirname(copy), { recursive: true, force: true })
  }
}

/** Runs `work` with every commit synced to the disk: a sync covers all that was committed before it as well. */
export function durably<T>(db: Db, work: () => T): T {
  const usual = Number(db.pragma('synchronous', { simple: true }))
  db.pragma('synchronous = FULL')
  try {
    return work()
  } finally {
    db.pragma(`synchronous = ${usual}`)
  }
}

function copyInto(file: string, copy: string): void {
  const db = openStateFile(file)
  try {
    db.prepare('VACUUM INTO ?').run(copy)
  } finally {
    db.close()
  }
}

function createPrivately(file: string): void {
  createPrivateDirectory(dirname(file))
  if (existsSync(file)) return
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

function prepare(db: Db, file: string): void {
  db.pragma('busy_timeout = 10000')
  refuseForeign(db, file)
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > SCHEMA_VERSION) {
    throw new SyncError(`read state ${file}: it was written by a newer version (schema ${version})`, {
      hint: 'update ngit-sync, or name another file with --state',
    })
  }
  db.pragma('journal_mode = WAL')
  // A power cut may take the last transactions, in their order: what must outlive it is written `durably`.
  db.pragma('synchronous = NORMAL')
  // 32 MB: each move from the log into the file waits for the disk.
  db.pragma('wal_autocheckpoint = 8000')
  const isSound = db.pragma('quick_check(1)', { simple: true }) === 'ok'
  if (!isSound) throw new SyncError(`read state ${file}: the file is damaged`, { hint: hintFor(undefined, file) })
  if (version === 0) createTables(db)
  else if (version < SCHEMA_VERSION) upgradeTables(db)
  prepareConnection(db)
}

/** Runs before anything is written: we must not even change the journal mode of another program's file. */
function refuseForeign(db: Db, file: string): void {
  const { n: tables } = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  if (tables === 0 || Number(db.pragma('application_id', { simple: true })) === APPLICATION_ID) return
  throw new SyncError(`read state ${file}: it is a database of another program`, {
    hint: 'name another file with --state',
  })
}

function createTables(db: Db): void {
  const create = db.transaction(() => {
    if (Number(db.pragma('user_version', { simple: true })) !== 0) return
    db.exec(SCHEMA)
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  })
  create.immediate()
}

/** Applies all steps or none, even if two processes open the file at once. */
function upgradeTables(db: Db): void {
  const upgrade = db.transaction(() => {
    const version = Number(db.pragma('user_version', { simple: true }))
    for (const { sql } of UPGRADES.filter(({ from }) => from >= version)) db.exec(sql)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  })
  upgrade.immediate()
}

function prepareConnection(db: Db): void {
  db.pragma('temp_store = FILE')
  db.pragma('temp.journal_mode = MEMORY')
  db.pragma('cache_size = -8000')
  db.exec(RUN_SCHEMA)
}

function hintFor(error: unknown, file: string): string {
  const code = (error as { code?: string } | undefined)?.code ?? ''
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code.startsWith('SQLITE_READONLY')) {
    return 'the directory of the state file must be writable: name another with --state'
  }
  if (code === 'ENOSPC' || code === 'SQLITE_FULL') {
    return 'free some space on that disk, and on that of temporary files; nothing was lost'
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return 'the disk cannot be read or written: it is full, over a quota, or failing; nothing was lost'
  }
  return `move ${file} away, or restore it: without it the next run reads everything again, and parked events in it are lost`
}
