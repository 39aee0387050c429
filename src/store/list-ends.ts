import { existsSync } from 'node:fs'
import { Sqlite } from '../sqlite.ts'

/** The targets and sources that a state file knows, for completions. Changes nothing; throws when it cannot be read. */
export function listEnds(stateFile: string): {
  readonly targets: readonly string[]
  readonly sources: readonly string[]
} {
  if (!existsSync(stateFile)) return { targets: [], sources: [] }
  const db = new Sqlite(stateFile, { readonly: true, fileMustExist: true, timeout: 200 })
  try {
    const list = (sql: string): string[] =>
      db
        .prepare(sql)
        .all()
        .map((row) => (row as { name: string }).name)
    return {
      targets: list('SELECT target AS name FROM run UNION SELECT target FROM coverage LIMIT 200'),
      sources: list('SELECT DISTINCT source AS name FROM coverage LIMIT 200'),
    }
  } finally {
    db.close()
  }
}
