import type { CommandName, Outcome, RepositoryReport } from './report.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'

/** The checkpoints of one layer at one source. */
export type CheckpointStatus = {
  readonly source: string
  readonly layer: LayerName
  /** The number of anchors ever drained here. */
  readonly anchors: number
  /** The oldest and newest time at which an anchor was last drained (the start of that run). */
  readonly oldestDrainedAt: UnixSeconds
  readonly newestDrainedAt: UnixSeconds
  /** The oldest time at which an anchor was last read in full. */
  readonly oldestFullAt: UnixSeconds
}

/**
 * How a source was read last: `drained` to its end, `partial` not to its end, `unreached` not at all; `unknown`: by an
 * earlier version, which noted only when it was last read to its end.
 */
export type SourceState = 'drained' | 'partial' | 'unreached' | 'unknown'

/** A source that the operator named in a `catchup`. */
export type SourceStatus = {
  readonly source: string
  readonly state: SourceState
  /** Why it is not drained, unescaped (rule 7). */
  readonly reason: string | null
  /** When this state began: the start of the first run of an unbroken row of runs that found it so. */
  readonly since: UnixSeconds
  /** The start of the last run that asked it. */
  readonly askedAt: UnixSeconds
  /** The start of the last run that read it to its end; null: none did. */
  readonly drainedAt: UnixSeconds | null
}

/** What waits or was refused, of one repository. Counts are events. */
export type RepositoryStatus = Pick<RepositoryReport, 'repository' | 'name' | 'waiting' | 'refused' | 'pending'>

/** Events that wait on disk for one reason. */
export type ParkedStatus = {
  /** `pending`, `waiting` or `unanswered`. */
  readonly outcome: string
  /** The target's own text, unescaped (rule 7). */
  readonly reason: string
  readonly count: number
  /** When the first of them was parked. */
  readonly oldestAt: UnixSeconds
  /** When the next of them is tried again; null: in the next run. */
  readonly nextTryAt: UnixSeconds | null
  /**
   * The time until which the target keeps the first event held back for missing git data; null if it holds back
   * nothing.
   */
  readonly keptUntil: UnixSeconds | null
  /** The one parent that all of them lack, an address or an id; null if there is none, or more than one. */
  readonly obstacle: string | null
  /** An event id in hex, or null. */
  readonly example: string | null
  /** The highest number of times that one of them was sent. */
  readonly attempts: number
}

/**
 * Events refused for good for one reason; with the outcome `duplicate`, events that the target holds but does not
 * serve.
 */
export type RefusedStatus = {
  readonly outcome: Outcome
  /** The target's own text, unescaped (rule 7). */
  readonly reason: string
  readonly count: number
  /** The target's claimed software when it refused them. */
  readonly software: string | null
  /** An event id in hex, or null. */
  readonly example: string | null
}

/** One event in the spool. */
type SpooledStatus = OfShard & {
  readonly target: string
  readonly id: string
  readonly kind: number
  /** The address of its repository, as far as it is known. */
  readonly repository: string | null
  /** `<kind>:<pubkey>:<d>` of an addressable or replaceable event; otherwise null. */
  readonly address: string | null
  readonly layer: LayerName
  readonly outcome: Outcome
  /** The target's own text, unescaped (rule 7). */
  readonly reason: string
  /** The missing parent, an address or an id; null if there is none or it is unknown. */
  readonly obstacle: string | null
  /** How often it was sent. */
  readonly attempts: number
  readonly sources: readonly string[]
}

/** One event that waits on disk (`status --parked`). */
export type ParkedEvent = SpooledStatus & {
  readonly parkedAt: UnixSeconds
  /** Earliest time to send it again; null: in the next run, or when the target serves its parent. */
  readonly nextTryAt: UnixSeconds | null
}

/** One event that was refused for good or given up (`status --refused`). */
export type RefusedEvent = SpooledStatus & {
  readonly refusedAt: UnixSeconds
  /** The target's claimed software when it refused the event. */
  readonly software: string | null
}

/** One past run. `durationMs` and `exit` are null if it is running or was killed. */
export type RunStatus = {
  readonly startedAt: UnixSeconds
  readonly durationMs: number | null
  readonly command: CommandName
  readonly exit: number | null
  readonly published: number
  readonly parked: number
  /** The error that ended it, unescaped (rule 7); null if there was none. */
  readonly reason: string | null
}

/** The shard that something belongs to, `number` (from 1) of `of`; null: to runs without `--shard`. */
type OfShard = { readonly shard: { readonly number: number; readonly of: number } | null }

/** The stored state of one target, or of one shard of it. */
export type TargetStatus = OfShard & {
  readonly target: string
  /** Every source that was ever named, until none of a year's runs names it. */
  readonly sources: readonly SourceStatus[]
  readonly coverage: readonly CheckpointStatus[]
  readonly parked: readonly ParkedStatus[]
  readonly refused: readonly RefusedStatus[]
  /** The repositories with events that wait or were refused, worst first; at most 10,000. */
  readonly repositories: readonly RepositoryStatus[]
  /** How many more there are. */
  readonly repositoriesLeftOut: number
  /** The last ten, newest first. */
  readonly runs: readonly RunStatus[]
  /** The run that holds the lock now. */
  readonly lock: { readonly pid: number; readonly host: string; readonly startedAt: UnixSeconds } | null
}

/**
 * The content of the state file as plain data; rendered by `cli/render/render-status.ts` and
 * `cli/render/render-json.ts`.
 */
export type Status = {
  readonly version: 1
  readonly stateFile: string
  readonly targets: readonly TargetStatus[]
}
