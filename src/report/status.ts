import type { CommandName, Outcome } from './report.ts'
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
type SpooledStatus = {
  readonly target: string
  readonly id: string
  readonly kind: number
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
}

/** The stored state of one target. */
export type TargetStatus = {
  readonly target: string
  readonly coverage: readonly CheckpointStatus[]
  readonly parked: readonly ParkedStatus[]
  readonly refused: readonly RefusedStatus[]
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
