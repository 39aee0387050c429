import type { Address } from '../nostr/address.ts'
import type { Rate, UnixSeconds } from '../time.ts'
import type { CommandName } from './report.ts'

/** What belongs to the run, as asked for. `auto` is decided by the target's NIP-11 document. */
export type ScopeRequest =
  | { readonly type: 'auto' }
  | { readonly type: 'all' }
  | { readonly type: 'listed' }
  | { readonly type: 'named'; readonly addresses: readonly Address[]; readonly authors: readonly string[] }

/** What may be discovered. `max`: relays beyond those that the operator named. */
export type DiscoveryPolicy = {
  readonly max: number
  /** Loopback and private addresses too. */
  readonly allowPrivate: boolean
  /** Public hosts without encryption (`ws://`) too. */
  readonly allowInsecure: boolean
}

/** One run, parsed and checked. Times are Unix seconds, durations say their unit. */
export type RunOptions = {
  readonly command: CommandName
  /** Normalised relay URLs, file names, or `-`. */
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
  /** Layer 4: what refers to comments, statuses and the like. */
  readonly followUps: boolean
  /** `--discover`: further sources from announcements. */
  readonly discovery: DiscoveryPolicy | undefined
  /** Plans and reports, sends nothing and moves nothing; always so for `check`. */
  readonly dryRun: boolean
  /** `check --ids`: the report lists what is missing. */
  readonly listIds: boolean
  /** `retry --refused`: tries what was refused or given up as well. */
  readonly reopenRefused: boolean
  /** Whether relays may be compared by NIP-77; else everything is paged. */
  readonly reconcile: boolean
  readonly maxBytesPerSource: number
  readonly forgetParkedSeconds: number
}

/** How fast events are sent, and how long a run may take. */
export type PacingOptions = {
  /** Of each connection; `known`: by what is known of the target's software; `none`: as fast as it takes them. */
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
}

/** Inclusive bounds on `created_at`. */
export type Window = { readonly since: UnixSeconds | undefined; readonly until: UnixSeconds | undefined }

/** Whether only what lies between `since` and `until` is copied or compared. */
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
