import type { CommandName, Outcome } from './report.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'

/** What is known of one layer at one source. */
export type CheckpointStatus = {
  readonly source: string
  readonly layer: LayerName
  /** How many anchors were ever drained here. */
  readonly anchors: number
  /** The oldest and the newest time at which an anchor was last drained: the start of that run. */
  readonly oldestDrainedAt: UnixSeconds
  readonly newestDrainedAt: UnixSeconds
  /** The oldest time at which an anchor was last read in full. */
  readonly oldestFullAt: UnixSeconds
}

/** Events that wait on disk for one reason. */
export type ParkedStatus = {
  /** `pending`, `waiting` or `unanswered`. */
  readonly outcome: string
  /** The target's own words, unescaped (rule 7). */
  readonly reason: string
  readonly count: number
  /** When the first of them was parked. */
  readonly oldestAt: UnixSeconds
  /** When the next of them is tried again; null: with the next run. */
  readonly nextTryAt: UnixSeconds | null
  /** Until when the target keeps the first of what it holds back for want of git data; null: it holds back nothing. */
  readonly keptUntil: UnixSeconds | null
  /** The parent that stands in the way of all of them, an address or an id; null when it is none, or not one. */
  readonly obstacle: string | null
  /** An event id in hex, or null. */
  readonly example: string | null
  /** The most that one of them was sent. */
  readonly attempts: number
}

/** Events refused for good for one reason; with the outcome `duplicate`, held by the target and not served. */
export type RefusedStatus = {
  readonly outcome: Outcome
  /** The target's own words, unescaped (rule 7). */
  readonly reason: string
  readonly count: number
  /** What the target said it was when it refused them. */
  readonly software: string | null
  /** An event id in hex, or null. */
  readonly example: string | null
}

/** One event in the spool. */
type SpooledStatus = {
  readonly target: string
  readonly id: string
  readonly kind: number
  /** `<kind>:<pubkey>:<d>` of an addressable or replaceable event; else null. */
  readonly address: string | null
  readonly layer: LayerName
  readonly outcome: Outcome
  /** The target's own words, unescaped (rule 7). */
  readonly reason: string
  /** The parent that stands in the way, an address or an id; null when it is none, or not known. */
  readonly obstacle: string | null
  /** How often it was sent. */
  readonly attempts: number
  readonly sources: readonly string[]
}

/** One event that waits on disk (`status --parked`). */
export type ParkedEvent = SpooledStatus & {
  readonly parkedAt: UnixSeconds
  /** Not sent before; null: with the next run, or when the target serves its parent. */
  readonly nextTryAt: UnixSeconds | null
}

/** One event that was refused for good or given up (`status --refused`). */
export type RefusedEvent = SpooledStatus & {
  readonly refusedAt: UnixSeconds
  /** What the target said it was when it refused it. */
  readonly software: string | null
}

/** One run of the history. `durationMs` and `exit` null: it is running, or it was killed. */
export type RunStatus = {
  readonly startedAt: UnixSeconds
  readonly durationMs: number | null
  readonly command: CommandName
  readonly exit: number | null
  readonly published: number
  readonly parked: number
}

/** What is known of one target. */
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

/** What the state file knows, as plain data; rendered by `cli/render-status.ts` and `cli/render-json.ts`. */
export type Status = {
  readonly version: 1
  readonly stateFile: string
  readonly targets: readonly TargetStatus[]
}
