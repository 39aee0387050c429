import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** What became of the events of one repository; `repository` null: they name no known one. */
export type AffectedRow = {
  readonly repository: string | null
  readonly ready: number
  readonly sent: number
  readonly waiting: number
  readonly refused: number
  readonly pending: number
  /** Of `pending`: those that were parked in this run. */
  readonly newlyPending: number
}

/** How many of the counted events were signed within one hour, and when the first and the last of them. */
export type HourRow = {
  readonly hour: UnixSeconds
  readonly events: number
  readonly first: UnixSeconds
  readonly last: UnixSeconds
}

/** Refused in this run; what another version replaced is no loss. */
const REFUSED_NOW = `state = 'refused' AND settled_at >= @since AND outcome NOT IN ('superseded', 'duplicate')`

const REPOSITORIES = `
SELECT nullif(repository, '') AS repository, sum(ready) AS ready, sum(sent) AS sent, sum(waiting) AS waiting,
  sum(refused) AS refused, sum(pending) AS pending, sum(newly) AS newlyPending
FROM (
  SELECT coalesce(repository, '') AS repository, state = 'ready' AS ready, 0 AS sent,
    state = 'parked' AND outcome <> 'pending' AS waiting, state = 'refused' AS refused,
    state = 'parked' AND outcome = 'pending' AS pending,
    state = 'parked' AND outcome = 'pending' AND parked_at >= @since AS newly
  FROM spool WHERE target = @target AND (state IN ('ready', 'parked') OR ${REFUSED_NOW})
  UNION ALL SELECT repository, 0, sent, 0, refused, 0, 0 FROM temp.settled)
GROUP BY repository`

const HOURS = `
SELECT hour, sum(events) AS events, min(first) AS first, max(last) AS last FROM (
  SELECT created_at - created_at % 3600 AS hour, 1 AS events, created_at AS first, created_at AS last
  FROM spool WHERE target = @target
    AND (state = 'ready' OR (state = 'parked' AND (outcome <> 'pending' OR parked_at >= @since)) OR ${REFUSED_NOW})
  UNION ALL SELECT hour, sent + refused, first, last FROM temp.settled)
GROUP BY hour ORDER BY hour`

/** Counts what became of events, by repository and by time. SQLite groups them on disk, not in memory. */
export class AffectedRows {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** The repositories hit in a run that began at `since`, at most `limit`: those with something left to do first. */
  repositories(since: UnixSeconds, limit: number): AffectedRow[] {
    const order = 'sum(ready + waiting + pending) > 0 DESC, sum(ready + sent + waiting + refused + pending) DESC'
    const sql = `${REPOSITORIES} ORDER BY ${order}, repository LIMIT @limit`
    return this.#db.prepare(sql).all({ target: this.#target, since, limit }) as AffectedRow[]
  }

  /** How many repositories were hit in a run that began at `since`. */
  countRepositories(since: UnixSeconds): number {
    const row = this.#db
      .prepare(`SELECT count(*) AS n FROM (${REPOSITORIES})`)
      .get({ target: this.#target, since }) as { n: number }
    return row.n
  }

  /** When the events that the target lacked were signed, in order of time. */
  hours(since: UnixSeconds): HourRow[] {
    return this.#db.prepare(HOURS).all({ target: this.#target, since }) as HourRow[]
  }
}
