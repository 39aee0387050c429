import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Verifier } from '../nostr/verifier.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { TargetState } from '../store/target-state.ts'
import type { Clock } from '../time.ts'

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

/** How relays are reached that strangers named: without a key, and at allowed addresses only. */
export type StrangersGate = {
  /** Every address that the host of a URL has now; none when that cannot be told in time. */
  readonly addressesOf: (url: string) => Promise<readonly string[]>
  /** Nothing is dialled but what `isAllowed`. */
  readonly open: (url: string, isAllowed: (address: string) => boolean) => Endpoint
}
