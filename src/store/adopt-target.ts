import type { Db } from './state-file.ts'

/**
 * Moves the rows of other names of one target to its current name, unless that name already has such rows. Earlier
 * versions stored a relay on this machine under the name that was typed.
 */
export function adoptTarget(db: Db, key: string, nameOf: (target: string) => string): void {
  const tables = db
    .prepare(
      `SELECT m.name FROM main.sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'target'`,
    )
    .all() as { name: string }[]
  const adopt = db.transaction(() => {
    for (const { name: table } of tables) {
      const sql = `SELECT DISTINCT target FROM ${table} WHERE target <> ?`
      const others = db.prepare<[string], { target: string }>(sql).all(key)
      for (const { target } of others.filter(({ target }) => nameOf(target) === key)) {
        db.prepare(`UPDATE OR IGNORE ${table} SET target = ? WHERE target = ?`).run(key, target)
      }
    }
  })
  adopt.immediate()
}
