import type { Database, Statement } from '../database.ts'
import { buildIndexQuery, INDEX_SCHEMA, tagKey } from '../file/index-query.ts'
import { addressOf, isNewerVersion, parseAddress } from '../nostr/address.ts'
import { tagValues, type NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import { Sqlite } from '../sqlite.ts'

type Found = { readonly event: number }

/** The events of a relay in a SQLite file that survives `kill -9`. Checks neither ids nor signatures. */
export class EventStore {
  readonly #db: Database
  readonly #insert: Statement
  readonly #insertTag: Statement
  readonly #json: Statement<[number], { json: string }>
  readonly #remove: Statement
  readonly #removeTags: Statement

  /** Opens the file; creates it when missing. Throws what SQLite says. */
  constructor(file: string) {
    this.#db = new Sqlite(file)
    this.#db.pragma('journal_mode = WAL')
    const isNew = Number(this.#db.pragma('user_version', { simple: true })) === 0
    if (isNew) this.#db.exec(`BEGIN; ${INDEX_SCHEMA} PRAGMA user_version = 1; COMMIT`)
    this.#insert = this.#db.prepare(
      `INSERT INTO events (id, digest, kind, pubkey, created_at, json) VALUES (unhex(?), x'', ?, unhex(?), ?, ?)`,
    )
    this.#insertTag = this.#db.prepare('INSERT OR IGNORE INTO tags (key, event) VALUES (?, ?)')
    this.#json = this.#db.prepare('SELECT json FROM events WHERE rowid = ?')
    this.#remove = this.#db.prepare('DELETE FROM events WHERE rowid = ?')
    this.#removeTags = this.#db.prepare('DELETE FROM tags WHERE event = ?')
  }

  /** Adds events in one transaction, deletions without applying them; returns how many were new. */
  addAll(events: Iterable<NostrEvent>): number {
    return this.#db.transaction(() => {
      let added = 0
      for (const event of events) if (this.#add(event)) added += 1
      return added
    })()
  }

  /** Adds an event and applies it if it is a deletion (NIP-09); false if this or a newer version is there. */
  publish(event: NostrEvent): boolean {
    return this.#db.transaction(() => {
      if (event.kind === KIND.deletion) this.#applyDeletion(event)
      return this.#add(event)
    })()
  }

  /** Whether the author of the event has deleted it (NIP-09). */
  isDeleted(event: NostrEvent): boolean {
    if (event.kind === KIND.deletion) return false
    const deletions = { kinds: [KIND.deletion], authors: [event.pubkey], limit: 1 }
    const address = addressOf(event)
    return (
      this.find({ ...deletions, '#e': [event.id] }).length > 0 ||
      (address !== undefined && this.find({ ...deletions, '#a': [address], since: event.created_at }).length > 0)
    )
  }

  /** The events that match, newest first, ties by lowest id. */
  find(filter: Filter): NostrEvent[] {
    return this.#rows(filter).flatMap((row) => this.#read(row) ?? [])
  }

  close(): void {
    this.#db.close()
  }

  #rows(filter: Filter): number[] {
    const { sql, parameters } = buildIndexQuery(filter)
    return this.#db
      .prepare<(string | number)[], Found>(sql)
      .all(...parameters)
      .map(({ event }) => event)
  }

  #read(row: number): NostrEvent | undefined {
    const found = this.#json.get(row)
    return found && (JSON.parse(found.json) as NostrEvent)
  }

  #add(event: NostrEvent): boolean {
    if (this.#rows({ ids: [event.id] }).length > 0 || !this.#replaceOlder(event)) return false
    const { id, kind, pubkey, created_at: createdAt } = event
    const { lastInsertRowid } = this.#insert.run(id, kind, pubkey, createdAt, JSON.stringify(event))
    for (const [name, value] of event.tags) {
      if (name?.length === 1 && value !== undefined) this.#insertTag.run(tagKey(name, value), lastInsertRowid)
    }
    return true
  }

  /** False if a newer version of its address is there. */
  #replaceOlder(event: NostrEvent): boolean {
    const address = addressOf(event)
    if (address === undefined) return true
    const versions = this.#versions(address)
    if (versions.some(({ version }) => isNewerVersion(version, event))) return false
    for (const { row } of versions) this.#drop(row)
    return true
  }

  #versions(address: string): { readonly row: number; readonly version: NostrEvent }[] {
    const parsed = parseAddress(address)
    if (parsed === undefined) return []
    return this.#rows({ kinds: [parsed.kind], authors: [parsed.pubkey] }).flatMap((row) => {
      const version = this.#read(row)
      return version !== undefined && addressOf(version) === address ? [{ row, version }] : []
    })
  }

  #applyDeletion(deletion: NostrEvent): void {
    const { pubkey, created_at: createdAt } = deletion
    for (const row of this.#rows({ ids: tagValues(deletion, 'e'), authors: [pubkey] })) {
      if (this.#read(row)?.kind !== KIND.deletion) this.#drop(row)
    }
    for (const address of tagValues(deletion, 'a').filter((text) => parseAddress(text)?.pubkey === pubkey)) {
      for (const { row, version } of this.#versions(address)) if (version.created_at <= createdAt) this.#drop(row)
    }
  }

  #drop(row: number): void {
    this.#remove.run(row)
    this.#removeTags.run(row)
  }
}
