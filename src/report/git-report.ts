import type { GitCopies } from './copies-report.ts'
import type { UnixSeconds } from '../time.ts'

/** How a git server stands against the signed state; of several, the worst. */
export type GitVerdict =
  | 'in sync'
  | 'behind'
  | 'missing'
  | 'extra'
  | 'HEAD differs'
  | 'empty'
  | 'no repository'
  | 'no state announced'
  | 'unreachable'
  | 'not asked'

/** One URL of a repository, compared with its newest authorised state. */
export type GitPlaceReport = {
  readonly url: string
  /** Whether it is the target's own; the others are `clone` URLs of the announcement. */
  readonly isTarget: boolean
  readonly verdict: GitVerdict
  /** Names of refs, at most ten of each sort, unescaped (rule 7); the counts are of all. */
  readonly behind: readonly string[]
  readonly missing: readonly string[]
  readonly extra: readonly string[]
  readonly counts: { readonly behind: number; readonly missing: number; readonly extra: number }
  /** The ref that HEAD stands for there; null if it was not said. */
  readonly head: string | null
  /** Why it could not be asked, or what the server said instead; unescaped. */
  readonly reason: string | null
  /** With `--deep`, if this repository was in the part that was cloned. */
  readonly clone: { readonly isSound: boolean | null; readonly reason: string | null } | null
}

/** What to do about a repository. */
export type GitRemedy =
  | { readonly type: 'nothing' }
  /** The target looks for the data itself until then. */
  | { readonly type: 'target fetches'; readonly until: UnixSeconds | null }
  | { readonly type: 'repair' }
  /** The operator's exact command on the machine of the target. */
  | { readonly type: 'operator'; readonly command: string }
  /** No server has these objects: each was asked for them, by id too; at most ten of their ids. */
  | { readonly type: 'lost'; readonly ids: readonly string[] }
  /** Some server could not be asked or did not say, and no other has it. */
  | { readonly type: 'unknown' }
  /** The run was stopped before it looked. */
  | { readonly type: 'run again' }

/** What a repair did for one repository. */
export type GitRepair = {
  readonly outcome: 'released' | 'already' | 'denied' | 'no data' | 'too large' | 'given up' | 'planned'
  /** The server's words or ours, unescaped; null if there is nothing to say. */
  readonly reason: string | null
  /** Missing object ids, at most ten. */
  readonly missing: readonly string[]
}

/** One repository of the scope whose git data was looked at. */
export type GitRepositoryReport = {
  /** An address `30617:…`. */
  readonly repository: string
  readonly name: string | null
  /** The newest authorised state event; null if none was found. */
  readonly state: { readonly id: string; readonly createdAt: UnixSeconds; readonly isHeldBack: boolean } | null
  /** The target first. */
  readonly places: readonly GitPlaceReport[]
  /** URLs that have everything that the state and the pull requests name. */
  readonly hasAll: readonly string[]
  readonly remedy: GitRemedy
  /** Null unless a repair was asked for and this repository needed it. */
  readonly repair: GitRepair | null
}

/** What git servers serve against what the signed states say. */
export type GitReport = {
  /** In scope, as far as is known when a run is stopped early. */
  readonly repositories: number
  /** Null if every repository was looked at; else why the run was stopped before, and how many it did not look at. */
  readonly stopped: { readonly reason: string; readonly repositories: number } | null
  /** At the target: as their states say, or without one. */
  readonly inSync: number
  /** At the target: differing, or (`--deep`) with objects missing behind the refs. */
  readonly differing: number
  /** At the target's own server: could not be asked, or (`--deep`) not proved. */
  readonly unasked: number
  /** At the target, by verdict; absent means none. */
  readonly verdicts: Readonly<Partial<Record<GitVerdict, number>>>
  /** With `--deep`: how many were cloned from the target; null without it. */
  readonly cloned: number | null
  /** How many repairs ended how; empty if nothing was repaired. */
  readonly repairs: Readonly<Partial<Record<GitRepair['outcome'], number>>>
  /** Differing, and some object is shown by no server. */
  readonly lost: number
  /** With `check --copies`; otherwise null. */
  readonly copies: GitCopies | null
  readonly requests: number
  readonly bytes: number
  readonly milliseconds: number
  /** Those that are not in sync at the target first; at most 10,000. */
  readonly list: readonly GitRepositoryReport[]
  readonly leftOut: number
}
