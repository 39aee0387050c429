import { addressOf, isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { LayerName, Outcome } from '../report.ts'
import type { UnixSeconds } from '../time.ts'
import { prepareSpoolStatements, type SpoolStatements } from './spool-statements.ts'
import { fromRow, newcomer, toBlob, type SpooledEvent, type SpoolRow, type SpoolState } from './spooled-event.ts'
import type { Db } from './state-file.ts'

/** What to write when an event is parked, refused or confirmed. Absent fields stay as they are. */
export type SpoolChange = {
  readonly state: SpoolState
  readonly outcome?: Outcome
  readonly reason?: string
  readonly isOrphan?: boolean
  readonly isError?: boolean
  readonly lastOkAt?: UnixSeconds | undefined
  readonly retryAt?: UnixSeconds | null
  readonly wasSent?: boolean
  /** The parent that stands in the way; absent: none is known any more. */
  readonly obstacle?: string | undefined
  readonly software?: string | undefined
}

/** Events with one outcome for one reason. */
export type SpoolGroup = {
  readonly outcome: Outcome
  readonly reason: string
  readonly count: number
  /** The id of one of them. */
  readonly example: string
  /** One of the parents that stand in the way, and how many those are. */
  readonly obstacle: string | null
  readonly obstacles: number
}

/** Where a fetched event comes from. */
export type Origin = {
  readonly layer: LayerName
  readonly source: string
  readonly isLate: boolean
  readonly isOutside: boolean
}

/** It answered, and what it said stands: it holds the event back, or does not take it yet. */
const HAS_ANSWER = "state = 'confirming' AND outcome IN ('pending', 'waiting')"

const PIECE_BYTES = 1024 * 1024

/** Events between select and publish, and parked ones between runs, keyed by (target, id). */
export class Spool {
  readonly #db: Db
  readonly #target: string
  readonly #maxBytes: number
  readonly #statements: SpoolStatements

  constructor(db: Db, target: string, maxBytes: number) {
    this.#db = db
    this.#target = target
    this.#maxBytes = maxBytes
    this.#statements = prepareSpoolStatements(db)
  }

  /** Whether there is no room for more: what is not spooled may not be covered by a checkpoint. */
  isFull(): boolean {
    return (this.#statements.usedBytes.get()?.bytes ?? 0) > this.#maxBytes
  }

  /**
   * After a run that ended early: what was never selected is fetched again, what was selected is parked with this reason, `unsent` what was not sent.
   * What the target said to hold back stays so: sent again before its time, it would replace what is held back.
   */
  recover(reason: string, now: UnixSeconds): void {
    this.#db.prepare(`DELETE FROM spool WHERE target = ? AND state IN ('candidate', 'outside')`).run(this.#target)
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked',
           reason = CASE WHEN ${HAS_ANSWER} THEN reason ELSE ? END,
           outcome = CASE WHEN ${HAS_ANSWER} THEN outcome WHEN state = 'ready' THEN 'unsent' ELSE 'unanswered' END,
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

  /** The versions at an address that are settled and remembered: selection looks whether they still count. */
  rememberedVersions(address: string): SpooledEvent[] {
    return this.#versions(address).filter(isRemembered)
  }

  /**
   * Adds a fetched event. Of one address only the newest version stays: returns the versions that lost, which is the
   * event itself when the spool holds a newer one. Beside one that is remembered as settled it stays for now.
   */
  addCandidate(event: NostrEvent, origin: Origin): SpooledEvent[] {
    const address = addressOf(event)
    const others = address === undefined ? [] : this.#versions(address)
    const isBeaten = others.some((other) => !isRemembered(other) && isNewerVersion(other.event, event))
    const candidate = { ...newcomer(event, origin.layer), isLate: origin.isLate }
    if (isBeaten) return [candidate]
    const losers = others.filter((other) => !isNewerVersion(other.event, event))
    for (const other of losers) this.remove(other.event.id)
    this.#insert(event, address, origin)
    return losers
  }

  /**
   * Events in a state, in pieces of at most `size`, fewer where they are large, in the order of publishing. The caller may
   * change or remove what it was given. Each piece is found by the index from where the last one ended, so that all of them cost one pass.
   */
  *inState(state: SpoolState, size: number): Generator<SpooledEvent[]> {
    let after = { stage: -1, level: 0, createdAt: 0, id: toBlob('') }
    for (;;) {
      const rows = takeBytes(this.#statements.page.iterate({ target: this.#target, state, size, ...after }))
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

  /** Gives a refused or given-up event a new start: parked from now on, and to be sent; an orphan once its parent is served. */
  reopen(id: string, now: UnixSeconds, { isOrphan = false } = {}): void {
    this.#statements.reopen.run({ target: this.#target, now, id: toBlob(id), orphan: isOrphan ? 1 : 0 })
  }

  /** Gives every refused or given-up event a new start: parked from now on. What hangs from others still waits for them. */
  reopenAll(now: UnixSeconds): void {
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', outcome = 'waiting', parked_at = ?, settled_at = NULL, retry_at = NULL, error_runs = 0
         WHERE target = ? AND state = 'refused'`,
      )
      .run(now, this.#target)
  }

  /** The same for what was settled because of something that the target held. */
  reopenDisplaced(now: UnixSeconds): void {
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', outcome = 'waiting', parked_at = ?, settled_at = NULL, retry_at = NULL, error_runs = 0
         WHERE target = ? AND (state = 'held' OR (state = 'refused' AND outcome IN ('superseded', 'duplicate', 'deleted')))`,
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
    return takeBytes(this.#statements.nextReady.iterate({ target: this.#target, limit })).map(fromRow)
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
      obstacle: change.obstacle ?? null,
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

  /** Events in a state grouped by outcome and reason, largest group first; `refused` and `held` ones only if settled at `since` or later. */
  groups(state: SpoolState, since = 0): SpoolGroup[] {
    const rows = this.#db
      .prepare(
        `SELECT outcome, reason, count(*) AS count, lower(hex(min(id))) AS example, min(obstacle) AS obstacle,
           count(DISTINCT obstacle) AS obstacles FROM spool
         WHERE target = ? AND state = ? AND coalesce(settled_at, ?) >= ? GROUP BY outcome, reason ORDER BY count(*) DESC, outcome, reason`,
      )
      .all(this.#target, state, since, since)
    return rows as SpoolGroup[]
  }

  /** How many events of each layer wait, by outcome. */
  countParked(): { layer: LayerName; outcome: Outcome; count: number }[] {
    const rows = this.#db
      .prepare(
        `SELECT layer, outcome, count(*) AS count FROM spool WHERE target = ? AND state = 'parked' GROUP BY layer, outcome`,
      )
      .all(this.#target)
    return rows as { layer: LayerName; outcome: Outcome; count: number }[]
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

/** The first rows, up to so many bytes: at least one. Strangers choose how large events are. */
function takeBytes(rows: Iterable<SpoolRow>): SpoolRow[] {
  const taken: SpoolRow[] = []
  let bytes = 0
  for (const row of rows) {
    taken.push(row)
    bytes += row.json.length
    if (bytes >= PIECE_BYTES) break
  }
  return taken
}

function isRemembered({ state }: SpooledEvent): boolean {
  return state === 'refused' || state === 'held'
}
