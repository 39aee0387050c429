import type { UnixSeconds } from '../time.ts'
import type { SettledTally } from './settled-tally.ts'
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

/**
 * How many of the counted events were signed within one hour, and when the first and the last of them. There are at
 * most 45,000: of more hours, those far from the run are put together, under the farthest of them.
 */
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
  UNION ALL SELECT repository, 0, sent, 0, refused, 0, 0 FROM temp.settled_repository)
GROUP BY repository`

/** Every hour of four and a half years, so that a run without invented times shows each. */
const MOST_HOURS = 40_000

/** What the target lacks as `check` counts it: not what it took and holds back, nor what it refused for good. */
const HOURS_OF_MISSING = `
SELECT created_at - created_at % 3600 AS hour, count(*) AS events, min(created_at) AS first, max(created_at) AS last
FROM spool WHERE target = @target AND (state = 'ready' OR (state = 'parked' AND outcome <> 'pending'))
GROUP BY 1`

const HOURS_OF_HIT = `
SELECT hour, sum(events) AS events, min(first) AS first, max(last) AS last FROM (
  SELECT created_at - created_at % 3600 AS hour, 1 AS events, created_at AS first, created_at AS last
  FROM spool WHERE target = @target
    AND (state = 'ready' OR (state = 'parked' AND (outcome <> 'pending' OR parked_at >= @since)) OR ${REFUSED_NOW})
  UNION ALL SELECT hour, events, first, last FROM temp.settled_hour)
GROUP BY hour`

/**
 * Authors choose the times, up to 2^53. The hours nearest to the run stay as they are; others become about 2,700
 * stretches: of 30 days while the time has 32 bits, and of 285,000 years beyond.
 */
const boundedHours = (hours: string): string => `
SELECT CASE WHEN min(hour) < @since THEN min(hour) ELSE max(hour) END AS hour, sum(events) AS events, min(first) AS first, max(last) AS last FROM (
  SELECT *, row_number() OVER (ORDER BY abs(hour - @since)) > ${MOST_HOURS} AS isFar FROM (${hours}))
GROUP BY isFar, CASE WHEN NOT isFar THEN hour WHEN hour < 4294967296 THEN hour / 2592000 ELSE -1 - hour / 9000000000000 END
ORDER BY 1`

/** Counts what became of events, by repository and by time. SQLite groups them on disk, not in memory. */
export class AffectedRows {
  readonly #db: Db
  readonly #target: string
  readonly #settled: SettledTally

  constructor(db: Db, target: string, settled: SettledTally) {
    this.#db = db
    this.#target = target
    this.#settled = settled
  }

  /** The repositories hit in a run that began at `since`, at most `limit`: those with something left to do first. */
  repositories(since: UnixSeconds, limit: number): AffectedRow[] {
    this.#settled.save()
    const order = 'sum(ready + waiting + pending) > 0 DESC, sum(ready + sent + waiting + refused + pending) DESC'
    const sql = `${REPOSITORIES} ORDER BY ${order}, repository LIMIT @limit`
    return this.#db.prepare(sql).all({ target: this.#target, since, limit }) as AffectedRow[]
  }

  /** How many repositories were hit in a run that began at `since`. */
  countRepositories(since: UnixSeconds): number {
    this.#settled.save()
    const row = this.#db
      .prepare(`SELECT count(*) AS n FROM (${REPOSITORIES})`)
      .get({ target: this.#target, since }) as { n: number }
    return row.n
  }

  /** When the events that the target lacked were signed, in order of time. */
  hours(since: UnixSeconds): HourRow[] {
    this.#settled.save()
    return this.#db.prepare(boundedHours(HOURS_OF_HIT)).all({ target: this.#target, since }) as HourRow[]
  }
  /** When the events were signed that the target lacks now, in order of time. */
  hoursOfMissing(since: UnixSeconds): HourRow[] {
    return this.#db.prepare(boundedHours(HOURS_OF_MISSING)).all({ target: this.#target, since }) as HourRow[]
  }
}
