import type { NostrEvent } from '../nostr/event.ts'
import type { Db } from './state-file.ts'

/** Announcements and roots that a target is known to hold: the starting point of a reconciliation with it. */
export class KnownEvents {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Notes that the target holds these events. */
  add(events: readonly NostrEvent[]): void {
    const insert = this.#db.prepare('INSERT OR IGNORE INTO known (target, id, kind, created_at) VALUES (?, ?, ?, ?)')
    for (const { id, kind, created_at } of events) insert.run(this.#target, Buffer.from(id, 'hex'), kind, created_at)
  }

  /** Notes that the target no longer holds these events. */
  remove(ids: readonly string[]): void {
    const remove = this.#db.prepare('DELETE FROM known WHERE target = ? AND id = ?')
    for (const id of ids) remove.run(this.#target, Buffer.from(id, 'hex'))
  }

  /** How many events the target is known to hold. */
  count(): number {
    const row = this.#db.prepare('SELECT count(*) AS n FROM known WHERE target = ?').get(this.#target)
    return (row as { n: number }).n
  }

  /** Yields the known events of some kinds, unordered; `createdAt` in Unix seconds. Do not write while iterating. */
  *ofKinds(kinds: readonly number[]): Generator<{ readonly id: string; readonly createdAt: number }> {
    const rows = this.#db
      .prepare('SELECT id, created_at FROM known WHERE target = ? AND kind IN (SELECT value FROM json_each(?))')
      .iterate(this.#target, JSON.stringify(kinds)) as IterableIterator<{ id: Buffer; created_at: number }>
    for (const { id, created_at } of rows) yield { id: id.toString('hex'), createdAt: created_at }
  }
}
