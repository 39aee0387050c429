import type { HeldTally } from './compare.ts'
import type { Discovery, StrangersGate } from './discovering.ts'
import type { Fate } from './fate.ts'
import type { IntakeContext } from './intake.ts'
import type { Knowledge } from './knowledge.ts'
import type { Ledger } from './ledger.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { Verifier } from './nostr/verifier.ts'
import type { OpenSource, ReadingContext } from './reading.ts'
import type { Aftermath } from './relay/aftermath.ts'
import type { Endpoint } from './relay/endpoint.ts'
import type { Pacer } from './relay/pacing.ts'
import type { Peer } from './relay/peer.ts'
import type { CheckReport, LayerName } from './report.ts'
import type { RunOptions } from './run-options.ts'
import type { ScopeChoice } from './scope-choice.ts'
import type { SelectContext } from './select.ts'
import type { SourceLog } from './source-log.ts'
import type { TargetState } from './store/target-state.ts'
import type { Clock } from './time.ts'
import type { TargetGaps } from './target-gaps.ts'
import type { WitnessLog } from './witness-log.ts'

/** What a person may watch while the run goes on. */
export type Progress = {
  fetched(layer: LayerName, source: string, events: number): void
  sending(sent: number, total: number): void
  /** Sending is about to take more than a minute. */
  longSending(forecast: { readonly events: number; readonly rate: string; readonly durationMs: number }): void
}

/** The outside world, handed in by `cli/main.ts`. */
export type World = {
  readonly target: Endpoint
  readonly sources: readonly Endpoint[]
  readonly state: TargetState
  readonly verifier: Verifier
  /** A pacer for the target, once it is known what it is. */
  readonly createPacer: (software: string | undefined) => Pacer
  readonly clock: Clock
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** Aborted with an OutOfTimeError: sources end, nothing more is sent. */
  readonly deadline: AbortSignal
  readonly progress: Progress
  /** `check`: takes each event that the target lacks. */
  readonly onMissing?: (event: NostrEvent) => Promise<void>
  /** How relays are reached that strangers named. */
  readonly strangers: StrangersGate
}

/** Everything that a run carries from stage to stage. */
export type Run = {
  readonly options: RunOptions
  readonly world: World
  readonly number: number
  readonly startedAt: number
  readonly target: Peer
  /** What follows the ends of what the target was asked of deletions and versions. */
  readonly targetAside: Aftermath
  readonly software: string | undefined
  readonly choice: ScopeChoice
  /** Grows while announcements lead to more. */
  readonly sources: readonly OpenSource[]
  /** By URL; of sources that could not be opened as well. */
  readonly logs: ReadonlyMap<string, SourceLog>
  readonly knowledge: Knowledge
  readonly ledger: Ledger
  readonly fate: Fate
  readonly witnesses: WitnessLog
  readonly held: HeldTally
  readonly reading: ReadingContext
  readonly selection: Omit<SelectContext, Exclude<keyof IntakeContext, 'target'> | 'members' | 'peers'>
  /** With `--discover`. */
  readonly discovery: Discovery | undefined
  /** Where the target may hide something: nothing it lacks is overlooked, but what only it has may be. */
  readonly targetGaps: TargetGaps
  /** What `check` found, `NOTHING_COMPARED` until then; null for other commands. */
  check: CheckReport | null
  /** The run ended before everything was selected: nothing may move. */
  wasCutShort: boolean
}

/** Whether only what lies between `since` and `until` is copied or compared. */
export function isWindowed({ command, since, until }: RunOptions): boolean {
  return command === 'backfill' || (command === 'check' && (since !== undefined || until !== undefined))
}
