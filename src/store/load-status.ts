import { existsSync } from 'node:fs'
import { SyncError } from '../errors.ts'
import { keptUntil, nextTryAt } from '../checkpoint/next-try.ts'
import type { Outcome } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type {
  CheckpointStatus,
  ParkedStatus,
  RefusedStatus,
  RunStatus,
  Status,
  TargetStatus,
} from '../report/status.ts'
import { findLockHolder } from './lock.ts'
import { openStateFile, type Db } from './state-file.ts'

/** Loads the state of one target, or of all. Throws SyncError when the file is missing or unreadable. */
export function loadStatus(stateFile: string, target: string | undefined): Status {
  if (!existsSync(stateFile)) {
    throw new SyncError(`read state ${stateFile}: no such file`, {
      hint: 'it is made by the first run; name another with --state',
    })
  }
  const db = openStateFile(stateFile)
  try {
    const targets = target === undefined ? knownTargets(db) : [target]
    return { version: 1, stateFile, targets: targets.map((name) => loadTarget(db, stateFile, name)) }
  } finally {
    db.close()
  }
}

function knownTargets(db: Db): string[] {
  const rows = db
    .prepare('SELECT target FROM run UNION SELECT target FROM coverage UNION SELECT target FROM spool')
    .all()
  return rows.map((row) => (row as { target: string }).target)
}

function loadTarget(db: Db, stateFile: string, target: string): TargetStatus {
  return {
    target,
    coverage: db.prepare(COVERAGE).all(target) as CheckpointStatus[],
    parked: (db.prepare(PARKED).all(target) as ParkedRow[]).map(toParkedStatus),
    refused: db.prepare(REFUSED).all(target) as RefusedStatus[],
    runs: db.prepare(RUNS).all(target) as RunStatus[],
    lock: findLockHolder(stateFile, target) ?? null,
  }
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
  coalesce(parked, 0) AS parked
FROM run WHERE target = ? ORDER BY number DESC LIMIT 10`
