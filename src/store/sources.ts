import type { SourceReport } from '../report/report.ts'
import type { SourceState } from '../report/status.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** How each source that the operator named was read last, for one target. */
export class SourceStore {
  readonly #db: Db
  readonly #target: string

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
  }

  /** Notes how a run that began at `startedAt` read a source; `since` stays while the state does. */
  note(source: SourceReport, startedAt: UnixSeconds): void {
    const state = stateOf(source)
    this.#db
      .prepare(
        `INSERT INTO source (target, source, state, reason, since, asked_at, drained_at)
         VALUES (@target, @source, @state, @reason, @at, @at, @drainedAt)
         ON CONFLICT DO UPDATE SET since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END,
           state = excluded.state, reason = excluded.reason, asked_at = excluded.asked_at,
           drained_at = coalesce(excluded.drained_at, drained_at)`,
      )
      .run({
        target: this.#target,
        source: source.url,
        state,
        reason: state === 'drained' ? null : reasonOf(source),
        at: startedAt,
        drainedAt: state === 'drained' ? startedAt : null,
      })
  }
}

/** A source that failed before it was asked anything was not reached. */
function stateOf({ complete, layers }: SourceReport): SourceState {
  if (complete) return 'drained'
  return layers.every(({ filters }) => filters === 0) ? 'unreached' : 'partial'
}

function reasonOf({ reason, layers }: SourceReport): string | null {
  return reason ?? layers.find((layer) => layer.reason !== null)?.reason ?? null
}
