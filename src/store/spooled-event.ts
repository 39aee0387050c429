import type { NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../report/report.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'

/**
 * The state of an event in the spool: `candidate` fetched, not yet selected · `outside` fetched, outside the window of
 * a backfill · `ready` to be sent · `confirming` the target said OK, not yet proved · `parked` not settled, tried again
 * · `refused` settled, remembered with its reason · `held` settled, remembered because the target holds it but does not
 * serve it.
 */
export type SpoolState = 'candidate' | 'outside' | 'ready' | 'confirming' | 'parked' | 'refused' | 'held'

/** An event in the spool. Times are Unix seconds. */
export type SpooledEvent = {
  readonly event: NostrEvent
  /** The length of its text. */
  readonly size: number
  readonly layer: LayerName
  readonly state: SpoolState
  readonly outcome: Outcome | undefined
  readonly reason: string | undefined
  readonly isOrphan: boolean
  readonly isLate: boolean
  /** The number of runs that ended with an `error:` or an unknown text. */
  readonly errorRuns: number
  readonly parkedAt: UnixSeconds | undefined
  readonly settledAt: UnixSeconds | undefined
  readonly lastOkAt: UnixSeconds | undefined
  /**
   * Earliest time to send it again. For a refused event or one that waits for a parent: its obstacle is gone, and a run
   * that starts later tries it.
   */
  readonly retryAt: UnixSeconds | undefined
  readonly attempts: number
  readonly software: string | undefined
  /** The missing parent, an address or an id; `undefined` if there is none or it is unknown. */
  readonly obstacle: string | undefined
  /** The address of its repository, as far as selection knew it. */
  readonly repository: string | undefined
}

/** The columns of a `spool` row that are read. */
export type SpoolRow = {
  id: Buffer
  created_at: number
  stage: number
  level: number
  layer: LayerName
  json: string
  state: SpoolState
  outcome: Outcome | null
  reason: string | null
  orphan: number
  late: number
  error_runs: number
  parked_at: number | null
  settled_at: number | null
  last_ok_at: number | null
  retry_at: number | null
  attempts: number
  software: string | null
  obstacle: string | null
  repository: string | null
}

/** The columns of `SpoolRow`. The others serve only as conditions; reading them costs time. */
export const SPOOL_COLUMNS = `id, created_at, stage, level, layer, json, state, outcome, reason, orphan, late, error_runs, parked_at, settled_at,
  last_ok_at, retry_at, attempts, software, obstacle, repository`

/** Where the columns of `SpoolRow` are. CROSS JOIN: a row is found first, then its text. */
export const SPOOL_ROWS = 'spool CROSS JOIN spool_text USING (number)'

/** A newly fetched event; `size` is the length of its text. */
export function newcomer(event: NostrEvent, size: number, layer: LayerName): SpooledEvent {
  return {
    event,
    size,
    layer,
    state: 'candidate',
    outcome: undefined,
    reason: undefined,
    isOrphan: false,
    isLate: false,
    errorRuns: 0,
    parkedAt: undefined,
    settledAt: undefined,
    lastOkAt: undefined,
    retryAt: undefined,
    attempts: 0,
    software: undefined,
    obstacle: undefined,
    repository: undefined,
  }
}

/** Parses a row. */
export function fromRow(row: SpoolRow): SpooledEvent {
  return {
    event: JSON.parse(row.json) as NostrEvent,
    size: row.json.length,
    layer: row.layer,
    state: row.state,
    outcome: row.outcome ?? undefined,
    reason: row.reason ?? undefined,
    isOrphan: row.orphan === 1,
    isLate: row.late === 1,
    errorRuns: row.error_runs,
    parkedAt: row.parked_at ?? undefined,
    settledAt: row.settled_at ?? undefined,
    lastOkAt: row.last_ok_at ?? undefined,
    retryAt: row.retry_at ?? undefined,
    attempts: row.attempts,
    software: row.software ?? undefined,
    obstacle: row.obstacle ?? undefined,
    repository: row.repository ?? undefined,
  }
}

/** An id or public key as stored: 32 bytes. */
export function toBlob(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
