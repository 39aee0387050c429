import { parseAddress } from '../nostr/address.ts'
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

/** What a row says of an event without its text; of the tags, only what makes the address. */
export type EventHead = Pick<NostrEvent, 'id' | 'pubkey' | 'created_at' | 'kind' | 'tags'>

/** An event in the spool. */
export type SpooledEvent = SpooledHead & { readonly event: NostrEvent }

/** A row that was read without its text, which has the same `number`. */
export type NumberedHead = SpooledHead & { readonly number: number }

/** The row of an event in the spool. Times are Unix seconds. */
export type SpooledHead = {
  readonly event: EventHead
  /** The length of its text; 0 when that was not read. */
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

/** The columns of an event with its text that are read, as `SPOOL_COLUMNS` lists them: rows are read raw. */
export type SpoolRow = readonly [json: string, ...standing: Standing]

/** The columns without the text, as `HEAD_COLUMNS` lists them. */
export type HeadRow = readonly [
  id: string,
  ...standing: Standing,
  pubkey: string,
  createdAt: UnixSeconds,
  kind: number,
  address: string | null,
  number: number,
]

type Standing = readonly [
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

const STANDING = `stage, level, layer, state, outcome, reason, orphan, late, error_runs, parked_at, settled_at, last_ok_at,
  retry_at, attempts, software, obstacle, repository`

/** The columns of `SpoolRow`. The text has the id and the date as well. */
export const SPOOL_COLUMNS = `json, ${STANDING}`

/** The columns of `HeadRow`. Text costs less to read than a blob. */
export const HEAD_COLUMNS = `lower(hex(id)), ${STANDING}, lower(hex(pubkey)), created_at, kind, address, number`

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

/** Parses a row with its text. */
export function fromRow(row: SpoolRow): SpooledEvent {
  return toSpooled(JSON.parse(row[0]) as NostrEvent, row[0].length, row)
}

/** Parses a row without its text. */
export function fromHeadRow(row: HeadRow): NumberedHead {
  const address = row[21] === null ? undefined : parseAddress(row[21])
  const tags = address === undefined ? [] : [['d', address.d]]
  const event = { id: row[0], pubkey: row[18], created_at: row[19], kind: row[20], tags }
  return Object.assign(toSpooled(event, 0, row), { number: row[22] })
}

/** One literal: to spread the fields that both have would cost as much as to read the row. */
function toSpooled<E extends EventHead>(event: E, size: number, row: SpoolRow | HeadRow): SpooledHead & { event: E } {
  return {
    event,
    size,
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
