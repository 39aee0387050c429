import { createTemporaryDatabase, endFilling, type TemporaryDatabase } from '../file/temporary-database.ts'
import type { GrowingList, ReportLists } from '../run/world.ts'

/** The lists of one report; `close` removes them. */
export type OpenLists = ReportLists & { readonly close: () => void }

const SCHEMA =
  'CREATE TABLE entry (list INTEGER, place INTEGER, json TEXT NOT NULL, PRIMARY KEY (list, place)) STRICT, WITHOUT ROWID'
const PIECE = 500

/** Keeps lists in a file of their own in this directory: a report is printed when the state file is closed already. */
export function createReportLists(directory: string): OpenLists {
  let temporary: TemporaryDatabase | undefined
  let lists = 0
  return {
    create: <T>(): GrowingList<T> => {
      temporary ??= createTemporaryDatabase(directory, SCHEMA)
      lists += 1
      return new ListOnDisk<T>(temporary.db, lists)
    },
    close: () => temporary?.close(),
  }
}

type Db = TemporaryDatabase['db']

class ListOnDisk<T> implements GrowingList<T> {
  readonly #db: Db
  readonly #number: number
  readonly #insert
  readonly #next
  /** The last entries, not written yet. */
  #last: string[] = []
  #written = 0

  constructor(db: Db, number: number) {
    this.#db = db
    this.#number = number
    this.#insert = db.prepare<[number, number, string]>('INSERT INTO entry (list, place, json) VALUES (?, ?, ?)')
    this.#next = db.prepare<[number, number, number], { place: number; json: string }>(
      'SELECT place, json FROM entry WHERE list = ? AND place > ? ORDER BY place LIMIT ?',
    )
    // What is only added to, and read once from its start, needs no cache.
    endFilling(db)
  }

  add(value: T): void {
    this.#last.push(JSON.stringify(value))
    if (this.#last.length >= PIECE) this.#write()
  }

  *[Symbol.iterator](): Generator<T> {
    this.#write()
    for (let last = 0; ;) {
      const rows = this.#next.all(this.#number, last, PIECE)
      for (const { json } of rows) yield JSON.parse(json) as T
      last = rows.at(-1)?.place ?? last
      if (rows.length < PIECE) return
    }
  }

  #write(): void {
    this.#db.transaction(() => {
      for (const json of this.#last) this.#insert.run(this.#number, (this.#written += 1), json)
    })()
    this.#last = []
  }
}
