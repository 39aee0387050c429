import { addressOf, isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { LayerName, Outcome } from '../report.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/**
 * Where an event in the spool stands:
 * `candidate` fetched, not yet selected · `outside` fetched, outside the window of a backfill · `ready` to be sent · `confirming` the target said OK, not yet proved ·
 * `parked` not settled, tried again · `refused` settled, remembered with its reason.
 */
export type SpoolState = 'candidate' | 'outside' | 'ready' | 'confirming' | 'parked' | 'refused'

/** An event that waits between stages or between runs. Times are Unix seconds. */
export type SpooledEvent = {
  readonly event: NostrEvent
  readonly layer: LayerName
  readonly state: SpoolState
  readonly outcome: Outcome | undefined
  readonly reason: string | undefined
  readonly isOrphan: boolean
  readonly isLate: boolean
  /** Runs that ended with an `error:` or a text that nobody knows. */
  readonly errorRuns: number
  readonly parkedAt: UnixSeconds | undefined
  readonly settledAt: UnixSeconds | undefined
  readonly lastOkAt: UnixSeconds | undefined
  readonly retryAt: UnixSeconds | undefined
  readonly attempts: number
  readonly software: string | undefined
}

/** What to write when an event is parked, refused or confirmed. Absent fields stay as they are. */
export type SpoolChange = {
  readonly state: SpoolState
  readonly outcome?: Outcome
  readonly reason?: string
  readonly isOrphan?: boolean
  readonly isError?: boolean
  readonly lastOkAt?: UnixSeconds
  readonly retryAt?: UnixSeconds | null
  readonly wasSent?: boolean
  readonly software?: string | undefined
}

/** Where a fetched event comes from. */
export type Origin = {
  readonly layer: LayerName
  readonly source: string
  readonly isLate: boolean
  readonly isOutside: boolean
}

type Row = {
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
}

/** Events between select and publish, and parked ones between runs, keyed by (target, id). */
export class Spool {
  readonly #db: Db
  readonly #target: string
  readonly #maxBytes: number
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Db, target: string, maxBytes: number) {
    this.#db = db
    this.#target = target
    this.#maxBytes = maxBytes
    this.#statements = prepareStatements(db)
  }

  /** Whether there is no room for more: what is not spooled may not be covered by a checkpoint. */
  isFull(): boolean {
    return (this.#statements.usedBytes.get()?.bytes ?? 0) > this.#maxBytes
  }

  /** After a run that ended early: what was never selected is fetched again, what was selected is parked with this reason. */
  recover(reason: string, now: UnixSeconds): void {
    this.#db.prepare(`DELETE FROM spool WHERE target = ? AND state IN ('candidate', 'outside')`).run(this.#target)
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', outcome = 'unanswered', reason = ?,
           parked_at = coalesce(parked_at, ?), retry_at = NULL WHERE target = ? AND state IN ('ready', 'confirming')`,
      )
      .run(reason, now, this.#target)
  }

  /** The spooled event with this id, in any state. */
  find(id: string): SpooledEvent | undefined {
    const row = this.#statements.find.get(this.#target, toBlob(id))
    return row === undefined ? undefined : fromRow(row)
  }

  /** The spooled version at an address, in any state. */
  findVersion(address: string): SpooledEvent | undefined {
    return this.#versions(address)[0]
  }

  /**
   * Adds a fetched event. Of one address only the newest version stays: returns the versions that lost, which is the
   * event itself when the spool holds a newer one.
   */
  addCandidate(event: NostrEvent, origin: Origin): SpooledEvent[] {
    const address = addressOf(event)
    const others = address === undefined ? [] : this.#versions(address)
    const isBeaten = others.some((other) => isNewerVersion(other.event, event))
    const candidate = { ...newcomer(event, origin.layer), isLate: origin.isLate }
    if (isBeaten) return [candidate]
    for (const other of others) this.remove(other.event.id)
    this.#insert(event, address, origin)
    return others
  }

  /**
   * Events in a state, in pieces of at most `size`, in the order of publishing. The caller may change or remove what it
   * was given. Each piece is found by the index from where the last one ended, so that all of them cost one pass.
   */
  *inState(state: SpoolState, size: number): Generator<SpooledEvent[]> {
    let after = { stage: -1, level: 0, createdAt: 0, id: toBlob('') }
    for (;;) {
      const rows = this.#statements.page.all({ target: this.#target, state, size, ...after })
      const piece = rows.map(fromRow)
      const [row, last] = [rows.at(-1), piece.at(-1)]
      if (row === undefined || last === undefined) return
      const { stage, level } = row
      after = { stage, level, createdAt: last.event.created_at, id: toBlob(last.event.id) }
      yield piece
    }
  }

  /** Marks an event as selected, to be sent in a stage. */
  makeReady(id: string, stage: number): void {
    this.#statements.makeReady.run(stage, this.#target, toBlob(id))
  }

  /** Gives a refused or given-up event a new start: parked from now on, and to be sent. */
  reopen(id: string, now: UnixSeconds): void {
    this.#statements.reopen.run({ target: this.#target, now, id: toBlob(id) })
  }

  /** Gives every refused or given-up event a new start: parked from now on. What hangs from others still waits for them. */
  reopenAll(now: UnixSeconds): void {
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', parked_at = ?, settled_at = NULL, retry_at = NULL, error_runs = 0
         WHERE target = ? AND state = 'refused'`,
      )
      .run(now, this.#target)
  }

  /**
   * Within each stage, gives every ready event a level above those of its parents that are ready too (`e` and `E` tags).
   * Every link is looked at once, when its parent has its level: a thread that is one long chain costs no more than others.
   */
  orderByParents(): void {
    const { link, begin, raise, mark } = this.#statements
    this.#db.exec('DELETE FROM temp.link')
    link.run(this.#target)
    begin.run()
    // Ids are hashes of what they refer to, so there is no cycle; if there were one, its events would stay at level 0.
    for (let level = 1; raise.run({ target: this.#target, level }).changes > 0; level += 1) mark.run({ level })
  }

  /** The next ready events of the lowest stage and level, oldest first; they are all of one stage and level. */
  nextReady(limit: number): SpooledEvent[] {
    return this.#statements.nextReady.all({ target: this.#target, limit }).map(fromRow)
  }

  /** Moves an event to another state. */
  change(id: string, change: SpoolChange, now: UnixSeconds): void {
    this.#statements.change.run({
      target: this.#target,
      id: toBlob(id),
      now,
      state: change.state,
      outcome: change.outcome ?? null,
      reason: change.reason ?? null,
      orphan: change.isOrphan === true ? 1 : 0,
      error: change.isError === true ? 1 : 0,
      sent: change.wasSent === true ? 1 : 0,
      lastOkAt: change.lastOkAt ?? null,
      retryAt: change.retryAt ?? null,
      software: change.software ?? null,
    })
  }

  /** Takes an event out: the target holds it, or it is not wanted. */
  remove(id: string): void {
    this.#statements.remove.run(this.#target, toBlob(id))
  }

  /** Of these ids, the spooled ones in a state. */
  amongInState(ids: readonly string[], state: SpoolState): SpooledEvent[] {
    return ids.flatMap((id) => this.find(id) ?? []).filter((spooled) => spooled.state === state)
  }

  /** How many events are in a state. */
  count(state: SpoolState): number {
    const sql = 'SELECT count(*) AS n FROM spool WHERE target = ? AND state = ?'
    return (this.#db.prepare(sql).get(this.#target, state) as { n: number }).n
  }

  /** Events in a state grouped by outcome and reason, largest group first; `refused` ones only if settled at `since` or later. */
  groups(state: SpoolState, since = 0): { outcome: Outcome; reason: string; count: number; example: string }[] {
    const rows = this.#db
      .prepare(
        `SELECT outcome, reason, count(*) AS count, lower(hex(min(id))) AS example FROM spool
         WHERE target = ? AND state = ? AND coalesce(settled_at, ?) >= ? GROUP BY outcome, reason ORDER BY count(*) DESC, outcome, reason`,
      )
      .all(this.#target, state, since, since)
    return rows as { outcome: Outcome; reason: string; count: number; example: string }[]
  }

  #versions(address: string): SpooledEvent[] {
    return this.#statements.versions.all(this.#target, address).map(fromRow)
  }

  #insert(event: NostrEvent, address: string | undefined, origin: Origin): void {
    this.#statements.insert.run({
      target: this.#target,
      id: toBlob(event.id),
      layer: origin.layer,
      kind: event.kind,
      pubkey: toBlob(event.pubkey),
      address: address ?? null,
      createdAt: event.created_at,
      json: JSON.stringify(event),
      source: origin.source,
      state: origin.isOutside ? 'outside' : 'candidate',
      late: origin.isLate ? 1 : 0,
    })
  }
}

/** The columns of `Row`. The others are for conditions only: reading them costs time. */
const COLUMNS = `stage, level, layer, json, state, outcome, reason, orphan, late, error_runs, parked_at, settled_at,
  last_ok_at, retry_at, attempts, software`

/** Events whose last parents have the level below `@level`: a link has its level (the least that the child may have) once its parent has. */
const FREE_CHILDREN = `SELECT child FROM temp.link l WHERE level = @level
  AND NOT EXISTS (SELECT 1 FROM temp.link o WHERE o.child = l.child AND o.level IS NULL)`

/** What runs once for every event or piece, prepared once: preparing costs more than running. */
function prepareStatements(db: Db) {
  return {
    usedBytes: db.prepare<[], { bytes: number }>(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    ),
    find: db.prepare<[string, Buffer], Row>(`SELECT ${COLUMNS} FROM spool WHERE target = ? AND id = ?`),
    versions: db.prepare<[string, string], Row>(`SELECT ${COLUMNS} FROM spool WHERE target = ? AND address = ?`),
    page: db.prepare<[Record<string, unknown>], Row>(
      `SELECT ${COLUMNS} FROM spool WHERE target = @target AND state = @state
         AND (stage, level, created_at, id) > (@stage, @level, @createdAt, @id)
       ORDER BY stage, level, created_at, id LIMIT @size`,
    ),
    nextReady: db.prepare<[{ target: string; limit: number }], Row>(
      `SELECT ${COLUMNS} FROM spool WHERE target = @target AND state = 'ready' AND (stage, level) = (
         SELECT stage, level FROM spool WHERE target = @target AND state = 'ready' ORDER BY stage, level LIMIT 1)
       ORDER BY created_at, id LIMIT @limit`,
    ),
    insert: db.prepare(
      `INSERT INTO spool (target, id, layer, kind, pubkey, address, created_at, json, sources, state, late)
       VALUES (@target, @id, @layer, @kind, @pubkey, @address, @createdAt, @json, @source, @state, @late)`,
    ),
    makeReady: db.prepare<[number, string, Buffer]>(
      `UPDATE spool SET state = 'ready', stage = ?, level = 0 WHERE target = ? AND id = ?`,
    ),
    reopen: db.prepare<[{ target: string; now: UnixSeconds; id: Buffer }]>(
      `UPDATE spool SET state = 'parked', orphan = 0, parked_at = @now, settled_at = NULL, retry_at = NULL, error_runs = 0
       WHERE target = @target AND id = @id`,
    ),
    // CROSS JOIN fixes the order of the loops: without statistics SQLite would compare every event with every other.
    link: db.prepare<[string]>(
      `INSERT OR IGNORE INTO temp.link (child, parent)
       SELECT c.id, p.id FROM spool c CROSS JOIN json_each(c.json, '$.tags') t
       CROSS JOIN spool p ON p.target = c.target AND p.id = unhex(json_extract(t.value, '$[1]'))
       WHERE c.target = ? AND c.state = 'ready' AND p.state = 'ready' AND p.stage = c.stage AND p.id <> c.id
         AND json_extract(t.value, '$[0]') IN ('e', 'E')`,
    ),
    begin: db.prepare('UPDATE temp.link SET level = 1 WHERE parent NOT IN (SELECT child FROM temp.link)'),
    raise: db.prepare<[{ target: string; level: number }]>(
      `UPDATE spool SET level = @level WHERE target = @target AND id IN (${FREE_CHILDREN})`,
    ),
    mark: db.prepare<[{ level: number }]>(`UPDATE temp.link SET level = @level + 1 WHERE parent IN (${FREE_CHILDREN})`),
    change: db.prepare(
      `UPDATE spool SET state = @state, outcome = coalesce(@outcome, outcome), reason = coalesce(@reason, reason),
         orphan = @orphan, error_runs = error_runs + @error, attempts = attempts + @sent,
         parked_at = CASE WHEN @state = 'parked' THEN coalesce(parked_at, @now) ELSE parked_at END,
         settled_at = CASE WHEN @state = 'refused' THEN @now ELSE NULL END,
         last_ok_at = coalesce(@lastOkAt, last_ok_at), retry_at = @retryAt, software = coalesce(@software, software)
       WHERE target = @target AND id = @id`,
    ),
    remove: db.prepare<[string, Buffer]>('DELETE FROM spool WHERE target = ? AND id = ?'),
  }
}

function newcomer(event: NostrEvent, layer: LayerName): SpooledEvent {
  return {
    event,
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
  }
}

function fromRow(row: Row): SpooledEvent {
  return {
    event: JSON.parse(row.json) as NostrEvent,
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
  }
}

function toBlob(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
