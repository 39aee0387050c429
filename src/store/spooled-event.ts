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

/** The columns of a `spool` row that are read, as `SPOOL_COLUMNS` lists them: rows are read raw. */
export type SpoolRow = readonly [
  json: string,
  stage: number,
  level: number,
  layer: LayerName,
  state: SpoolState,
  outcome: Outcome | null,
  reason: string | null,
  orphan: number,
  late: number,
  errorRuns: number,
  parkedAt: number | null,
  settledAt: number | null,
  lastOkAt: number | null,
  retryAt: number | null,
  attempts: number,
  software: string | null,
  obstacle: string | null,
  repository: string | null,
]

/** The columns of `SpoolRow`. The text has the id and the date as well. */
export const SPOOL_COLUMNS = `json, stage, level, layer, state, outcome, reason, orphan, late, error_runs, parked_at, settled_at, last_ok_at,
  retry_at, attempts, software, obstacle, repository`

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
    event: JSON.parse(row[0]) as NostrEvent,
    size: row[0].length,
    layer: row[3],
    state: row[4],
    outcome: row[5] ?? undefined,
    reason: row[6] ?? undefined,
    isOrphan: row[7] === 1,
    isLate: row[8] === 1,
    errorRuns: row[9],
    parkedAt: row[10] ?? undefined,
    settledAt: row[11] ?? undefined,
    lastOkAt: row[12] ?? undefined,
    retryAt: row[13] ?? undefined,
    attempts: row[14],
    software: row[15] ?? undefined,
    obstacle: row[16] ?? undefined,
    repository: row[17] ?? undefined,
  }
}

/** An id or public key as stored: 32 bytes. */
export function toBlob(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
