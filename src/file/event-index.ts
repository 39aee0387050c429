import { hash } from 'node:crypto'
import { isSqliteError, type Database, type Statement } from '../database.ts'
import { SyncError, reasonOf } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { formatEventLine } from './event-line.ts'
import { buildIndexQuery, INDEX_SCHEMA, tagKey } from './index-query.ts'
import { createTemporaryDatabase, endFilling, type TemporaryDatabase } from './temporary-database.ts'

const BATCH_ROWS = 500
const BATCH_BYTES = 4 * 1024 * 1024

/** Unverified matching events, and the bytes of their JSON. */
export type EventBatch = { readonly rows: readonly unknown[]; readonly bytes: number }

type EventColumns = [id: Buffer, digest: Buffer, kind: number, pubkey: Buffer, createdAt: number, json: string]

/**
 * The events of a file, indexed on disk for filters. Keeps all events with the same id but different content (rule 4),
 * because only the signature, checked later, tells which one is genuine.
 */
export class EventIndex {
  readonly #directory: string
  readonly #temporary: TemporaryDatabase
  readonly #db: Database
  readonly #insertEvent: Statement<EventColumns>
  readonly #insertTag: Statement<[key: Buffer, event: number | bigint]>
  readonly #selectCopy: Statement<[id: Buffer, digest: Buffer]>
  readonly #selectJson: Statement<[rowid: number], { json: string }>
  #scans = 0

  /** Throws SyncError when the directory cannot hold it. */
  constructor(directory: string) {
    this.#directory = directory
    this.#temporary = createTemporaryDatabase(directory, INDEX_SCHEMA)
    this.#db = this.#temporary.db
    this.#insertEvent = this.#db.prepare(
      'INSERT INTO events (id, digest, kind, pubkey, created_at, json) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#insertTag = this.#db.prepare('INSERT OR IGNORE INTO tags (key, event) VALUES (?, ?)')
    this.#selectCopy = this.#db.prepare('SELECT 1 FROM events WHERE id = ? AND digest = ?')
    this.#selectJson = this.#db.prepare('SELECT json FROM events WHERE rowid = ?')
  }

  /**
   * Runs `fill` in one transaction, which is much faster for many events. Close the index if it throws. Errors of
   * SQLite become SyncErrors.
   */
  async load<T>(fill: () => Promise<T>): Promise<T> {
    try {
      // The database is empty before, so the in-memory journal has no old pages to keep and does not grow.
      this.#db.exec('BEGIN')
      const result = await fill()
      this.#db.exec('COMMIT')
      endFilling(this.#db)
      return result
    } catch (error) {
      throw isSqliteError(error) ? indexFailure(this.#directory, error) : error
    }
  }

  /** Adds the event unless it is already there. */
  add(event: NostrEvent): void {
    if (this.#db.inTransaction) return this.#insert(event)
    this.#db.transaction(() => this.#insert(event))()
  }

  /** Whether exactly this event is there: same id, content and signature. */
  has(event: NostrEvent): boolean {
    return this.#selectCopy.get(idOf(event), digestOf(formatEventLine(event))) !== undefined
  }

  /** All matches, newest first, at most `limit`. */
  find(filter: Filter): EventBatch {
    const { sql, parameters } = buildIndexQuery(filter)
    const found = this.#db.prepare<(string | number)[], { event: number }>(sql).all(...parameters)
    return readBatch(found.flatMap(({ event }) => this.#selectJson.get(event)?.json ?? []))
  }

  /**
   * Yields the current matches in batches of at most 500 rows, newest first; events added meanwhile do not interfere.
   */
  *scan(filter: Filter): Generator<EventBatch, void, undefined> {
    this.#scans += 1
    const matches = `scan_${this.#scans}`
    this.#saveMatches(matches, filter)
    try {
      let position = 0
      for (let batch = this.#takeJson(matches, 0); batch.length > 0; batch = this.#takeJson(matches, position)) {
        position += batch.length
        yield readBatch(batch)
      }
    } finally {
      if (this.#db.open) this.#db.exec(`DROP TABLE ${matches}`)
    }
  }

  close(): void {
    this.#temporary.close()
  }

  #insert(event: NostrEvent): void {
    const json = formatEventLine(event)
    const pubkey = Buffer.from(event.pubkey, 'hex')
    const inserted = this.#insertEvent.run(idOf(event), digestOf(json), event.kind, pubkey, event.created_at, json)
    if (inserted.changes === 0) return
    for (const [name, value] of event.tags) {
      if (isIndexed(name) && value !== undefined) this.#insertTag.run(tagKey(name, value), inserted.lastInsertRowid)
    }
  }

  /**
   * Saves matches in a table on disk. In memory they could grow too large, and with an open cursor SQLite would refuse
   * events published meanwhile.
   */
  #saveMatches(table: string, filter: Filter): void {
    const { sql, parameters } = buildIndexQuery(filter)
    this.#db.exec(`CREATE TABLE ${table} (position INTEGER PRIMARY KEY, event INTEGER)`)
    this.#db.prepare<(string | number)[]>(`INSERT INTO ${table} (event) ${sql}`).run(...parameters)
  }

  /** The next matches after a position: as many as fit into a batch, but at least one. */
  #takeJson(table: string, position: number): string[] {
    const statement = this.#db.prepare<[number], { json: string }>(
      `SELECT json FROM ${table} JOIN events ON events.rowid = event WHERE position > ? ORDER BY position LIMIT ${BATCH_ROWS}`,
    )
    const taken: string[] = []
    let length = 0
    for (const { json } of statement.iterate(position)) {
      taken.push(json)
      length += json.length
      if (length >= BATCH_BYTES) break
    }
    return taken
  }
}

function indexFailure(directory: string, error: unknown): SyncError {
  return new SyncError(`index events in ${directory}: ${reasonOf(error)}`, {
    cause: error,
    hint: 'the index needs about twice the size of the file (uncompressed): free space there (TMPDIR names another directory)',
  })
}

function readBatch(texts: readonly string[]): EventBatch {
  return {
    rows: texts.map((text): unknown => JSON.parse(text)),
    bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  }
}

function isIndexed(name: string | undefined): name is string {
  return name !== undefined && /^[A-Za-z]$/.test(name)
}

function idOf(event: NostrEvent): Buffer {
  return Buffer.from(event.id, 'hex')
}

function digestOf(json: string): Buffer {
  return hash('sha256', json, 'buffer')
}
