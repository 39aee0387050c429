import type { Outcome } from '../nostr/outcome.ts'
import type { LayerName } from '../layer-name.ts'
import type { CopiesReport } from './copies-report.ts'
import type { GitReport } from './git-report.ts'
import type { UnixSeconds } from '../time.ts'

export type CommandName = 'catchup' | 'backfill' | 'serve' | 'check' | 'retry' | 'repair'

export type { Outcome } from '../nostr/outcome.ts'

/** How anchors were read: everything by paging, only since a time, or everything by NIP-77. */
export type ReadMode = 'full' | 'since' | 'reconcile'

/** Why an announcement or grasp list was not copied that belongs to another shard (`LayerReport.dropped`). */
export const OTHER_SHARD = 'another shard'

/** One layer over all sources. Counts are events. */
export type LayerReport = {
  readonly layer: LayerName
  /** Rows received from all sources; a row asked for twice counts once per filter. */
  readonly fetched: number
  /** Distinct events among them with correct id and signature. */
  readonly unique: number
  readonly invalid: number
  /** Unique events that the target already served. */
  readonly held: number
  /** Events sent (with `--dry-run`: that would be sent). */
  readonly published: number
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  /** Events found by a full pass that `since` would have missed. */
  readonly lateArrivals: number
  /**
   * Unique events that were not wanted, by reason: `out of scope`, `deleted`, `expired`, `superseded`, `ephemeral`,
   * `audit`, `deletion of others`, `another shard`.
   */
  readonly dropped: Readonly<Record<string, number>>
}

/** The cost of the comparisons (NIP-77) of one layer at one source. Bytes count frames. */
export type ReconcileReport = {
  readonly roundTrips: number
  /** Ids that either side listed; all others were proved equal by fingerprint. */
  readonly listed: number
  /** Listed ids that the target lacks. */
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
  /** Why the layer was not read to its end: its first own reason, and the number of filters affected. */
  readonly reason: string | null
}

export type SourceReport = {
  readonly url: string
  /** Whether it was found through announcements (`--discover`). */
  readonly discovered: boolean
  readonly complete: boolean
  /** Why the source as a whole was not read to its end; null if only single filters were not, or none. */
  readonly reason: string | null
  /**
   * When the anchors read here were last drained before this run (the oldest of those ever drained); null if none was.
   */
  readonly lastDrained: UnixSeconds | null
  /** Why everything was read despite a recent checkpoint, and other remarks. */
  readonly notes: readonly string[]
  readonly layers: readonly SourceLayerReport[]
}

/** One problem or remark: grouped, counted, with an example. */
export type Problem = {
  /** An outcome (`waiting`, `refused`, …), or `source`, `target`, `gap`, `file`, `invalid`, `notice`. */
  readonly what: string
  /** The relay or file where it happened. */
  readonly where: string
  /** The relay's own text, unescaped; escape it before printing (rule 7). */
  readonly reason: string
  readonly count: number
  /** An event id in hex, or null. */
  readonly example: string | null
}

/**
 * Events of one repository that the target accepted and holds back until git data arrives (`purgatory` of GRASP
 * relays).
 */
export type HeldBackRepository = {
  /** An address `30617:…`; null if the events name no known one. */
  readonly repository: string | null
  /** The name in its announcement, unescaped (rule 7); null if it has none. */
  readonly name: string | null
  /** The number of its events held back. */
  readonly events: number
  /** The number of events that wait on disk for these. */
  readonly waiting: number
  /** The missing object ids, at most ten, and their total number. */
  readonly commits: readonly string[]
  readonly commitCount: number
  /**
   * The time until which ngit-grasp keeps the first of them: 30 minutes from its last OK. After that the next run sends
   * it again.
   */
  readonly keptUntil: UnixSeconds | null
}

/** Events of one layer, kind and repository. If both sides reconcile, parts proved equal are not counted. */
export type Difference = {
  readonly layer: LayerName
  readonly kind: number
  /**
   * An address `30617:…`; null if the events name no known one, and for all repositories that come after 100,000
   * differences.
   */
  readonly repository: string | null
  readonly sourceHas: number
  readonly targetHas: number
  readonly missing: number
}

/** Missing events signed from `from` to `to`, both inclusive. */
export type HistogramBin = { readonly from: UnixSeconds; readonly to: UnixSeconds; readonly missing: number }

/** What became of the events of one repository that the target lacked. Counts are events. */
export type RepositoryReport = {
  /** An address `30617:…`; null if the events name no known one. */
  readonly repository: string | null
  /** The name in its announcement, unescaped (rule 7); null if it has none. */
  readonly name: string | null
  /** The target lacked them when the run asked. With `check`: it lacks them. */
  readonly missing: number
  /** The target has them now. */
  readonly sent: number
  /** They wait on disk, those of earlier runs included. */
  readonly waiting: number
  /** Refused for good in this run. */
  readonly refused: number
  /** The target took them, and serves them once git data arrives; those of earlier runs included. */
  readonly pending: number
}

/** The shortest stretch of time in which most of the missing events were signed; both ends inclusive. */
export type SignedStretch = {
  readonly from: UnixSeconds
  readonly to: UnixSeconds
  /** How many were signed in it, of how many. */
  readonly events: number
  readonly of: number
}

/** When the events that the target lacked were signed: an outage shows as a bar. */
export type SigningTimes = {
  /** Null if no stretch of at most 60 days holds four fifths of at least two events. */
  readonly stretch: SignedStretch | null
  /** At most 40 bins of equal width; a few outlying events share a wider bin before and after. */
  readonly histogram: readonly HistogramBin[]
}

/** What `check --sample` read back from the target and verified. */
export type SampleReport = {
  /** The part: `number` of `of`. */
  readonly number: number
  readonly of: number
  readonly repositories: number
  /** How many events were verified; one that two filters match counts twice. */
  readonly events: number
  /** How many of them are not what their authors signed. */
  readonly damaged: number
}

/** The result of `check`. */
export type CheckReport = {
  /** Events that the target lacks and would accept, as far as is known; null if nothing could be compared. */
  readonly missing: number | null
  /** How many of these wait on disk because the target has not accepted them yet. */
  readonly waiting: number
  /** Whether `catchup` without `--full` would leave some of them out, because it asks only for new events. */
  readonly needsFull: boolean
  readonly differences: readonly Difference[]
  /** At most 40 bins of equal width; a few outlying events share a wider bin before and after. */
  readonly histogram: readonly HistogramBin[]
  /** With `--sample`; otherwise null. */
  readonly sample: SampleReport | null
  /** With `--copies`; otherwise null. Null as well if nothing could be compared. */
  readonly copies: CopiesReport | null
  /** With `--ids`; otherwise null. They lie on disk: there may be millions. */
  readonly ids: Iterable<string> | null
  /** With `--both`: the reverse differences, one entry for each source read to its end; otherwise null. */
  readonly both:
    readonly { readonly source: string; readonly missing: number; readonly differences: readonly Difference[] }[] | null
}

/** The shard of a run with `--shard`. */
export type ShardReport = {
  /** The shard: `number` (from 1) of `of`. */
  readonly number: number
  readonly of: number
  /** Equal in shards that make one whole: a hash of what was to be read and copied, from where to where. */
  readonly plan: string
}

/** What `merge-reports` was given. */
export type MergedReport = {
  /** How many shards make the whole. */
  readonly of: number
  /** The numbers of those without a report; any makes the whole incomplete. */
  readonly missing: readonly number[]
  /** How each of the others ended, by number. */
  readonly shards: readonly { readonly number: number; readonly exit: number; readonly startedAt: UnixSeconds }[]
  /** Files that say why a run ended without a report; which shard it was, they do not say. Unescaped (rule 7). */
  readonly failures: readonly { readonly file: string; readonly exit: number; readonly error: string }[]
}

/** The outcome of a run as plain data; rendered by `cli/render/render-table.ts` and `cli/render/render-json.ts`. */
export type Report = {
  readonly version: 1
  /** The profile of the configuration file that was run; absent without one. */
  readonly profile?: string | undefined
  readonly command: CommandName
  readonly exit: number
  readonly complete: boolean
  readonly target: string
  /** The target's claimed software (`ngit-grasp 1.0.2`); null if it claims none. */
  readonly targetSoftware: string | null
  /** With `--shard`; otherwise null. */
  readonly shard: ShardReport | null
  /** Of the reports of several shards, merged; null for the report of a run. */
  readonly merged: MergedReport | null
  readonly scope: { readonly kind: 'all' | 'listed' | 'named'; readonly why: string; readonly repositories: number }
  /** `completeSince` null means everything. `fullAt` null means that some anchor was never read in full. */
  readonly range: { readonly completeSince: UnixSeconds | null; readonly fullAt: UnixSeconds | null }
  /** The window of `backfill`; otherwise null. */
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
    /** Remembered refusals of this and earlier runs. */
    readonly refused: number
  }
  /** The result of `check`; null for other commands. */
  readonly check: CheckReport | null
  /** What git servers serve against what the signed states say; null unless that was looked at (`--git`). */
  readonly git: GitReport | null
  /** The repositories that were hit: those with something left to do first, most events first; at most 10,000. */
  readonly repositories: readonly RepositoryReport[]
  /** How many more were hit. */
  readonly repositoriesLeftOut: number
  readonly signed: SigningTimes
  /** Repositories that wait for git data, those that block the most events first. */
  readonly heldBack: readonly HeldBackRepository[]
  readonly problems: readonly Problem[]
  /** With `--follow-ups`: how many steps away the furthest one lies that this run met; null without. */
  readonly followDepth: number | null
  /** Plain sentences: what the next run will do, why checkpoints were voided, and the like. */
  readonly notes: readonly string[]
}
