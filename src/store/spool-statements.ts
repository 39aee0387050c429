import type { Statement } from '../database.ts'
import type { LayerName } from '../layer-name.ts'
import type { Outcome } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import {
  HEAD_COLUMNS,
  SPOOL_COLUMNS,
  SPOOL_ROWS,
  type HeadRow,
  type SpoolRow,
  type SpoolState,
} from './spooled-event.ts'
import type { Db } from './state-file.ts'

/**
 * Events whose last parents have the level below `@level`. A link gets its level (the lowest that the child may have)
 * once its parent has one.
 */
const FREE_CHILDREN = `SELECT child FROM temp.link l WHERE level = @level
  AND NOT EXISTS (SELECT 1 FROM temp.link o WHERE o.child = l.child AND o.level IS NULL)`

/** The rows in a state that follow one, in publishing order. */
const FOLLOWING = `target = @target AND state = @state AND (stage, level, created_at, id) > (@stage, @level, @createdAt, @id)
  ORDER BY stage, level, created_at, id LIMIT @size`

/** Events of one stage and level may be sent side by side. */
export type Step = { readonly stage: number; readonly level: number }

type NewColumns = [
  target: string,
  id: Buffer,
  layer: LayerName,
  kind: number,
  pubkey: Buffer,
  address: string | null,
  createdAt: UnixSeconds,
  source: string,
  state: SpoolState,
  late: 0 | 1,
]

type ChangedColumns = [
  state: SpoolState,
  outcome: Outcome | null,
  reason: string | null,
  orphan: 0 | 1,
  errors: 0 | 1,
  attempts: 0 | 1,
  parkedAt: UnixSeconds | null,
  settledAt: UnixSeconds | null,
  lastOkAt: UnixSeconds | null,
  retryAt: UnixSeconds | null,
  software: string | null,
  obstacle: string | null,
  target: string,
  id: Buffer,
]

/**
 * Statements that run once per event or piece. Preparing costs more than running, so they are prepared once. Names of
 * parameters are looked up each time, so what runs for each event has its parameters by position.
 */
export type SpoolStatements = {
  readonly pages: Statement<[], readonly [count: number]>
  readonly freePages: Statement<[], readonly [count: number]>
  readonly pageBytes: number
  readonly find: Statement<[target: string, id: Buffer], SpoolRow>
  readonly isIn: Statement<[target: string, id: Buffer, state: SpoolState], { found: 1 }>
  readonly versions: Statement<[target: string, address: string], SpoolRow>
  readonly page: Statement<[Record<string, unknown>], SpoolRow>
  readonly headPage: Statement<[Record<string, unknown>], HeadRow>
  readonly texts: Statement<[numbers: string], readonly [json: string]>
  readonly firstStep: Statement<[target: string], Step>
  readonly insert: Statement<NewColumns>
  readonly insertText: Statement<[number: number | bigint, json: string]>
  readonly makeReady: Statement<[stage: number, repository: string | null, target: string, id: Buffer]>
  readonly assign: Statement<[repository: string, target: string, id: Buffer]>
  readonly reopen: Statement<[{ target: string; now: UnixSeconds; id: Buffer; orphan: number }]>
  readonly link: Statement<[target: string]>
  readonly begin: Statement<[]>
  readonly raise: Statement<[{ target: string; level: number }]>
  readonly mark: Statement<[{ level: number }]>
  readonly change: Statement<ChangedColumns>
  readonly explain: Statement<[reason: string, obstacle: string, target: string, id: Buffer]>
  readonly tryAgain: Statement<[from: UnixSeconds, target: string, id: Buffer]>
  readonly remove: Statement<[target: string, id: Buffer]>
}

export function prepareSpoolStatements(db: Db): SpoolStatements {
  return {
    // The statements, not the table-valued functions, which are set up anew each time.
    pages: db.prepare<[]>('PRAGMA page_count').raw(),
    freePages: db.prepare<[]>('PRAGMA freelist_count').raw(),
    pageBytes: Number(db.pragma('page_size', { simple: true })),
    find: db.prepare<[string, Buffer]>(`SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND id = ?`).raw(),
    isIn: db.prepare('SELECT 1 AS found FROM spool WHERE target = ? AND id = ? AND state = ?'),
    versions: db
      .prepare<[string, string]>(`SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND address = ?`)
      .raw(),
    page: db.prepare<[Record<string, unknown>]>(`SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE ${FOLLOWING}`).raw(),
    headPage: db.prepare<[Record<string, unknown>]>(`SELECT ${HEAD_COLUMNS} FROM spool WHERE ${FOLLOWING}`).raw(),
    texts: db
      .prepare<[string]>('SELECT x.json FROM json_each(?) n CROSS JOIN spool_text x ON x.number = n.value')
      .raw(),
    firstStep: db.prepare(
      `SELECT stage, level FROM spool WHERE target = ? AND state = 'ready' ORDER BY stage, level LIMIT 1`,
    ),
    insert: db.prepare(
      `INSERT INTO spool (target, id, layer, kind, pubkey, address, created_at, sources, state, late)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertText: db.prepare('INSERT INTO spool_text (number, json) VALUES (?, ?)'),
    makeReady: db.prepare(
      `UPDATE spool SET state = 'ready', stage = ?, level = 0, repository = coalesce(?, repository)
       WHERE target = ? AND id = ?`,
    ),
    assign: db.prepare('UPDATE spool SET repository = ? WHERE target = ? AND id = ?'),
    reopen: db.prepare(
      `UPDATE spool SET state = 'parked', outcome = 'waiting', orphan = @orphan, parked_at = @now, settled_at = NULL, retry_at = NULL, error_runs = 0
       WHERE target = @target AND id = @id`,
    ),
    // CROSS JOIN fixes the order of the loops; without statistics SQLite would compare every event with every other.
    link: db.prepare(
      `INSERT OR IGNORE INTO temp.link (child, parent)
       SELECT c.id, p.id FROM spool c CROSS JOIN spool_text x ON x.number = c.number
       CROSS JOIN json_each(x.json, '$.tags') t
       CROSS JOIN spool p ON p.target = c.target AND p.id = unhex(json_extract(t.value, '$[1]'))
       WHERE c.target = ? AND c.state = 'ready' AND p.state = 'ready' AND p.stage = c.stage AND p.id <> c.id
         AND json_extract(t.value, '$[0]') IN ('e', 'E')`,
    ),
    begin: db.prepare('UPDATE temp.link SET level = 1 WHERE parent NOT IN (SELECT child FROM temp.link)'),
    raise: db.prepare(`UPDATE spool SET level = @level WHERE target = @target AND id IN (${FREE_CHILDREN})`),
    mark: db.prepare(`UPDATE temp.link SET level = @level + 1 WHERE parent IN (${FREE_CHILDREN})`),
    change: db.prepare(
      `UPDATE spool SET state = ?, outcome = coalesce(?, outcome), reason = coalesce(?, reason), orphan = ?,
         error_runs = error_runs + ?, attempts = attempts + ?, parked_at = coalesce(parked_at, ?), settled_at = ?,
         last_ok_at = coalesce(?, last_ok_at), retry_at = ?, software = coalesce(?, software), obstacle = ?
       WHERE target = ? AND id = ?`,
    ),
    explain: db.prepare('UPDATE spool SET reason = ?, obstacle = ? WHERE target = ? AND id = ?'),
    tryAgain: db.prepare('UPDATE spool SET retry_at = ? WHERE target = ? AND id = ?'),
    remove: db.prepare('DELETE FROM spool WHERE target = ? AND id = ?'),
  }
}
