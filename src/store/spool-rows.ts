import { addressOf, isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../report/report.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'
import { isRemembered, type Spool } from './spool.ts'
import type { SpoolStatements } from './spool-statements.ts'
import { newcomer, toBlob, type SpooledEvent, type SpoolState } from './spooled-event.ts'
import type { Db } from './state-file.ts'

/** The changes to a row when an event is parked, refused or confirmed. Absent fields stay unchanged. */
export type RowChange = {
  readonly state: SpoolState
  readonly outcome?: Outcome
  readonly reason?: string
  readonly isOrphan?: boolean
  readonly isError?: boolean
  readonly lastOkAt?: UnixSeconds | undefined
  readonly retryAt?: UnixSeconds | undefined
  readonly wasSent?: boolean
  /** The missing parent; absent: none is known any more. */
  readonly obstacle?: string | undefined
  readonly software?: string | undefined
}

/** The origin of a fetched event. */
export type Origin = {
  readonly layer: LayerName
  readonly source: string
  readonly isLate: boolean
  readonly isOutside: boolean
}

type NewRow = { readonly event: NostrEvent; readonly address: string | undefined; readonly json: string }

/** The target's answer stands: it holds the event back, or does not accept it yet. */
const HAS_ANSWER = "state = 'confirming' AND outcome IN ('pending', 'waiting')"

type RowsOptions = { readonly spool: Spool; readonly statements: SpoolStatements }

/** Writes the rows of the spool. Only `fate.ts` may use it: it knows the allowed transitions, and counts. */
export class SpoolRows {
  readonly #db: Db
  readonly #target: string
  readonly #spool: Spool
  readonly #statements: SpoolStatements
  /** The row and its text, or neither. */
  readonly #addWhole

  constructor(db: Db, target: string, { spool, statements }: RowsOptions) {
    this.#db = db
    this.#target = target
    this.#spool = spool
    this.#statements = statements
    this.#addWhole = db.transaction((row: NewRow, origin: Origin) => this.#add(row, origin))
  }

  /**
   * Adds a fetched event and keeps only the newest version of each address. Returns the losing versions; that is the
   * event itself if the spool holds a newer one. Remembered settled versions that are newer stay beside it for now.
   */
  insert(event: NostrEvent, origin: Origin): SpooledEvent[] {
    const address = addressOf(event)
    const json = JSON.stringify(event)
    const others = address === undefined ? [] : this.#spool.versions(address)
    const isBeaten = others.some((other) => !isRemembered(other) && isNewerVersion(other.event, event))
    if (isBeaten) return [{ ...newcomer(event, json.length, origin.layer), isLate: origin.isLate }]
    const losers = others.filter((other) => !isNewerVersion(other.event, event))
    for (const other of losers) this.remove(other.event.id)
    const row = { event, address, json }
    // A transaction within a transaction takes two more statements; the one around it does as well.
    if (this.#db.inTransaction) this.#add(row, origin)
    else this.#addWhole(row, origin)
    return losers
  }

  /** Marks an event as selected and ready to send in a stage, and notes its repository if one is given. */
  makeReady(id: string, stage: number, repository: string | undefined): void {
    this.#statements.makeReady.run(stage, repository ?? null, this.#target, toBlob(id))
  }

  /** Notes the repository of an event. */
  assign(id: string, repository: string): void {
    this.#statements.assign.run(repository, this.#target, toBlob(id))
  }

  /** Moves an event to another state. */
  change(id: string, change: RowChange, now: UnixSeconds): void {
    const { state } = change
    this.#statements.change.run(
      state,
      change.outcome ?? null,
      change.reason ?? null,
      change.isOrphan === true ? 1 : 0,
      change.isError === true ? 1 : 0,
      change.wasSent === true ? 1 : 0,
      state === 'parked' ? now : null,
      state === 'refused' || state === 'held' ? now : null,
      change.lastOkAt ?? null,
      change.retryAt ?? null,
      change.software ?? null,
      change.obstacle ?? null,
      this.#target,
      toBlob(id),
    )
  }

  /** Sets the reason why an event waits now, and the parent it waits for. */
  explain(id: string, reason: string, obstacle: string): void {
    this.#statements.explain.run(reason, obstacle, this.#target, toBlob(id))
  }

  /** Lets a run that starts after `from` try an event again. */
  tryAgain(id: string, from: UnixSeconds): void {
    this.#statements.tryAgain.run(from, this.#target, toBlob(id))
  }

  /** Removes an event that the target holds or that is not wanted. */
  remove(id: string): void {
    this.#statements.remove.run(this.#target, toBlob(id))
  }

  /**
   * Reopens a refused or given-up event: parked from now on, and sent again. An orphan is sent once its parent is
   * served.
   */
  reopen(id: string, now: UnixSeconds, { isOrphan = false } = {}): void {
    this.#statements.reopen.run({ target: this.#target, now, id: toBlob(id), orphan: isOrphan ? 1 : 0 })
  }

  /** Reopens all refused and given-up events: parked from now on. Events that depend on others still wait for them. */
  reopenAll(now: UnixSeconds): void {
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', outcome = 'waiting', parked_at = ?, settled_at = NULL, retry_at = NULL, error_runs = 0
         WHERE target = ? AND state = 'refused'`,
      )
      .run(now, this.#target)
  }

  /** Likewise reopens events that were settled because of something that the target held. */
  reopenDisplaced(now: UnixSeconds): void {
    this.#db
      .prepare(
        `UPDATE spool SET state = 'parked', outcome = 'waiting', parked_at = ?, settled_at = NULL, retry_at = NULL, error_runs = 0
         WHERE target = ? AND (state = 'held' OR (state = 'refused' AND outcome IN ('superseded', 'duplicate', 'deleted')))`,
      )
      .run(now, this.#target)
  }

  /**
   * Cleans up after a run that ended early. Unselected events are removed, to be fetched again. Selected ones are
   * parked with this reason; unsent ones become `unsent`. Events that the target holds back keep their answer: sending
   * them again too early would replace what is held back.
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

  /**
   * Within each stage, gives every ready event a level above those of its ready parents (`e` and `E` tags). Looks at
   * every link once, when its parent has its level, so one long chain costs no more than other threads.
   */
  orderByParents(): void {
    const { link, begin, raise, mark } = this.#statements
    this.#db.exec('DELETE FROM temp.link')
    link.run(this.#target)
    begin.run()
    // Ids are hashes of what they refer to, so there is no cycle; events in one would stay at level 0.
    for (let level = 1; raise.run({ target: this.#target, level }).changes > 0; level += 1) mark.run({ level })
  }

  #add({ event, address, json }: NewRow, origin: Origin): void {
    const { lastInsertRowid: number } = this.#statements.insert.run(
      this.#target,
      toBlob(event.id),
      origin.layer,
      event.kind,
      toBlob(event.pubkey),
      address ?? null,
      event.created_at,
      origin.source,
      origin.isOutside ? 'outside' : 'candidate',
      origin.isLate ? 1 : 0,
    )
    this.#statements.insertText.run(number, json)
  }
}
