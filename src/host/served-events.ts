import type { Database, Statement } from '../database.ts'
import { buildIndexQuery, INDEX_SCHEMA, tagKey } from '../file/index-query.ts'
import { createTemporaryDatabase, endFilling, type TemporaryDatabase } from '../file/temporary-database.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { PAGE_ROWS } from './relay-limits.ts'
import { StoredIds } from './stored-ids.ts'

/** The most bytes of the rows of one filter, but at least one row. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The events of a read-only relay, in a file of their own that disappears with the process. */
export class ServedEvents {
  readonly #temporary: TemporaryDatabase
  readonly #db: Database
  readonly #insert: Statement<[id: string, kind: number, pubkey: string, createdAt: number, json: string]>
  readonly #insertTag: Statement<[key: Buffer, event: number | bigint]>
  readonly #find: Statement<[id: string], { found: number }>
  readonly #json: Statement<[rowid: number], { json: string }>
  #size = 0
  #stored = 0

  /** Throws SyncError when the directory cannot hold it. */
  constructor(directory: string) {
    this.#temporary = createTemporaryDatabase(directory, INDEX_SCHEMA)
    this.#db = this.#temporary.db
    this.#insert = this.#db.prepare(
      `INSERT INTO events (id, digest, kind, pubkey, created_at, json) VALUES (unhex(?), x'', ?, unhex(?), ?, ?) ON CONFLICT DO NOTHING`,
    )
    this.#insertTag = this.#db.prepare('INSERT OR IGNORE INTO tags (key, event) VALUES (?, ?)')
    this.#find = this.#db.prepare('SELECT 1 AS found FROM events WHERE id = unhex(?)')
    this.#json = this.#db.prepare('SELECT json FROM events WHERE rowid = ?')
  }

  get size(): number {
    return this.#size
  }

  /** Adds verified events; those that are there stay. */
  add(events: readonly NostrEvent[]): void {
    this.#db.transaction(() => events.forEach((event) => this.#add(event)))()
  }

  /** To be called when few events more will come. */
  endFilling(): void {
    endFilling(this.#db)
  }

  has(id: string): boolean {
    return this.#find.get(id) !== undefined
  }

  /** The texts of the matches of each filter, newest first, ties by lowest id, at most a page; no event twice. */
  *find(filters: readonly Filter[]): Generator<string> {
    const shown = new Set<number>()
    for (const filter of filters) {
      let bytes = 0
      for (const row of this.#rows(filter)) {
        if (bytes > MAX_ANSWER_BYTES) break
        if (shown.has(row)) continue
        shown.add(row)
        const text = this.#json.get(row)?.json ?? ''
        bytes += Buffer.byteLength(text)
        yield text
      }
    }
  }

  /** How many events match any of the filters, whatever their limits. */
  count(filters: readonly Filter[]): number {
    const queries = filters.map((filter) => buildIndexQuery({ ...filter, limit: -1 }))
    const sql = queries.map((query) => `SELECT event FROM (${query.sql})`).join(' UNION ')
    const parameters = queries.flatMap((query) => query.parameters)
    const statement = this.#db.prepare<(string | number)[], { n: number }>(`SELECT count(*) AS n FROM (${sql})`)
    return statement.get(...parameters)?.n ?? 0
  }

  /** The ids of the matches, for comparisons; they lie in the same file until they are dropped. */
  storeIds(filter: Filter): StoredIds {
    const { sql, parameters } = buildIndexQuery(filter)
    const matches = `SELECT created_at, id FROM events WHERE rowid IN (SELECT event FROM (${sql}))`
    this.#stored += 1
    return new StoredIds(this.#db, `ids_${this.#stored}`, { sql: matches, parameters })
  }

  close(): void {
    this.#temporary.close()
  }

  #rows(filter: Filter): number[] {
    const { sql, parameters } = buildIndexQuery({ ...filter, limit: Math.min(filter.limit ?? PAGE_ROWS, PAGE_ROWS) })
    const found = this.#db.prepare<(string | number)[], { event: number }>(sql).all(...parameters)
    return found.map(({ event }) => event)
  }

  #add(event: NostrEvent): void {
    const { id, kind, pubkey, created_at: createdAt } = event
    const { changes, lastInsertRowid } = this.#insert.run(id, kind, pubkey, createdAt, JSON.stringify(event))
    if (changes === 0) return
    this.#size += 1
    for (const [name, value] of event.tags) {
      if (name?.length === 1 && value !== undefined) this.#insertTag.run(tagKey(name, value), lastInsertRowid)
    }
  }
}
