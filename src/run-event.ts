import type { LayerName } from './layer-name.ts'
import type { Outcome } from './nostr/outcome.ts'

/** How many events of a kind. */
export type KindCount = { readonly kind: number; readonly count: number }

/**
 * What a run with `--settle` waits for: events that the target holds back, or takes only later; without any, those whose
 * parents may still come (`orphans`). `repositories` is 0 if none is known.
 */
export type Waiting = {
  readonly events: number
  readonly repositories: number
  readonly orphans: number
  readonly leftMs: number
}

/** What a run is doing, apart from reading a layer and sending, which have events of their own. */
export type Phase = 'connecting' | 'selecting' | 'counting' | 'confirming'

/**
 * One thing that happens in a run, told at that moment: for the progress line, the log and `--verbose`. The report, not
 * these, says how the run ended. URLs, reasons and texts may be a stranger's and are unescaped (rule 7).
 */
export type RunEvent =
  | { readonly type: 'begun'; readonly command: string; readonly target: string; readonly sources: readonly string[] }
  | { readonly type: 'phase'; readonly phase: Phase }
  | { readonly type: 'reading'; readonly layer: LayerName }
  /** `forecast`: present if it will take more than a minute. */
  | {
      readonly type: 'sending'
      readonly events: number
      readonly forecast?: { readonly rate: string; readonly durationMs: number } | undefined
    }
  /** `--settle`: the target is asked for it again, at most this long. */
  | ({ readonly type: 'waiting' } & Waiting)
  | { readonly type: 'connecting'; readonly relay: string }
  | { readonly type: 'connected'; readonly relay: string }
  /** A connection could not be opened, or was lost. */
  | { readonly type: 'disconnected'; readonly relay: string; readonly reason: string }
  /** Another try to connect, after this pause. */
  | { readonly type: 'reconnecting'; readonly relay: string; readonly waitMs: number }
  /** The NIP-11 document of a relay; `problem`: why it could not be read. */
  | {
      readonly type: 'document'
      readonly relay: string
      readonly software: string | undefined
      readonly version: string | undefined
      readonly problem: string | undefined
    }
  /** A NOTICE with a text that this relay has not sent before; at most twenty a relay. */
  | { readonly type: 'notice'; readonly relay: string; readonly text: string }
  /** Questions or events wait, because the relay wants them slower; `waitMs` if it is known how long. */
  | {
      readonly type: 'slow-down'
      readonly relay: string
      readonly reason: string
      readonly waitMs?: number
    }
  /** A question is asked again, because of how it ended. */
  | { readonly type: 'retry'; readonly relay: string; readonly reason: string }
  /** Rows of a filter, as they come. */
  | { readonly type: 'page'; readonly source: string; readonly layer: LayerName; readonly events: number }
  /** A filter was read to its end, or (`reason`) was not. */
  | {
      readonly type: 'end'
      readonly source: string
      readonly layer: LayerName
      readonly pages: number
      readonly events: number
      readonly reason: string | null
    }
  /** Our own relay lets others take these events, until the target serves them; `software`: what the target runs. */
  | { readonly type: 'serving'; readonly url: string; readonly events: number; readonly software: string | undefined }
  /**
   * So many of those that the target lacked it serves by now. `lacking`: how many of which kind it does not, when last
   * asked for all of them, the most first, at most ten. `isVisited`: somebody has come to our relay to read.
   */
  | {
      readonly type: 'served'
      readonly served: number
      readonly total: number
      readonly lacking: readonly KindCount[]
      readonly isVisited: boolean
    }
  /** The target had taken nothing for so long: connections to our relay were closed, so that it asks anew. */
  | { readonly type: 'hung-up'; readonly clients: number; readonly lullMs: number }
  /** `sent` of `total` so far; `total` grows when waiting events become free. */
  | { readonly type: 'sent'; readonly id: string; readonly sent: number; readonly total: number }
  /** The state of an event changed (`run/fate.ts`). */
  | {
      readonly type: 'event'
      readonly state: 'answered' | 'parked' | 'refused' | 'settled'
      readonly id: string
      readonly kind: number
      readonly layer: LayerName
      readonly outcome: Outcome | undefined
      readonly reason: string | undefined
    }
  /** The git data of one repository was compared, as so many of all before. `verdict`: at the target. */
  | {
      readonly type: 'git'
      readonly repository: string
      readonly verdict: string
      readonly compared: number
      readonly total: number
    }
  /** The git data of so many repositories is looked at, and repaired where it is wanting. */
  | { readonly type: 'repairing'; readonly total: number }
  /** What became of the git data of one repository. `missing`: object ids. */
  | {
      readonly type: 'repaired'
      readonly repository: string
      readonly outcome: string
      readonly reason: string | null
      readonly missing: readonly string[]
      readonly repaired: number
      readonly total: number
    }
  /** The checkpoints of this many anchors moved. */
  | { readonly type: 'checkpoint'; readonly source: string; readonly layer: LayerName; readonly anchors: number }
  /** How a source was read in the whole run, by the report. */
  | { readonly type: 'source'; readonly source: string; readonly complete: boolean; readonly events: number }
  /** A problem of the report. */
  | {
      readonly type: 'problem'
      readonly what: string
      readonly where: string
      readonly reason: string
      readonly count: number
    }
  /** `verdict`: the last sentence of the report, or the error. */
  | { readonly type: 'ended'; readonly exit: number; readonly durationMs: number; readonly verdict: string }

/** Takes what happens. It must not throw: a log that cannot be written ends no run. */
export type Tell = (event: RunEvent) => void
