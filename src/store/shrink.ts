import { Sqlite } from '../sqlite.ts'
import type { Db } from './state-file.ts'

const MIB = 1024 * 1024
/** Less is not worth it: the next run fills it again. */
const MIN_FREE_BYTES = 16 * MIB
/** What is rewritten under a lock; more would keep a run for another target waiting. */
const MAX_USED_BYTES = 64 * MIB

/**
 * Gives back to the disk what a run needed for a while, where that is most of the file: what stays is written anew, so
 * the cost is that of the little that stays. Another process at the file, or a disk without room for that, and it stays
 * as it is.
 */
export function shrinkFile(db: Db): void {
  // A scratch copy is gone with its connection.
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
    if (!(error instanceof Sqlite.SqliteError) || !MAY_FAIL.test(error.code)) throw error
  }
}

const MAY_FAIL = /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR)/
