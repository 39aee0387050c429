import { keptUntil, nextTryAt } from '../checkpoint/next-try.ts'
import type { Outcome } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type {
  CheckpointStatus,
  ParkedStatus,
  RefusedStatus,
  RepositoryStatus,
  RunStatus,
  SourceStatus,
  Status,
  TargetStatus,
} from '../report/status.ts'
import { findLockHolder } from './lock.ts'
import { keysOf, openKnownState } from './open-known-state.ts'
import type { Db } from './state-file.ts'
import { readStateKey, type WantedState } from './state-key.ts'
import { WaitingRows } from './waiting-rows.ts'

/** Strangers may name as many repositories as they like. */
const MAX_REPOSITORIES = 10_000

/**
 * Loads the state of one target, with its shards or of one of them, or of all targets. Throws SyncError when the file is
 * missing or unreadable, and UsageError when it does not know the target.
 */
export function loadStatus(stateFile: string, wanted: WantedState | undefined): Status {
  const db = openKnownState(stateFile)
  try {
    const keys = keysOf(db, stateFile, wanted)
    return { version: 1, stateFile, targets: keys.map((key) => loadTarget(db, stateFile, key)) }
  } finally {
    db.close()
  }
}

function loadTarget(db: Db, stateFile: string, key: string): TargetStatus {
  return {
    ...readStateKey(key),
    sources: db.prepare(SOURCES).all(key) as SourceStatus[],
    coverage: db.prepare(COVERAGE).all(key) as CheckpointStatus[],
    parked: (db.prepare(PARKED).all(key) as ParkedRow[]).map(toParkedStatus),
    refused: db.prepare(REFUSED).all(key) as RefusedStatus[],
    ...loadRepositories(db, key),
    runs: db.prepare(RUNS).all(key) as RunStatus[],
    lock: findLockHolder(stateFile, key) ?? null,
  }
}

function loadRepositories(db: Db, target: string): Pick<TargetStatus, 'repositories' | 'repositoriesLeftOut'> {
  const waits = new WaitingRows(db, target)
  const rows = db.prepare(REPOSITORIES).all({ target, limit: MAX_REPOSITORIES + 1 }) as Omit<RepositoryStatus, 'name'>[]
  const listed = rows.slice(0, MAX_REPOSITORIES)
  const repositories = listed.map(({ repository, ...counts }) => {
    return { repository, name: repository === null ? null : waits.nameAt(repository), ...counts }
  })
  const isCut = rows.length > MAX_REPOSITORIES
  const all = isCut ? (db.prepare(REPOSITORY_COUNT).get({ target, limit: -1 }) as { n: number }).n : rows.length
  return { repositories, repositoriesLeftOut: all - repositories.length }
}

type ParkedRow = Omit<ParkedStatus, 'nextTryAt' | 'keptUntil' | 'obstacle'> & {
  readonly outcome: Outcome
  readonly retryAt: UnixSeconds | null
  readonly lastOkAt: UnixSeconds | null
  readonly obstacle: string | null
  readonly obstacles: number
}

function toParkedStatus({ retryAt, lastOkAt, obstacle, obstacles, ...row }: ParkedRow): ParkedStatus {
  const next = nextTryAt({ outcome: row.outcome, retryAt: retryAt ?? undefined, lastOkAt: lastOkAt ?? undefined })
  const isKept = lastOkAt !== null && row.outcome === 'pending' && row.reason.includes('purgatory')
  return {
    ...row,
    nextTryAt: next ?? null,
    keptUntil: isKept ? keptUntil(lastOkAt) : null,
    obstacle: obstacles === 1 ? obstacle : null,
  }
}

const SOURCES = `
SELECT source, state, reason, since, asked_at AS askedAt, drained_at AS drainedAt FROM source
WHERE target = ? ORDER BY state = 'drained', since, source`

const REPOSITORIES = `
SELECT repository, sum(state = 'parked' AND outcome <> 'pending') AS waiting, sum(state = 'refused') AS refused,
  sum(state = 'parked' AND outcome = 'pending') AS pending
FROM spool WHERE target = @target AND state IN ('parked', 'refused') GROUP BY repository
ORDER BY sum(state = 'parked') DESC, count(*) DESC, repository LIMIT @limit`

const REPOSITORY_COUNT = `SELECT count(*) AS n FROM (${REPOSITORIES})`

const COVERAGE = `
SELECT source, layer, count(*) AS anchors, min(drained_at) AS oldestDrainedAt, max(drained_at) AS newestDrainedAt,
  min(full_at) AS oldestFullAt
FROM coverage WHERE target = ? GROUP BY source, layer ORDER BY source, layer`

const PARKED = `
SELECT outcome, coalesce(reason, '') AS reason, count(*) AS count, min(parked_at) AS oldestAt,
  min(retry_at) AS retryAt, min(last_ok_at) AS lastOkAt, min(obstacle) AS obstacle, count(DISTINCT obstacle) AS obstacles,
  lower(hex(min(id))) AS example, max(attempts) AS attempts
FROM spool WHERE target = ? AND state = 'parked' GROUP BY outcome, reason ORDER BY count(*) DESC, outcome, reason`

const REFUSED = `
SELECT outcome, coalesce(reason, '') AS reason, count(*) AS count, software, lower(hex(min(id))) AS example
FROM spool WHERE target = ? AND state IN ('refused', 'held') GROUP BY outcome, reason, software ORDER BY count(*) DESC, reason`

const RUNS = `
SELECT started_at AS startedAt, duration_ms AS durationMs, command, exit, coalesce(published, 0) AS published,
  coalesce(parked, 0) AS parked, reason
FROM run WHERE target = ? ORDER BY number DESC LIMIT 10`
