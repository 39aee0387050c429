import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'
import type { Outcome } from './report.ts'

/** What is asked about: one event, or whatever stands at an address. */
export type Subject =
  { readonly type: 'id'; readonly id: string } | { readonly type: 'address'; readonly address: string }

/**
 * What a relay or file says about the event. `newer`, `older`: it serves another version of the address. `damaged`: what
 * it serves under this id is not the event. `unanswered`: it could not be asked to the end. `not asked`: `--offline`.
 */
export type PlaceAnswer = {
  readonly url: string
  readonly answer: 'has' | 'newer' | 'older' | 'lacks' | 'damaged' | 'unanswered' | 'not asked'
  /** The id of the other version that it serves; null if it serves none. */
  readonly version: string | null
  /** Why it is damaged or unanswered, unescaped (rule 7); otherwise null. */
  readonly reason: string | null
  /** A source: when what the event belongs to was last read to its end there; null: never, or unknown. */
  readonly drainedAt: UnixSeconds | null
}

/** By which layer and filter an event belongs to a run; `layer` null: it does not, for the reason `why`. */
export type ScopePlace =
  | { readonly layer: LayerName; readonly filter: string; readonly anchor: string; readonly why: null }
  | { readonly layer: null; readonly filter: null; readonly anchor: null; readonly why: string }

/** What the state file remembers of an event that waits or was refused, or that a run is working on. */
export type EventHistory = {
  /** `working`: a run has fetched it and is not through with it. `held`: the target has it without serving it. */
  readonly state: 'working' | 'waiting' | 'refused' | 'held'
  readonly layer: LayerName
  readonly outcome: Outcome | null
  /** The target's own text, unescaped (rule 7). */
  readonly reason: string
  /** The missing parent, an address or an id; null if there is none or it is unknown. */
  readonly obstacle: string | null
  /** How often it was sent. */
  readonly attempts: number
  readonly waitsSince: UnixSeconds | null
  readonly settledAt: UnixSeconds | null
  /** When the target last said OK. */
  readonly lastOkAt: UnixSeconds | null
  /** Earliest time to send it again; null: in the next run, or once its parent is served. */
  readonly nextTryAt: UnixSeconds | null
  /** The target's claimed software when it refused the event. */
  readonly software: string | null
  readonly sources: readonly string[]
}

/** When the target was seen to serve the event; `isOurs`: one of our runs had sent it. */
export type SeenAtTarget = { readonly at: UnixSeconds | null; readonly isOurs: boolean }

/**
 * What became of the event. `missing`: it belongs, a source has it, and no run has sent it yet. `gone`: the target served
 * it once, and nobody does now. `left out`: runs never copy it. `undecided`: the target did not answer. `unknown`: nobody
 * and nothing knows it.
 */
export type WhyVerdict =
  | 'held'
  | 'waiting'
  | 'refused'
  | 'working'
  | 'missing'
  | 'superseded'
  | 'deleted'
  | 'vanished'
  | 'expired'
  | 'left out'
  | 'out of scope'
  | 'damaged'
  | 'gone'
  | 'undecided'
  | 'unknown'

/** The path of one event as plain data; rendered by `cli/render/render-why.ts` and `cli/render/render-json.ts`. */
export type WhyReport = {
  readonly version: 1
  /** 1 when the target, or every source, did not answer, or nothing knows the event. */
  readonly exit: 0 | 1
  readonly subject: Subject
  /** Whether only the state file was asked. */
  readonly offline: boolean
  readonly scope: { readonly kind: 'all' | 'listed' | 'named'; readonly why: string }
  /** With `--shard`: whose rows were asked; `copiedBy`: the shard that copies the event, null if none does by its repository. */
  readonly shard: { readonly number: number; readonly of: number; readonly copiedBy: number | null } | null
  readonly targetSoftware: string | null
  /** Null when nobody shows it and the state file does not hold it. */
  readonly event: {
    readonly id: string
    readonly kind: number
    readonly pubkey: string
    readonly createdAt: UnixSeconds
    /** `<kind>:<pubkey>:<d>` of an addressable or replaceable event; otherwise null. */
    readonly address: string | null
    /** The address of its repository; null if it names no known one. */
    readonly repository: string | null
    /** The name in the announcement of the repository, unescaped and cut. */
    readonly name: string | null
  } | null
  readonly target: PlaceAnswer
  readonly sources: readonly PlaceAnswer[]
  /** Null without an event. */
  readonly place: ScopePlace | null
  readonly history: EventHistory | null
  /** Null: the state file does not say. */
  readonly seenAtTarget: SeenAtTarget | null
  /** The start of the last run that ended, and its exit code; null: there was none. */
  readonly lastRun: { readonly startedAt: UnixSeconds; readonly exit: number } | null
  readonly verdict: WhyVerdict
  /** The id of what decides: the deletion, the request to vanish, or the newer version; null if there is none. */
  readonly by: string | null
}
