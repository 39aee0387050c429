import { Sqlite } from '../sqlite.ts'
import { SCHEMA_VERSION } from './schema.ts'

/** The version of the SQLite library in use, and of the schema that this program writes. */
export function describeEngine(): { readonly sqlite: string; readonly schema: number } {
  const db = new Sqlite(':memory:')
  try {
    const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string }
    return { sqlite: version, schema: SCHEMA_VERSION }
  } finally {
    db.close()
  }
}
