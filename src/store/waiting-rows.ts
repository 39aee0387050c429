import type { Statement } from 'better-sqlite3'
import type { NostrEvent } from '../nostr/event.ts'
import type { UnixSeconds } from '../time.ts'
import { fromRow, SPOOL_COLUMNS, toBlob, type SpooledEvent, type SpoolRow } from './spooled-event.ts'
import type { Db } from './state-file.ts'

/** `30617:` or `30618:`, a public key and a colon stand before an identifier. */
const IDENTIFIER = 'substr(address, 72)'

/** Who is refused until a repository admits them (ngit-grasp, ngit-relay, ours); the words of the relay are in front or behind. */
const NOT_ADMITTED = [
  'author not authorized',
  'no announcement exists',
  'must list service in both',
  'its parent is at no',
]
const IS_NOT_ADMITTED = NOT_ADMITTED.map((text) => `reason LIKE '%${text}%'`).join(' OR ')

/** What the spool knows of events that wait for others: questions and marks beside their way through the stages. */
export class WaitingRows {
  readonly #db: Db
  readonly #target: string
  readonly #explain: Statement<[reason: string, obstacle: string, target: string, id: Buffer]>

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
    this.#explain = db.prepare('UPDATE spool SET reason = ?, obstacle = ? WHERE target = ? AND id = ?')
  }

  /** Says why an event waits now, and for which parent. */
  explain(id: string, reason: string, obstacle: string): void {
    this.#explain.run(reason, obstacle, this.#target, toBlob(id))
  }

  /** Announcements and states of these identifiers that the target holds back until git data arrives. */
  heldBack(identifiers: readonly string[]): SpooledEvent[] {
    if (identifiers.length === 0) return []
    const rows = this.#db
      .prepare<[string, string], SpoolRow>(
        `SELECT ${SPOOL_COLUMNS} FROM spool WHERE target = ? AND state = 'parked' AND outcome = 'pending'
         AND kind IN (30617, 30618) AND ${IDENTIFIER} IN (SELECT value FROM json_each(?))`,
      )
      .all(this.#target, JSON.stringify(identifiers))
    return rows.map(fromRow)
  }

  /** Everything that the target said to hold back until git data arrives. Nothing may be written meanwhile. */
  *inPurgatory(): Generator<SpooledEvent> {
    const rows = this.#db
      .prepare<[string], SpoolRow>(
        `SELECT ${SPOOL_COLUMNS} FROM spool WHERE target = ? AND state = 'parked' AND outcome = 'pending'
         AND reason LIKE '%purgatory%'`,
      )
      .iterate(this.#target)
    for (const row of rows) yield fromRow(row)
  }

  /** How many events wait, by the parent that stands in their way. */
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

  /** The profiles and relay lists (kinds 0 and 10002) of these authors that were refused for want of an event of theirs are tried by the next run. */
  reopenProfiles(authors: readonly string[], now: UnixSeconds): void {
    if (authors.length === 0) return
    this.#db
      .prepare(
        `UPDATE spool SET retry_at = ? WHERE target = ? AND kind IN (0, 10002) AND state = 'refused'
         AND pubkey IN (SELECT unhex(value) FROM json_each(?)) AND reason LIKE '%author must participate%'`,
      )
      .run(now, this.#target, JSON.stringify(authors))
  }

  /**
   * An announcement of each of these identifiers came: announcements and states of others that were not admitted in runs
   * before `now` are tried at once. What this run sent itself came after the announcement.
   */
  reopenMembers(identifiers: readonly string[], now: UnixSeconds): void {
    if (identifiers.length === 0) return
    this.#db
      .prepare(
        `UPDATE spool SET retry_at = 0 WHERE target = @target AND kind IN (30617, 30618)
         AND ((state = 'parked' AND orphan = 1 AND parked_at < @now) OR
              (state = 'refused' AND settled_at < @now AND (${IS_NOT_ADMITTED})))
         AND ${IDENTIFIER} IN (SELECT value FROM json_each(@identifiers))`,
      )
      .run({ target: this.#target, now, identifiers: JSON.stringify(identifiers) })
  }
}
