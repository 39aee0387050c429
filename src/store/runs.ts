import type { CommandName } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** The history of runs for one target. A run without an end was killed. */
export class RunStore {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Notes that a run begins; returns its number. */
  begin(command: CommandName, startedAt: UnixSeconds): number {
    const sql = 'INSERT INTO run (target, command, started_at) VALUES (?, ?, ?)'
    return Number(this.#db.prepare(sql).run(this.#target, command, startedAt).lastInsertRowid)
  }

  /** Notes the scope of a run. */
  setScope(number: number, scope: string): void {
    this.#db.prepare('UPDATE run SET scope = ? WHERE number = ?').run(scope, number)
  }

  /** Notes how a run ended. */
  end(number: number, end: { durationMs: number; exit: number; published: number; parked: number }): void {
    this.#db
      .prepare('UPDATE run SET duration_ms = ?, exit = ?, published = ?, parked = ? WHERE number = ?')
      .run(Math.round(end.durationMs), end.exit, end.published, end.parked, number)
  }

  /** Notes at once that the target accepted an event of a run. */
  noteAccepted(number: number): void {
    this.#db.prepare('UPDATE run SET accepted = 1 WHERE number = ?').run(number)
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
