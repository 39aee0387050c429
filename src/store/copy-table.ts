import { parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Db } from './state-file.ts'

/** An event that some end was seen to have. `held`: one bit for each end that has it. */
type CopyRow = {
  readonly id: Buffer
  readonly pubkey: Buffer
  readonly kind: number
  readonly created_at: number
  readonly address: string | null
  readonly repository: string | null
  readonly json: string | null
  readonly held: number
}

/** What is decided about an event when it is met. */
export type Met = {
  readonly address: string | undefined
  readonly repository: string | undefined
  /** Whether it counts: it is in scope, and wanted. */
  readonly counts: boolean
}

/** So many events of one repository are at the same ends, by their numbers; `example`: the lowest id, in hex. */
export type CopyGroup = {
  readonly repository: string | null
  readonly at: readonly number[]
  readonly events: number
  readonly example: string
}

/** Events that count: in scope, not taken back, and of an address the newest version of these. */
const COUNTED = `counts = 1 AND (address IS NULL OR NOT EXISTS (
  SELECT 1 FROM temp.copy n WHERE n.address = c.address AND n.counts = 1 AND n.created_at >= c.created_at
    AND (n.created_at > c.created_at OR n.id < c.id)))`

const TAKEN_BACK = `EXISTS (SELECT 1 FROM temp.vanished v WHERE v.author = pubkey AND v.until >= created_at)`
/** A deletion is never deleted; one of an address reaches up to its own time (NIP-09). */
const DELETED = `kind <> ${KIND.deletion} AND (
  EXISTS (SELECT 1 FROM temp.deletion d WHERE d.author = pubkey AND d.reference = lower(hex(copy.id)))
  OR EXISTS (SELECT 1 FROM temp.deletion d WHERE d.author = pubkey AND d.reference = address AND d.until >= created_at))`

/**
 * The events that the ends of a run were seen to have, and which end has which. One row for each event, in SQLite's
 * temporary file: memory does not grow with them (rule 8).
 */
export class CopyTable {
  readonly #db: Db
  readonly #insert
  readonly #find
  readonly #hold

  constructor(db: Db) {
    this.#db = db
    this.#insert = db.prepare<[Record<string, unknown>]>(
      `INSERT OR IGNORE INTO temp.copy (id, pubkey, kind, created_at, address, repository, json, counts)
       VALUES (@id, @pubkey, @kind, @createdAt, @address, @repository, @json, @counts)`,
    )
    this.#find = db.prepare<[Buffer], { held: number }>('SELECT held FROM temp.copy WHERE id = ?')
    this.#hold = db.prepare<[{ id: Buffer; place: number }]>(
      `UPDATE temp.copy SET held = held | @place, copies = copies + 1 WHERE id = @id AND held & @place = 0`,
    )
  }

  /** Whether the event was met at any end: then it was verified. */
  has(id: string): boolean {
    return this.#find.get(toBlob(id)) !== undefined
  }

  /** Whether the end was seen to have the event. */
  isAt(id: string, end: number): boolean {
    return endsOf(this.#find.get(toBlob(id))?.held ?? 0).includes(end)
  }

  /** Adds a verified event; one that is known stays as it was. */
  add(event: NostrEvent, { address, repository, counts }: Met): void {
    this.#insert.run({
      id: toBlob(event.id),
      pubkey: toBlob(event.pubkey),
      kind: event.kind,
      createdAt: event.created_at,
      address: address ?? null,
      repository: repository ?? null,
      json: event.kind === KIND.deletion ? JSON.stringify(event) : null,
      counts: counts ? 1 : 0,
    })
  }

  /** Notes that an end, by its number from 0, has these events. Events that were never met are passed over. */
  hold(ids: Iterable<string>, end: number): void {
    const place = 2 ** end
    for (const id of ids) this.#hold.run({ id: toBlob(id), place })
  }

  /** Takes out what was taken back, as far as this run knows. Returns whether there was any. */
  removeWithdrawn({ deletions }: { readonly deletions: boolean }): boolean {
    const why = deletions ? `(${TAKEN_BACK} OR (${DELETED}))` : TAKEN_BACK
    return this.#db.prepare(`UPDATE temp.copy SET counts = 0 WHERE counts = 1 AND ${why}`).run().changes > 0
  }

  /** Takes out one event. */
  remove(id: string): void {
    this.#db.prepare('UPDATE temp.copy SET counts = 0 WHERE id = ?').run(toBlob(id))
  }

  /**
   * Yields the events with fewer copies than wanted whose authors were not asked about them yet, in pieces of at most
   * `size`, and notes that they are. Each piece continues after the previous one, so all together cost one pass. Only
   * what a deletion can mean is in them: all of a deletion, the address of others.
   */
  *unasked(wanted: number, size: number): Generator<NostrEvent[]> {
    const mark = this.#db.prepare<[Buffer]>('UPDATE temp.copy SET asked = 1 WHERE id = ?')
    const next = this.#db.prepare<[Buffer, number, number], CopyRow>(
      `SELECT * FROM temp.copy c WHERE id > ? AND asked = 0 AND copies < ? AND ${COUNTED} ORDER BY id LIMIT ?`,
    )
    let last = toBlob('')
    for (;;) {
      const rows = next.all(last, wanted, size)
      const end = rows.at(-1)
      if (end === undefined) return
      last = end.id
      this.#db.transaction(() => rows.forEach(({ id }) => mark.run(id)))()
      yield rows.map(toEvent)
    }
  }

  /** Yields the counted events by repository and by where they are, one repository after the other. */
  *groups(): Generator<CopyGroup> {
    const rows = this.#db
      .prepare(
        `SELECT repository, held, count(*) AS events, lower(hex(min(id))) AS example FROM temp.copy c
         WHERE ${COUNTED} GROUP BY repository, held ORDER BY repository`,
      )
      .iterate() as IterableIterator<Omit<CopyGroup, 'at'> & Pick<CopyRow, 'held'>>
    for (const { held, ...group } of rows) yield { ...group, at: endsOf(held) }
  }

  /** Yields the counted events with fewer copies than wanted, by id, with the numbers of the ends that have each. */
  *scarce(wanted: number): Generator<{ id: string; repository: string | null; at: readonly number[] }> {
    const rows = this.#db
      .prepare(`SELECT id, repository, held FROM temp.copy c WHERE copies < ? AND ${COUNTED} ORDER BY id`)
      .iterate(wanted) as IterableIterator<Pick<CopyRow, 'id' | 'repository' | 'held'>>
    for (const { id, repository, held } of rows) yield { id: id.toString('hex'), repository, at: endsOf(held) }
  }
}

/** The numbers of the ends of these bits. There may be more bits than JavaScript's `&` takes. */
function endsOf(held: number): number[] {
  const ends: number[] = []
  for (let end = 0, rest = held; rest > 0; end += 1, rest = Math.floor(rest / 2)) if (rest % 2 === 1) ends.push(end)
  return ends
}

function toEvent({ id, pubkey, kind, created_at, address, json }: CopyRow): NostrEvent {
  if (json !== null) return JSON.parse(json) as NostrEvent
  const d = address === null ? undefined : parseAddress(address)?.d
  const tags = d === undefined ? [] : [['d', d]]
  return { id: id.toString('hex'), pubkey: pubkey.toString('hex'), kind, created_at, tags, content: '', sig: '' }
}

function toBlob(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
