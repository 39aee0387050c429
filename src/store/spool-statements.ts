import type { Statement } from '../database.ts'
import type { UnixSeconds } from '../time.ts'
import { SPOOL_COLUMNS, SPOOL_ROWS, type SpoolRow, type SpoolState } from './spooled-event.ts'
import type { Db } from './state-file.ts'

/**
 * Events whose last parents have the level below `@level`. A link gets its level (the lowest that the child may have)
 * once its parent has one.
 */
const FREE_CHILDREN = `SELECT child FROM temp.link l WHERE level = @level
  AND NOT EXISTS (SELECT 1 FROM temp.link o WHERE o.child = l.child AND o.level IS NULL)`

/** Events of one stage and level may be sent side by side. */
export type Step = { readonly stage: number; readonly level: number }

/** Statements that run once per event or piece. Preparing costs more than running, so they are prepared once. */
export type SpoolStatements = {
  readonly usedBytes: Statement<[], { bytes: number }>
  readonly find: Statement<[target: string, id: Buffer], SpoolRow>
  readonly isIn: Statement<[target: string, id: Buffer, state: SpoolState], { found: 1 }>
  readonly versions: Statement<[target: string, address: string], SpoolRow>
  readonly page: Statement<[Record<string, unknown>], SpoolRow>
  readonly firstStep: Statement<[target: string], Step>
  readonly insert: Statement<[Record<string, unknown>]>
  readonly insertText: Statement<[number: number | bigint, json: string]>
  readonly makeReady: Statement<[stage: number, repository: string | null, target: string, id: Buffer]>
  readonly assign: Statement<[repository: string, target: string, id: Buffer]>
  readonly reopen: Statement<[{ target: string; now: UnixSeconds; id: Buffer; orphan: number }]>
  readonly link: Statement<[target: string]>
  readonly begin: Statement<[]>
  readonly raise: Statement<[{ target: string; level: number }]>
  readonly mark: Statement<[{ level: number }]>
  readonly change: Statement<[Record<string, unknown>]>
  readonly explain: Statement<[reason: string, obstacle: string, target: string, id: Buffer]>
  readonly tryAgain: Statement<[from: UnixSeconds, target: string, id: Buffer]>
  readonly remove: Statement<[target: string, id: Buffer]>
}

export function prepareSpoolStatements(db: Db): SpoolStatements {
  return {
    usedBytes: db.prepare(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    ),
    find: db.prepare(`SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND id = ?`),
    isIn: db.prepare('SELECT 1 AS found FROM spool WHERE target = ? AND id = ? AND state = ?'),
    versions: db.prepare(`SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = ? AND address = ?`),
    page: db.prepare(
      `SELECT ${SPOOL_COLUMNS} FROM ${SPOOL_ROWS} WHERE target = @target AND state = @state
         AND (stage, level, created_at, id) > (@stage, @level, @createdAt, @id)
       ORDER BY stage, level, created_at, id LIMIT @size`,
    ),
    firstStep: db.prepare(
      `SELECT stage, level FROM spool WHERE target = ? AND state = 'ready' ORDER BY stage, level LIMIT 1`,
    ),
    insert: db.prepare(
      `INSERT INTO spool (target, id, layer, kind, pubkey, address, created_at, sources, state, late)
       VALUES (@target, @id, @layer, @kind, @pubkey, @address, @createdAt, @source, @state, @late)`,
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
      `UPDATE spool SET state = @state, outcome = coalesce(@outcome, outcome), reason = coalesce(@reason, reason),
         orphan = @orphan, error_runs = error_runs + @error, attempts = attempts + @sent,
         parked_at = CASE WHEN @state = 'parked' THEN coalesce(parked_at, @now) ELSE parked_at END,
         settled_at = CASE WHEN @state IN ('refused', 'held') THEN @now ELSE NULL END,
         last_ok_at = coalesce(@lastOkAt, last_ok_at), retry_at = @retryAt, software = coalesce(@software, software),
         obstacle = @obstacle
       WHERE target = @target AND id = @id`,
    ),
    explain: db.prepare('UPDATE spool SET reason = ?, obstacle = ? WHERE target = ? AND id = ?'),
    tryAgain: db.prepare('UPDATE spool SET retry_at = ? WHERE target = ? AND id = ?'),
    remove: db.prepare('DELETE FROM spool WHERE target = ? AND id = ?'),
  }
}
