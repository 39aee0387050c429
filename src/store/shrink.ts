import { isSqliteError } from '../database.ts'
import type { Db } from './state-file.ts'

const MIB = 1024 * 1024
/** A smaller gain is not worth it: the next run fills the space again. */
const MIN_FREE_BYTES = 16 * MIB
/** The most data rewritten under a lock; more would delay runs for other targets. */
const MAX_USED_BYTES = 64 * MIB

/**
 * Returns disk space that a run needed temporarily, if that is most of the file. VACUUM rewrites the remaining data, so
 * the cost is small. Does nothing if another process uses the file or the disk has no room.
 */
export function shrinkFile(db: Db): void {
  // A scratch copy disappears with its connection.
  if (db.pragma('journal_mode', { simple: true }) !== 'wal') return
  const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) => {
    return Number(db.pragma(name, { simple: true }))
  })
  const [usedBytes, freeBytes] = [((pages ?? 0) - (free ?? 0)) * (size ?? 0), (free ?? 0) * (size ?? 0)]
  if (freeBytes < Math.max(MIN_FREE_BYTES, usedBytes) || usedBytes > MAX_USED_BYTES) return
  try {
    db.pragma('busy_timeout = 0')
    db.exec('VACUUM')
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!isSqliteError(error) || !MAY_FAIL.test(error.code)) throw error
  }
}

const MAY_FAIL = /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR)/
