import type { CommandName } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** The end of a run; `reason`: the error that ended it. */
export type RunEnd = {
  readonly durationMs: number
  readonly exit: number
  readonly published: number
  readonly parked: number
  readonly reason?: string | undefined
}

const REASON_LENGTH = 300

/** The history of runs for one target. A run without an end was killed. */
export class RunStore {
  readonly #db: Db
  readonly #target: string
  #hasBegun = false

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Notes that a run begins; returns its number. */
  begin(command: CommandName, startedAt: UnixSeconds): number {
    this.#hasBegun = true
    const sql = 'INSERT INTO run (target, command, started_at) VALUES (?, ?, ?)'
    return Number(this.#db.prepare(sql).run(this.#target, command, startedAt).lastInsertRowid)
  }

  /** Notes the scope of a run. */
  setScope(number: number, scope: string): void {
    this.#db.prepare('UPDATE run SET scope = ? WHERE number = ?').run(scope, number)
  }

  /** Notes how a run ended, and in a few words why, if it failed. */
  end(number: number, end: RunEnd): void {
    this.#db
      .prepare('UPDATE run SET duration_ms = ?, exit = ?, published = ?, parked = ?, reason = ? WHERE number = ?')
      .run(Math.round(end.durationMs), end.exit, end.published, end.parked, boundReason(end.reason), number)
  }

  /** Notes at once that the target accepted an event of a run. */
  noteAccepted(number: number): void {
    this.#db.prepare('UPDATE run SET accepted = 1 WHERE number = ?').run(number)
  }

  /** How many events waited after the last run that noted it. */
  lastParked(): number {
    const sql = 'SELECT parked FROM run WHERE target = ? AND parked IS NOT NULL ORDER BY number DESC LIMIT 1'
    return (this.#db.prepare(sql).get(this.#target) as { parked: number } | undefined)?.parked ?? 0
  }

  /** Whether a run of this process has begun. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Whether the target accepted an event of any run. */
  hasAccepted(): boolean {
    return (
      this.#db.prepare('SELECT 1 FROM run WHERE target = ? AND accepted = 1 LIMIT 1').get(this.#target) !== undefined
    )
  }

  /**
   * The scope kind of the last run that had one; `auto` falls back to it when the target's document cannot be fetched.
   */
  lastScope(): string | undefined {
    const sql = 'SELECT scope FROM run WHERE target = ? AND scope IS NOT NULL ORDER BY number DESC LIMIT 1'
    return (this.#db.prepare(sql).get(this.#target) as { scope: string } | undefined)?.scope
  }
}

/** Relays choose how long their texts are. */
function boundReason(reason: string | undefined): string | null {
  return reason === undefined ? null : reason.slice(0, REASON_LENGTH)
}
