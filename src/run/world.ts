import type { GitAccess } from '../git/git-access.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Verifier } from '../nostr/verifier.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { Tell } from '../run-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { Clock } from '../time.ts'

/** An event that the target lacks, or does not serve as it should. */
export type FoundDifference = {
  /** `+` the target has nothing of it, `*` it serves an older version, `!` it has said why it does not serve it. */
  readonly sign: '+' | '*' | '!'
  /** Whether it counts as missing: what the target took and holds back, or refused for good, does not. */
  readonly isMissing: boolean
  readonly event: NostrEvent
  /** An address `30617:…`; undefined if the event names no known one. */
  readonly repository: string | undefined
}

/** A read-only relay of our own, from which others take what the target lacks. */
export type OwnRelay = {
  readonly url: string
  /** How many events it serves. */
  readonly size: number
  /** Adds verified events. */
  add(events: readonly NostrEvent[]): void
  has(id: string): boolean
  /** Whether anybody has come to read. */
  readonly wasVisited: boolean
  /** Lets clients in: before that, what it has is not yet all. */
  letIn(): void
  /** Closes the connections of all clients, who may come again; returns how many there were. */
  hangUp(): number
}

/** What `serve` needs beside the rest of the world. */
export type Serving = {
  readonly relay: OwnRelay
  /** A connection to the target of its own: one outlives no restart of the target. */
  readonly connectTarget: () => Promise<Endpoint>
}

/** A list that may be longer than memory should hold. It is gone through from its start, as often as wanted. */
export type GrowingList<T> = Iterable<T> & { add(value: T): void }

/** Makes the lists of a report, which outlive the run. */
export type ReportLists = { create<T>(): GrowingList<T> }

/** The outside world, handed in by `cli/main.ts`. */
export type World = {
  readonly target: Endpoint
  readonly sources: readonly Endpoint[]
  readonly state: TargetState
  readonly verifier: Verifier
  /** Creates the pacer for the target, once its software is known. */
  readonly createPacer: (software: string | undefined) => Pacer
  readonly clock: Clock
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** Aborts with an OutOfTimeError: reading ends, and nothing more is sent. */
  readonly deadline: AbortSignal
  /** Absent if nobody listens: call it by `tell?.(…)`, so that a message nobody wants is not even made. */
  readonly tell?: Tell | undefined
  /** For `check`: receives each event that the target lacks, or does not serve. */
  readonly onDifference?: (difference: FoundDifference) => Promise<void>
  /** For `check`: present if every missing or scarce event shall be listed. */
  readonly lists?: ReportLists | undefined
  /** Opens relays that strangers named. */
  readonly strangers: StrangersGate
  /** Git servers and the system's git; present if the run was asked to look at git data. */
  readonly git?: GitAccess
  /** For `serve`. */
  readonly serving?: Serving | undefined
}

/** Opens relays that strangers named: without a key, and only at allowed addresses. */
export type StrangersGate = {
  /** Every current address of the host of a URL; none when the lookup fails or takes too long. */
  readonly addressesOf: (url: string) => Promise<readonly string[]>
  /** Dials only addresses that `isAllowed` accepts. */
  readonly open: (url: string, isAllowed: (address: string) => boolean) => Endpoint
}
