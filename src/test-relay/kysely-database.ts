import type { EventRepositorySqlite } from '@nostr-relay/event-repository-sqlite'
import type { Database } from '../database.ts'

type LibraryDatabase = ReturnType<EventRepositorySqlite['getDatabase']>

/** Our database as @nostr-relay and its query builder use better-sqlite3: parameters in one list. */
export function asLibraryDatabase(database: Database): LibraryDatabase {
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    return {
      reader: /^\s*(?:select|with|pragma)\b|\breturning\b/i.test(sql),
      get: (parameters: readonly unknown[] = []) => statement.get(...parameters),
      all: (parameters: readonly unknown[] = []) => statement.all(...parameters),
      run: (parameters: readonly unknown[] = []) => statement.run(...parameters),
    }
  }
  // The library asks for no more of a database than this.
  const used: unknown = { prepare, close: () => database.close() }
  return used as LibraryDatabase
}
