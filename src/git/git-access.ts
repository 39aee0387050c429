/** The id of a git object: 40 lower-case hex digits (SHA-1) or 64 (SHA-256). */
export type ObjectId = string

/** Full names of refs (`refs/heads/main`) with what they point to; peeled values (`^{}`) are left out. */
export type Refs = ReadonlyMap<string, ObjectId>

/** A repository at a git server. `isNamed`: the operator named its host, so private addresses are allowed. */
export type GitPlace = { readonly url: string; readonly isNamed: boolean }

/** What a git server says it has. */
export type Listing =
  | {
      readonly type: 'refs'
      readonly refs: Refs
      /** The ref that HEAD stands for, also if that ref does not exist; null if the server does not say. */
      readonly head: string | null
      readonly format: 'sha1' | 'sha256'
    }
  /** The server answers, and has no repository there (404, or what it says instead). */
  | { readonly type: 'no repository'; readonly reason: string }
  | { readonly type: 'unreachable'; readonly reason: string }
  /** Not dialled, or given up at a limit of ours: what and why. */
  | { readonly type: 'not asked'; readonly reason: string }

/** Whether a server has an object, shown by a ref or not; `not known`: it did not say. */
export type Probed = 'has it' | 'lacks it' | 'not known'

/** What a fetch brought. `reason`: why the server gave less than it was asked for; null if it gave all. */
export type Fetched = { readonly reason: string | null; readonly isTooLarge: boolean }

/** One ref of a push; `to` null deletes it. */
export type RefUpdate = { readonly ref: string; readonly to: ObjectId | null }

/** What became of a push: all refs or none. */
export type Pushed =
  | { readonly type: 'pushed' }
  /** A hook refused a ref, or git did: the server's words, unescaped. */
  | { readonly type: 'denied'; readonly reason: string }
  /** The server let no push begin (HTTP 401, 403, 404): it takes none, or has not made the repository yet. */
  | { readonly type: 'turned away'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string }

/** A bare repository on disk for the objects of one repository; close it when done. */
export type Workshop = {
  /**
   * Fetches these objects and all that they reach from one server, checked (`transfer.fsckObjects`). `advertised`: the
   * ids that its refs point to; these are asked for together, the others one by one.
   */
  readonly fetch: (place: GitPlace, ids: readonly ObjectId[], advertised: ReadonlySet<ObjectId>) => Promise<Fetched>
  /** Of these ids, those that are not here with everything that they reach. */
  readonly findIncomplete: (ids: readonly ObjectId[]) => Promise<readonly ObjectId[]>
  /** Pushes exactly these refs, all or none. Forces only at the target, where a signed state demands it. */
  readonly push: (place: GitPlace, updates: readonly RefUpdate[]) => Promise<Pushed>
  readonly close: () => Promise<void>
}

/** What a whole bare clone shows: equal refs prove tips only. */
export type CloneProof =
  | { readonly type: 'sound' }
  /** Objects that the server lacks, as git names them: at most ten. */
  | { readonly type: 'broken'; readonly reason: string; readonly missing: readonly ObjectId[] }
  | { readonly type: 'not proved'; readonly reason: string }

/** What was spent on git servers so far. */
export type GitCosts = { readonly requests: number; readonly bytes: number }

/**
 * What a run may do with git servers, and the system's git. The CLI hands it in: it alone opens sockets and starts git.
 * No method rejects for what a server does; all reject when the run is aborted.
 */
export type GitAccess = {
  /** Lists `HEAD`, `refs/heads/`, `refs/tags/` and `refs/nostr/` (protocol v2, `ls-refs`). */
  readonly listRefs: (place: GitPlace) => Promise<Listing>
  /** Asks a repository for objects by their ids; an answer for each. */
  readonly probe: (place: GitPlace, ids: readonly ObjectId[]) => Promise<ReadonlyMap<ObjectId, Probed>>
  /** Opens the workshop of a repository `30617:…`. Throws SyncError without a git that is new enough. */
  readonly openWorkshop: (address: string) => Promise<Workshop>
  /** Clones everything and checks that it is connected. */
  readonly proveClone: (place: GitPlace) => Promise<CloneProof>
  readonly costs: () => GitCosts
}
