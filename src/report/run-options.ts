import type { Address } from '../nostr/address.ts'
import type { Rate, UnixSeconds } from '../time.ts'
import type { CommandName } from './report.ts'

/** The requested scope. `auto` is decided by the target's NIP-11 document. */
export type ScopeRequest =
  | { readonly type: 'auto' }
  | { readonly type: 'all' }
  | { readonly type: 'listed' }
  | { readonly type: 'named'; readonly addresses: readonly Address[]; readonly authors: readonly string[] }

/** The limits of discovery. `max`: relays beyond those named by the operator. */
export type DiscoveryPolicy = {
  readonly max: number
  /** Also loopback and private addresses. */
  readonly allowPrivate: boolean
  /** Also public hosts without encryption (`ws://`). */
  readonly allowInsecure: boolean
}

/** What a run does with git data (`--git`). */
export type GitOptions = {
  /** `--deep N/T`: clones the N-th (from 1) of T parts of the repositories. */
  readonly deep: { readonly number: number; readonly of: number } | undefined
  /** Whether a repair may delete branches and tags of the target that the state does not name. */
  readonly pruneRefs: boolean
  /** What may be read from git servers. */
  readonly maxBytes: number
  /** Whether strangers' URLs may lead to loopback and private addresses. */
  readonly allowPrivate: boolean
}

/** One run, parsed and checked. Times are Unix seconds; durations name their unit. */
export type RunOptions = {
  readonly command: CommandName
  /** Canonical relay URLs, file names, or `-`. */
  readonly sources: readonly string[]
  readonly target: string
  readonly scope: ScopeRequest
  /** Public URL of the target (`--service`), for scope `listed`. */
  readonly service: string | undefined
  readonly since: UnixSeconds | undefined
  readonly until: UnixSeconds | undefined
  readonly full: boolean
  readonly quickWindowSeconds: number
  /** `Infinity` for `never`. */
  readonly fullEverySeconds: number
  readonly overlapSeconds: number
  readonly deletions: 'apply' | 'skip'
  /** Layer 4: events that refer to comments, statuses and the like. */
  readonly followUps: boolean
  /** `--discover`: further sources from announcements. */
  readonly discovery: DiscoveryPolicy | undefined
  /** Plans and reports, but sends and moves nothing; always true for `check`. */
  readonly dryRun: boolean
  /** `check --ids`: the report lists the missing events. */
  readonly listIds: boolean
  /** `retry --refused`: also tries refused and given-up events. */
  readonly reopenRefused: boolean
  /** Whether relays may be compared by NIP-77; otherwise everything is paged. */
  readonly reconcile: boolean
  readonly maxBytesPerSource: number
  /** `--git`; undefined without it. */
  readonly git: GitOptions | undefined
  readonly forgetParkedSeconds: number
  /** How long to stay for what waits after publishing (`--settle`). */
  readonly settleMs: number | undefined
  /** `--max-send`: a larger plan stops before anything is sent. */
  readonly maxSend: SendLimit | undefined
  /** `check --sample`: the part of the repositories that is read back from the target and verified. */
  readonly sample: Part | undefined
  /** `check --copies N`: at how many of its ends, the target and the named sources, each event shall be. */
  readonly copies: number | undefined
  /** `--shard`: the part of the repositories that the run is about; undefined: all. */
  readonly shard: Part | undefined
}

/** One of `of` parts; `number` from 1. */
export type Part = { readonly number: number; readonly of: number }

/** How much a plan may send: a number of events, or a share of what the target was seen to hold. */
export type SendLimit =
  { readonly type: 'events'; readonly count: number } | { readonly type: 'percent'; readonly percent: number }

/** How fast events are sent, and how long a run may take. */
export type PacingOptions = {
  /** Per connection. `known`: the known rate of the target's software; `none`: as fast as the target accepts events. */
  readonly rate: Rate | 'known' | 'none'
  /** Connections to the target. */
  readonly connections: number
  readonly maxDurationMs: number | undefined
}

/** How long to wait for relays, and how often to try again. */
export type ConnectionOptions = {
  /** Attempts after the first. */
  readonly retries: number
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly okTimeoutMs: number
  /** Whether relays are offered compression; `auto`: where an earlier run leaves little to read. */
  readonly compress: 'auto' | 'always' | 'never'
}

/** Inclusive bounds on `created_at`. */
export type Window = { readonly since: UnixSeconds | undefined; readonly until: UnixSeconds | undefined }

/** Whether the run brings the target up to date, by the checkpoints. */
export function copiesToDate({ command }: RunOptions): boolean {
  return command === 'catchup' || command === 'repair' || command === 'serve'
}

/** Whether only events between `since` and `until` are copied or compared. */
export function isWindowed({ command, since, until }: RunOptions): boolean {
  return command === 'backfill' || (command === 'check' && (since !== undefined || until !== undefined))
}

/** The window of a run; without bounds where everything is copied or compared. */
export function windowOf(options: RunOptions): Window {
  const { since, until } = options
  return isWindowed(options) ? { since, until } : { since: undefined, until: undefined }
}

/** Whether an event was signed within the window. */
export function isWithin(
  { created_at: createdAt }: { readonly created_at: UnixSeconds },
  { since = 0, until = Infinity }: Window,
): boolean {
  return createdAt >= since && createdAt <= until
}
