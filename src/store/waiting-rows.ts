import { tagValues, type NostrEvent } from '../nostr/event.ts'
import type { UnixSeconds } from '../time.ts'
import { fromRow, SPOOL_COLUMNS, SPOOL_ROWS, type SpooledEvent, type SpoolRow } from './spooled-event.ts'
import type { Db } from './state-file.ts'

/** The identifier follows `30617:` or `30618:`, a public key and a colon. */
const IDENTIFIER = 'substr(address, 72)'
const NAME_LENGTH = 200
const NONE = { events: 0, repositories: 0 }

/** Queries for events in the spool that wait for others. */
export class WaitingRows {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Announcements and states of these identifiers that the target holds back until git data arrives. */
  heldBack(identifiers: readonly string[]): SpooledEvent[] {
    if (identifiers.length === 0) return []
    const rows = this.#db
      .prepare<[string, string]>(
        `SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND state = 'parked' AND outcome = 'pending'
         AND kind IN (30617, 30618) AND ${IDENTIFIER} IN (SELECT value FROM json_each(?))`,
      )
      .raw<SpoolRow>()
      .all(this.#target, JSON.stringify(identifiers))
    return rows.map(fromRow)
  }

  /** Yields every event that the target accepted but does not serve yet. Do not write while iterating. */
  *pending(): Generator<SpooledEvent> {
    const rows = this.#db
      .prepare<[string]>(
        `SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND state = 'parked' AND outcome = 'pending'`,
      )
      .raw<SpoolRow>()
      .iterate(this.#target)
    for (const row of rows) yield fromRow(row)
  }

  /**
   * How many events wait for git data, or for a time up to `until`, and of how many repositories. Those that wait for
   * a parent do not count.
   */
  countWaiting(until: UnixSeconds): { events: number; repositories: number } {
    const sql = `SELECT count(*) AS events, count(DISTINCT repository) AS repositories FROM spool
      WHERE target = ? AND state = 'parked' AND orphan = 0 AND (outcome = 'pending' OR retry_at <= ?)`
    return (
      this.#db.prepare<[string, number], { events: number; repositories: number }>(sql).get(this.#target, until) ?? NONE
    )
  }

  /** How many events wait for a parent. */
  countOrphans(): number {
    const sql = `SELECT count(*) AS n FROM spool WHERE target = ? AND state = 'parked' AND orphan = 1`
    return this.#db.prepare<[string], { n: number }>(sql).get(this.#target)?.n ?? 0
  }

  /** The number of waiting events by the parent that they lack. */
  countByObstacle(): Map<string, number> {
    const rows = this.#db
      .prepare<[string], { obstacle: string; n: number }>(
        `SELECT obstacle, count(*) AS n FROM spool WHERE target = ? AND state = 'parked' AND obstacle IS NOT NULL GROUP BY obstacle`,
      )
      .all(this.#target)
    return new Map(rows.map(({ obstacle, n }) => [obstacle, n]))
  }

  /** The newest announcement known at an address, in outline. */
  announcementAt(address: string): NostrEvent | undefined {
    const row = this.#db
      .prepare<[string, string], { json: string }>('SELECT json FROM announcement WHERE target = ? AND address = ?')
      .get(this.#target, address)
    return row === undefined ? undefined : (JSON.parse(row.json) as NostrEvent)
  }

  /** The name in the newest announcement known at an address, unescaped and cut; null if it has none. */
  nameAt(address: string): string | null {
    const announcement = this.announcementAt(address)
    const name = announcement === undefined ? undefined : tagValues(announcement, 'name')[0]
    return name === undefined || name === '' ? null : name.slice(0, NAME_LENGTH)
  }

  /** Refused profiles and relay lists (kinds 0 and 10002) of these authors. */
  refusedProfiles(authors: readonly string[]): SpooledEvent[] {
    if (authors.length === 0) return []
    const rows = this.#db
      .prepare<[string, string]>(
        `SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND kind IN (0, 10002) AND state = 'refused'
         AND pubkey IN (SELECT unhex(value) FROM json_each(?))`,
      )
      .raw<SpoolRow>()
      .all(this.#target, JSON.stringify(authors))
    return rows.map(fromRow)
  }

  /**
   * Announcements and states of these identifiers that were refused before `now`, or have waited for a parent since
   * before `now`.
   */
  notAdmitted(identifiers: readonly string[], now: UnixSeconds): SpooledEvent[] {
    if (identifiers.length === 0) return []
    const rows = this.#db
      .prepare<[Record<string, unknown>]>(
        `SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = @target AND kind IN (30617, 30618)
         AND ((state = 'parked' AND orphan = 1 AND parked_at < @now) OR (state = 'refused' AND settled_at < @now))
         AND ${IDENTIFIER} IN (SELECT value FROM json_each(@identifiers))`,
      )
      .raw<SpoolRow>()
      .all({ target: this.#target, now, identifiers: JSON.stringify(identifiers) })
    return rows.map(fromRow)
  }
}
