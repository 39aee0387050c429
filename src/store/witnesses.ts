import type { NostrEvent } from '../nostr/event.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

const KEPT = 500

/** An event that a relay has shown to hold. */
export type Witness = { readonly id: string; readonly pubkey: string; readonly expiresAt: UnixSeconds | undefined }

/** Ids of regular events that a relay held: by them the next run sees whether it still shows what its checkpoints claim. */
export class WitnessStore {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Remembers that `relay` held these events at `provedAt`. */
  add(
    relay: string,
    events: readonly NostrEvent[],
    provedAt: UnixSeconds,
    expiresAt: (event: NostrEvent) => number | undefined,
  ): void {
    const insert = this.#db.prepare(
      `INSERT INTO witness (target, relay, id, pubkey, created_at, expires_at, proved_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET proved_at = excluded.proved_at`,
    )
    for (const event of events) {
      const key = [Buffer.from(event.id, 'hex'), Buffer.from(event.pubkey, 'hex')]
      insert.run(this.#target, relay, ...key, event.created_at, expiresAt(event) ?? null, provedAt)
    }
    this.#prune(relay)
  }

  /** At most `count` witnesses: the newest half by when they were proved, the rest spread evenly over the older ones. */
  sample(relay: string, count: number): Witness[] {
    const rows = this.#db
      .prepare(
        `SELECT hex(id) AS id, hex(pubkey) AS pubkey, expires_at FROM witness WHERE target = ? AND relay = ?
         ORDER BY proved_at DESC, created_at DESC, id`,
      )
      .all(this.#target, relay) as { id: string; pubkey: string; expires_at: number | null }[]
    return spread(rows, count).map((row) => ({
      id: row.id.toLowerCase(),
      pubkey: row.pubkey.toLowerCase(),
      expiresAt: row.expires_at ?? undefined,
    }))
  }

  /** Forgets the witnesses of a relay. */
  forget(relay: string): void {
    this.#db.prepare('DELETE FROM witness WHERE target = ? AND relay = ?').run(this.#target, relay)
  }

  /** Forgets one witness: it was deleted or has expired. */
  remove(relay: string, id: string): void {
    const sql = 'DELETE FROM witness WHERE target = ? AND relay = ? AND id = ?'
    this.#db.prepare(sql).run(this.#target, relay, Buffer.from(id, 'hex'))
  }

  #prune(relay: string): void {
    this.#db
      .prepare(
        `DELETE FROM witness WHERE target = @target AND relay = @relay AND id NOT IN (
           SELECT id FROM witness WHERE target = @target AND relay = @relay ORDER BY proved_at DESC, created_at DESC, id LIMIT ${KEPT})`,
      )
      .run({ target: this.#target, relay })
  }
}

function spread<T>(rows: readonly T[], count: number): T[] {
  const newest = rows.slice(0, Math.ceil(count / 2))
  const older = rows.slice(newest.length)
  const step = Math.max(1, older.length / Math.floor(count / 2))
  return newest.concat(older.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step)))
}
