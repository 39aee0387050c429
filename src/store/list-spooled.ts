import { nextTryAt } from '../checkpoint/next-try.ts'
import type { Outcome } from '../report/report.ts'
import type { LayerName } from '../layer-name.ts'
import type { ParkedEvent, RefusedEvent } from '../report/status.ts'
import { keysOf, openKnownState } from './open-known-state.ts'
import type { Db } from './state-file.ts'
import { readStateKey, type WantedState } from './state-key.ts'

type Row = {
  readonly target: string
  readonly id: string
  readonly kind: number
  readonly address: string | null
  readonly layer: LayerName
  readonly outcome: Outcome
  readonly reason: string | null
  readonly obstacle: string | null
  readonly attempts: number
  readonly sources: string
  readonly parked_at: number
  readonly settled_at: number
  readonly last_ok_at: number | null
  readonly retry_at: number | null
  readonly software: string | null
  readonly repository: string | null
}

/**
 * Opens the state file, passes lists of its events to `work`, and closes the file. Throws SyncError when the file is
 * missing, and UsageError when it does not know the target.
 */
export async function listSpooled(
  stateFile: string,
  wanted: WantedState | undefined,
  work: (lists: { parked: Iterable<ParkedEvent>; refused: Iterable<RefusedEvent> }) => Promise<void>,
): Promise<void> {
  const db = openKnownState(stateFile)
  try {
    const keys = keysOf(db, stateFile, wanted)
    await work({ parked: listParked(db, keys), refused: listRefused(db, keys) })
  } finally {
    db.close()
  }
}

function* listParked(db: Db, keys: readonly string[]): Generator<ParkedEvent> {
  for (const row of rowsIn(db, 'parked', keys)) {
    const [lastOkAt, retryAt] = [row.last_ok_at ?? undefined, row.retry_at ?? undefined]
    const next = nextTryAt({ outcome: row.outcome, lastOkAt, retryAt }) ?? null
    yield { ...common(row), parkedAt: row.parked_at, nextTryAt: next }
  }
}

function* listRefused(db: Db, keys: readonly string[]): Generator<RefusedEvent> {
  for (const row of rowsIn(db, 'refused', keys)) {
    yield { ...common(row), refusedAt: row.settled_at, software: row.software }
  }
}

function common({ target, id, kind, address, layer, outcome, reason, obstacle, attempts, sources, repository }: Row) {
  return {
    ...readStateKey(target),
    id,
    kind,
    repository,
    address,
    layer,
    outcome,
    reason: reason ?? '',
    obstacle,
    attempts,
    sources: [sources],
  }
}

/**
 * Yields rows by outcome and reason, the longest waiting first. SQLite sorts on disk, so memory does not grow, and a run
 * may write meanwhile: readers see the file as it was when they began.
 */
function rowsIn(db: Db, state: 'parked' | 'refused', keys: readonly string[]): IterableIterator<Row> {
  return db
    .prepare<[{ state: string; keys: string }], Row>(
      `SELECT target, lower(hex(id)) AS id, kind, address, repository, layer, outcome, reason, obstacle, attempts, sources,
         parked_at, settled_at, last_ok_at, retry_at, software
       FROM spool WHERE state = @state AND target IN (SELECT value FROM json_each(@keys))
       ORDER BY target, outcome, reason, coalesce(settled_at, parked_at), rowid`,
    )
    .iterate({ state, keys: JSON.stringify(keys) })
}
