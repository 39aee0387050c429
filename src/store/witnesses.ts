import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** How many witnesses of each sort are kept per relay. */
const KEPT = 250

/** Something that a relay has shown to hold: a regular event, or a version of an address. */
export type Witness = {
  readonly id: string
  readonly pubkey: string
  /** The address at which newer versions replace it; `undefined` for a regular event. */
  readonly address: string | undefined
  readonly createdAt: UnixSeconds
  readonly expiresAt: UnixSeconds | undefined
  /** Addresses `30617:…` of its repositories. A relay may hide all events of a repository together. */
  readonly repositories: readonly string[]
}

type Row = {
  id: Buffer
  pubkey: Buffer
  address: string | null
  created_at: number
  expires_at: number | null
  repositories: string
}

/**
 * Witnesses of what relays held. With them the next run checks whether relays still show what their checkpoints claim.
 */
export class WitnessStore {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /**
   * Remembers that `relay` held these at `provedAt`; only the newest version of an address. `isPublished`: one of our
   * runs sent them. Keeps the newest 250 of these and the newest 250 others by when they were first proved: a restored
   * relay lacks the latest events, and a full run proves all of them again.
   */
  add(relay: string, witnesses: readonly Witness[], proof: { provedAt: UnixSeconds; isPublished: boolean }): void {
    const insert = this.#db.prepare(
      `INSERT INTO witness (target, relay, subject, id, pubkey, address, created_at, expires_at, repositories, proved_at, published)
       VALUES (@target, @relay, @subject, @id, @pubkey, @address, @createdAt, @expiresAt, @repositories, @provedAt, @published)
       ON CONFLICT DO UPDATE SET id = excluded.id, created_at = excluded.created_at, expires_at = excluded.expires_at,
         proved_at = CASE WHEN id = excluded.id AND published >= excluded.published THEN proved_at ELSE excluded.proved_at END,
         published = max(published, excluded.published)
       WHERE excluded.created_at >= created_at`,
    )
    const common = { target: this.#target, relay, provedAt: proof.provedAt, published: proof.isPublished ? 1 : 0 }
    for (const witness of witnesses) insert.run({ ...common, ...toColumns(witness) })
    this.#prune(relay)
  }

  /**
   * Samples at most `count` witnesses, half of them published by us and first, if both sorts suffice. Of each sort,
   * takes the newest half by when they were first proved, and spreads the rest evenly over the older ones.
   */
  sample(relay: string, count: number): Witness[] {
    const [published, others] = [this.#load(relay, true), this.#load(relay, false)]
    const half = Math.max(Math.floor(count / 2), count - others.length)
    const first = spread(published, Math.min(half, published.length))
    return [...first, ...spread(others, count - first.length)]
  }

  /** When the relay was last seen to hold any of its witnesses, in Unix seconds; `undefined` if there are none. */
  lastProved(relay: string): UnixSeconds | undefined {
    const sql = 'SELECT max(proved_at) AS at FROM witness WHERE target = ? AND relay = ?'
    return (this.#db.prepare(sql).get(this.#target, relay) as { at: number | null }).at ?? undefined
  }

  /** Forgets the witnesses of a relay. */
  forget(relay: string): void {
    this.#db.prepare('DELETE FROM witness WHERE target = ? AND relay = ?').run(this.#target, relay)
  }

  /** Forgets one witness that is rightly gone. */
  remove(relay: string, { id }: Pick<Witness, 'id'>): void {
    const sql = 'DELETE FROM witness WHERE target = ? AND relay = ? AND id = ?'
    this.#db.prepare(sql).run(this.#target, relay, Buffer.from(id, 'hex'))
  }

  #load(relay: string, isPublished: boolean): Witness[] {
    const rows = this.#db
      .prepare(
        `SELECT id, pubkey, address, created_at, expires_at, repositories FROM witness
         WHERE target = ? AND relay = ? AND published = ? ORDER BY proved_at DESC, created_at DESC, id`,
      )
      .all(this.#target, relay, isPublished ? 1 : 0) as Row[]
    return rows.map(fromRow)
  }

  #prune(relay: string): void {
    const prune = this.#db.prepare(
      `DELETE FROM witness WHERE target = @target AND relay = @relay AND published = @published AND subject NOT IN (
         SELECT subject FROM witness WHERE target = @target AND relay = @relay AND published = @published
         ORDER BY proved_at DESC, created_at DESC, id LIMIT ${KEPT})`,
    )
    for (const published of [0, 1]) prune.run({ target: this.#target, relay, published })
  }
}

function toColumns({ id, pubkey, address, createdAt, expiresAt, repositories }: Witness) {
  return {
    subject: address ?? id,
    id: Buffer.from(id, 'hex'),
    pubkey: Buffer.from(pubkey, 'hex'),
    address: address ?? null,
    createdAt,
    expiresAt: expiresAt ?? null,
    repositories: JSON.stringify(repositories),
  }
}

function fromRow(row: Row): Witness {
  return {
    id: row.id.toString('hex'),
    pubkey: row.pubkey.toString('hex'),
    address: row.address ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    repositories: JSON.parse(row.repositories) as string[],
  }
}

function spread<T>(rows: readonly T[], count: number): T[] {
  const newest = rows.slice(0, Math.ceil(count / 2))
  const older = rows.slice(newest.length)
  const step = Math.max(1, older.length / Math.floor(count / 2))
  return newest.concat(older.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step)))
}
