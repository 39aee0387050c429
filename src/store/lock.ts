import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Database } from '../database.ts'
import { LockedError, reasonOf, SyncError } from '../errors.ts'
import { Sqlite } from '../sqlite.ts'
import { createPrivateDirectory } from './private-directory.ts'

/** The holder of a target's lock; `startedAt` in Unix seconds. */
export type LockHolder = { readonly pid: number; readonly host: string; readonly startedAt: number }

export type Lock = { release(): void }

/** Keeps databases from being garbage-collected, which would close the file and drop the lock. */
const held = new Set<Database>()

/**
 * Takes the lock of a target: an exclusive SQLite transaction on a separate file, which the kernel drops when the
 * process dies. The holder file beside it serves only the message. Throws LockedError when another process holds the
 * lock.
 */
export function acquireLock(stateFile: string, target: string, holder: LockHolder): Lock {
  const file = lockFile(stateFile, target)
  let db: Database | undefined
  try {
    createPrivateDirectory(dirname(file))
    // Only if missing: closing any descriptor of a locked file drops this process's locks on it (POSIX).
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
    db = new Sqlite(file, { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
    writeFileSync(holderFile(file), JSON.stringify(holder), { mode: 0o600 })
    return hold(db)
  } catch (error) {
    db?.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw locked(target, readHolder(file))
    throw new SyncError(`lock ${target} in ${file}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'locks lie beside the state file: its directory must be writable, or name another file with --state',
    })
  }
}

function hold(db: Database): Lock {
  held.add(db)
  return {
    release: () => {
      held.delete(db)
      db.close()
    },
  }
}

/** The current holder of the lock, or `undefined` if there is none. */
export function findLockHolder(stateFile: string, target: string): LockHolder | undefined {
  const file = lockFile(stateFile, target)
  if (readHolder(file) === undefined) return undefined
  const db = new Sqlite(file, { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return undefined
  } catch {
    return readHolder(file)
  } finally {
    db.close()
  }
}

function locked(target: string, holder: LockHolder | undefined): LockedError {
  const who =
    holder === undefined
      ? 'another run'
      : `process ${holder.pid} on ${holder.host}, since ${new Date(holder.startedAt * 1000).toISOString()}`
  return new LockedError(`${target} is being synchronised by ${who}`)
}

function readHolder(file: string): LockHolder | undefined {
  try {
    const { pid, host, startedAt } = JSON.parse(readFileSync(holderFile(file), 'utf8')) as Record<string, unknown>
    const isHolder = typeof pid === 'number' && typeof host === 'string' && typeof startedAt === 'number'
    return isHolder ? { pid, host, startedAt } : undefined
  } catch {
    return undefined // a missing or torn holder file only makes the message less precise
  }
}

function lockFile(stateFile: string, target: string): string {
  const name = createHash('sha256').update(target).digest('hex').slice(0, 16)
  return join(dirname(stateFile), 'locks', `${name}.lock`)
}

function holderFile(file: string): string {
  return `${file}.json`
}
