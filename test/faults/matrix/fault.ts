import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { Stage } from './stage.ts'

/** How full passes are made: by pages alone (`--no-reconcile`), or by NIP-77 between two relays that speak it. */
export type Mode = 'paging' | 'reconcile'

/** When a fault strikes. The layers are read at the source; `checkpointing`: the target has proved everything. */
export type Phase =
  | 'connecting'
  | 'connecting to the target'
  | 'layer 1'
  | 'layer 2'
  | 'layer 3'
  | 'asking the target'
  | 'publishing'
  | 'verifying'
  | 'checkpointing'

/** What a run with the fault must come to. */
export type Expected = {
  /** Any of these, where the moment decides. */
  readonly exit: number | readonly number[]
  /** Found in the problems of the report, or on standard error when there is no report. */
  readonly says?: RegExp
}

/** One fault of the matrix. */
export type Fault = {
  readonly name: string
  /** Where it is tried; the first one is its worst. */
  readonly phases: readonly [Phase, ...Phase[]]
  /** @default both */
  readonly modes?: readonly Mode[]
  /** Which end must be scripted; the others are real relays where the mode allows it. */
  readonly scripts?: 'source' | 'target' | 'both'
  /** True events that the source holds besides those of the scene. */
  readonly events?: readonly NostrEvent[]
  /**
   * What the source holds besides and the target must not get: forged, broken, too large. It stays when all else heals.
   */
  readonly junk?: readonly unknown[]
  /** Of a scripted target: longer messages make it cut the connection. */
  readonly maxMessageBytes?: number
  /** Fields of the NIP-11 document of a scripted target. They stay when all else heals. */
  readonly document?: Readonly<Record<string, unknown>>
  /** The report is read as a person sees it, not as JSON. */
  readonly asTable?: boolean
  /** Options of the run with the fault. */
  readonly args?: readonly string[]
  /** @default 1 */
  readonly retries?: number
  /** Short timeouts: the fault is that something does not come. */
  readonly waits?: boolean
  /** A second source, healthy, that holds these. */
  readonly secondSource?: readonly NostrEvent[]
  /** @default nothing: what the source holds is the fault */
  arm?: ((stage: Stage, phase: Phase) => void | Promise<void>) | undefined
  readonly expected: Expected | ((phase: Phase, mode: Mode) => Expected)
  /** What heals besides the behaviour of the relays. */
  heals?(stage: Stage): void
  /** Seconds that pass before the undisturbed run. */
  readonly laterSeconds?: number
  /** What the undisturbed run must come to beside equal sets. @default exit 0 */
  readonly next?: Expected
  /** Looks at the run with the fault. */
  check?(stage: Stage, phase: Phase): void
}

/** The phases in which a source is read. */
export const LAYERS: readonly [Phase, Phase, Phase] = ['layer 2', 'layer 1', 'layer 3']
