import type { Outcome } from '../nostr/outcome.ts'
import type { LayerName } from '../layer-name.ts'
import type { UnixSeconds } from '../time.ts'

export type CommandName = 'catchup' | 'backfill' | 'check' | 'retry'

export type { Outcome } from '../nostr/outcome.ts'

/** How anchors were read: everything by paging, only since a time, or everything by NIP-77. */
export type ReadMode = 'full' | 'since' | 'reconcile'

/** One layer over all sources. Counts are events. */
export type LayerReport = {
  readonly layer: LayerName
  /** Rows received from all sources, a row asked for twice counted once per filter. */
  readonly fetched: number
  /** Distinct events among them whose id and signature are right. */
  readonly unique: number
  readonly invalid: number
  /** Of the unique ones, what the target already served. */
  readonly held: number
  /** Events sent (with `--dry-run`: that would be sent). */
  readonly published: number
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  /** What a full pass found and `since` would have missed. */
  readonly lateArrivals: number
  /**
   * Unique events that were not wanted, by why: `out of scope`, `deleted`, `expired`, `superseded`, `ephemeral`,
   * `audit`, `deletion of others`.
   */
  readonly dropped: Readonly<Record<string, number>>
}

/** What the comparisons of one layer at one source took (NIP-77). Bytes are those of the frames. */
export type ReconcileReport = {
  readonly roundTrips: number
  /** Ids that one of the two sides listed; all others were proved equal by their fingerprints. */
  readonly listed: number
  /** Of these, what the target was found to lack. */
  readonly missing: number
  readonly sentToSource: number
  readonly receivedFromSource: number
  readonly sentToTarget: number
  readonly receivedFromTarget: number
}

/** One layer at one source. */
export type SourceLayerReport = {
  readonly layer: LayerName
  /** `since` if any anchor used it. */
  readonly mode: ReadMode
  /** The oldest `since` asked; null when everything was asked. */
  readonly since: UnixSeconds | null
  readonly anchors: Readonly<Record<ReadMode, number>>
  readonly filters: number
  readonly pages: number
  readonly events: number
  readonly bytes: number
  /** Null when nothing was compared by NIP-77. */
  readonly reconcile: ReconcileReport | null
  /** `not asked`: there was nothing to ask for, or the source or the run had ended before. */
  readonly end: 'drained' | 'incomplete' | 'not asked'
  /** Why it was not read to its end: the first reason that is its own, and how many filters it concerns. */
  readonly reason: string | null
}

export type SourceReport = {
  readonly url: string
  /** Whether announcements led to it (`--discover`). */
  readonly discovered: boolean
  readonly complete: boolean
  /** Why the source as a whole was not read to its end; null when that is so of single filters only, or of none. */
  readonly reason: string | null
  /**
   * When the anchors read here were last drained before this run (the oldest of those that ever were); null when none
   * was.
   */
  readonly lastDrained: UnixSeconds | null
  /** Why everything was read although a checkpoint was young, or other things worth a line. */
  readonly notes: readonly string[]
  readonly layers: readonly SourceLayerReport[]
}

/** One thing that went wrong or needs a look: grouped, counted, with an example. */
export type Problem = {
  /** An outcome (`waiting`, `refused`, …), or `source`, `target`, `gap`, `file`, `invalid`, `notice`. */
  readonly what: string
  /** The relay or file it happened at. */
  readonly where: string
  /** The relay's own words, unescaped: whoever prints them escapes them (rule 7). */
  readonly reason: string
  readonly count: number
  /** An event id in hex, or null. */
  readonly example: string | null
}

/** What the target took of one repository and holds back until git data arrives (`purgatory` of GRASP relays). */
export type HeldBackRepository = {
  /** An address `30617:…`; null when the events name none that is known. */
  readonly repository: string | null
  /** What its announcement calls it, unescaped (rule 7); null when it has no name. */
  readonly name: string | null
  /** How many of its events are held back. */
  readonly events: number
  /** How many events wait on disk for these. */
  readonly waiting: number
  /** The object ids that must arrive, at most ten of them; and how many there are. */
  readonly commits: readonly string[]
  readonly commitCount: number
  /**
   * Until when ngit-grasp keeps the first of them: 30 minutes from its last OK. Past that the next run sends it again.
   */
  readonly keptUntil: UnixSeconds | null
}

/**
 * Events of one layer, kind and repository. Read from a pair that reconciles, equal parts are proved equal and not
 * counted.
 */
export type Difference = {
  readonly layer: LayerName
  readonly kind: number
  /** An address `30617:…`; null when the events name none that is known. */
  readonly repository: string | null
  readonly sourceHas: number
  readonly targetHas: number
  readonly missing: number
}

/** Missing events signed from `from` to `to`, both inclusive. */
export type HistogramBin = { readonly from: UnixSeconds; readonly to: UnixSeconds; readonly missing: number }

/** What `check` found. */
export type CheckReport = {
  /** Events that the target lacks and would take, as far as anyone can tell; null: nothing could be compared. */
  readonly missing: number | null
  /** How many of these wait on disk, because the target did not take them yet. */
  readonly waiting: number
  /** Whether `catchup` would leave some of them out without `--full`: it asks only for what is new. */
  readonly needsFull: boolean
  readonly differences: readonly Difference[]
  /** At most 40 bins of one width; the few events that lie far off stand in a wider one before and after. */
  readonly histogram: readonly HistogramBin[]
  /** With `--ids`; else null. */
  readonly ids: readonly string[] | null
  /** With `--both`: the same the other way round, one for each source that was read to its end; else null. */
  readonly both:
    readonly { readonly source: string; readonly missing: number; readonly differences: readonly Difference[] }[] | null
}

/** The outcome of a run as plain data; rendered by `cli/render-table.ts` and `cli/render-json.ts`. */
export type Report = {
  readonly version: 1
  readonly command: CommandName
  readonly exit: number
  readonly complete: boolean
  readonly target: string
  /** What the target says it is (`ngit-grasp 1.0.2`), null when it says nothing. */
  readonly targetSoftware: string | null
  readonly scope: { readonly kind: 'all' | 'listed' | 'named'; readonly why: string; readonly repositories: number }
  /** `completeSince` null means everything. `fullAt` null: some anchor was never read in full. */
  readonly range: { readonly completeSince: UnixSeconds | null; readonly fullAt: UnixSeconds | null }
  /** The window of `backfill`; null otherwise. */
  readonly window: { readonly since: UnixSeconds | null; readonly until: UnixSeconds | null } | null
  readonly dryRun: boolean
  readonly startedAt: UnixSeconds
  readonly durationMs: number
  readonly layers: readonly LayerReport[]
  readonly sources: readonly SourceReport[]
  readonly totals: {
    readonly fetched: number
    readonly unique: number
    readonly held: number
    readonly published: number
    readonly accepted: number
    /** Events that wait on disk after this run. */
    readonly parked: number
    /** Refusals of this and of earlier runs that are remembered. */
    readonly refused: number
  }
  /** What `check` found; null for other commands. */
  readonly check: CheckReport | null
  /** The repositories that wait for git data, those that hold up most first. */
  readonly heldBack: readonly HeldBackRepository[]
  readonly problems: readonly Problem[]
  /** Plain sentences: what the next run will do, why checkpoints were voided, and the like. */
  readonly notes: readonly string[]
}
