import type { NostrEvent } from '../nostr/event.ts'
import type { LayerName } from '../layer-name.ts'
import type { Db } from './state-file.ts'

/** Ids seen, and deletions and vanish requests found in this run. Stored in SQLite's temporary file, not in memory. */
export class RunTables {
  readonly #insertSeen
  readonly #findSeen
  readonly #insertServed
  readonly #findServed
  readonly #insertSent
  readonly #insertDiffering
  readonly #findDiffering
  readonly #insertDeletion
  readonly #findDeletion
  #removalsNoted = 0
  #isServedDistrusted = false
  readonly #insertVanished
  readonly #findVanished
  readonly #insertAsked
  readonly #findAsked

  constructor(db: Db) {
    this.#insertSeen = db.prepare<[Buffer, Buffer, LayerName]>(
      'INSERT OR IGNORE INTO temp.seen (id, pubkey, layer) VALUES (?, ?, ?)',
    )
    this.#findSeen = db.prepare<[Buffer], { pubkey: Buffer }>('SELECT pubkey FROM temp.seen WHERE id = ?')
    this.#insertServed = db.prepare<[Buffer]>('INSERT OR IGNORE INTO temp.served (id) VALUES (?)')
    this.#findServed = db.prepare<[Buffer], { id: Buffer }>('SELECT id FROM temp.served WHERE id = ?')
    this.#insertSent = db.prepare<[Buffer]>('INSERT OR IGNORE INTO temp.sent (id) VALUES (?)')
    this.#insertDiffering = db.prepare<[Buffer]>('INSERT OR IGNORE INTO temp.differing (id) VALUES (?)')
    this.#findDiffering = db.prepare<[Buffer], { id: Buffer }>('SELECT id FROM temp.differing WHERE id = ?')
    this.#insertDeletion = db.prepare<[Buffer, string, number]>(
      `INSERT INTO temp.deletion (author, reference, until) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,
    )
    this.#findDeletion = db.prepare<[Buffer, string], { until: number }>(
      'SELECT until FROM temp.deletion WHERE author = ? AND reference = ?',
    )
    this.#insertVanished = db.prepare<[Buffer, number]>(
      'INSERT INTO temp.vanished (author, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)',
    )
    this.#findVanished = db.prepare<[Buffer], { until: number }>('SELECT until FROM temp.vanished WHERE author = ?')
    this.#insertAsked = db.prepare<[string, Buffer]>(
      'INSERT OR IGNORE INTO temp.asked_author (relay, author) VALUES (?, ?)',
    )
    this.#findAsked = db.prepare<[string, Buffer], { author: Buffer }>(
      'SELECT author FROM temp.asked_author WHERE relay = ? AND author = ?',
    )
  }

  /** Whether a verified event with this id was seen in this run (rule 4: only verified ones count). */
  isSeen(id: string): boolean {
    return this.#findSeen.get(toBlob(id)) !== undefined
  }

  /** The author of an event seen in this run. */
  authorOf(id: string): string | undefined {
    return this.#findSeen.get(toBlob(id))?.pubkey.toString('hex')
  }

  /** Notes a verified event; false if it was seen before. */
  markSeen(event: NostrEvent, layer: LayerName): boolean {
    return this.#insertSeen.run(toBlob(event.id), toBlob(event.pubkey), layer).changes === 1
  }

  /** Notes ids that the target listed by NIP-77 in this run. */
  addServed(ids: readonly string[]): void {
    for (const id of ids) this.#insertServed.run(toBlob(id))
  }

  /** Whether the target listed the id by NIP-77 in this run. */
  isServed(id: string): boolean {
    return !this.#isServedDistrusted && this.#findServed.get(toBlob(id)) !== undefined
  }

  /** From now on nothing counts as listed by the target, because it listed events that it does not serve. */
  distrustServed(): void {
    this.#isServedDistrusted = true
  }

  /** Notes that the event was sent; false if it was sent before in this run. */
  markSent(id: string): boolean {
    return this.#insertSent.run(toBlob(id)).changes === 1
  }

  /** Notes that the target serves an older version of this event. */
  markDiffering(id: string): void {
    this.#insertDiffering.run(toBlob(id))
  }

  /** Whether the target was seen to serve an older version of this event. */
  isDiffering(id: string): boolean {
    return this.#findDiffering.get(toBlob(id)) !== undefined
  }

  /** Notes that `author` deleted `reference` (an id, or an address up to `until`). */
  addDeletion(author: string, reference: string, until: number): void {
    this.#insertDeletion.run(toBlob(author), reference, until)
    this.#removalsNoted += 1
  }

  /**
   * The number of deletions and vanish requests noted so far. Results derived from them stay valid while it is
   * unchanged.
   */
  get removalsNoted(): number {
    return this.#removalsNoted
  }

  /** The `created_at` up to which the author deleted this reference; `undefined` if never. */
  deletedUntil(author: string, reference: string): number | undefined {
    return this.#findDeletion.get(toBlob(author), reference)?.until
  }

  /** Notes that `author` asked the target to forget everything up to `until`, inclusive. */
  addVanishRequest(author: string, until: number): void {
    this.#insertVanished.run(toBlob(author), until)
    this.#removalsNoted += 1
  }

  /** The `created_at` up to which the author asked the target to forget everything; `undefined` if never. */
  vanishedUntil(author: string): number | undefined {
    return this.#findVanished.get(toBlob(author))?.until
  }

  /** Notes that `relay` answered to the end for the vanish requests of these authors. */
  markAsked(relay: string, authors: readonly string[]): void {
    for (const author of authors) this.#insertAsked.run(relay, toBlob(author))
  }

  /** Whether `relay` was asked for the vanish requests of the author in this run. */
  isAsked(relay: string, author: string): boolean {
    return this.#findAsked.get(relay, toBlob(author)) !== undefined
  }
}

function toBlob(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
