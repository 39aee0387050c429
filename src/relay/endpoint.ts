import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import type { Aftermath } from './aftermath.ts'
import type { Notice } from './notices.ts'

/**
 * How one REQ ended. Only `eose` can prove anything (rule 1). `hint` (NIP-67): `finish` means these rows are the last
 * stored matches, `more` that more lie below.
 */
export type End =
  | { readonly type: 'eose'; readonly hint?: 'finish' | 'more' }
  | { readonly type: 'closed'; readonly reason: string }
  | { readonly type: 'idle'; readonly afterMs: number }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'aborted'; readonly reason: string }

/**
 * The unparsed, unverified rows of one REQ and how it ended. `bytes` counts the frames. `isJoined`: the rows come from
 * several REQs, so their number says nothing about the page size. `readOver`: how many more rows came, all older than
 * these, and were dropped to bound memory; ask for them again.
 */
export type Page = {
  readonly rows: readonly unknown[]
  readonly end: End
  readonly bytes: number
  readonly isJoined?: true
  readonly readOver?: number
}

/** Limits that a relay enforces but does not document. A field is absent while the relay accepted everything. */
export type LearntLimits = {
  /** The largest filter, in values of all its lists, and in bytes of JSON. */
  readonly maxFilterValues?: number
  readonly maxFilterBytes?: number
  readonly maxOpenRequests?: number
}

/**
 * An endpoint's answer to one EVENT. `unanswered`: no OK came before the deadline, or the connection was lost;
 * `isUnsent`: there was no connection to send it on. `expired`: the event expired before it could be sent (again), so
 * it was not.
 */
export type Answer =
  | { readonly type: 'ok'; readonly accepted: boolean; readonly text: string }
  | { readonly type: 'unanswered'; readonly reason: string; readonly isUnsent?: true }
  | { readonly type: 'expired' }

/** What an endpoint says about itself before it is used: its NIP-11 document and its handshake. */
export type Profile = {
  readonly name?: string
  readonly software?: string
  readonly version?: string
  /** The public key of the operator. */
  readonly pubkey?: string
  /** The public key of the relay itself. */
  readonly self?: string
  readonly supportedNips: readonly number[]
  readonly supportedGrasps: readonly string[]
  readonly maxMessageBytes?: number
  readonly maxSubscriptions?: number
  readonly maxLimit?: number
  /** The relay says that it serves only authenticated clients (NIP-42). */
  readonly requiresAuth?: true
  /** The relay's clock minus ours in seconds, from the `Date` header; absent without one. */
  readonly clockOffsetSeconds?: number
  /** Why the document could not be read; absent if it was read. */
  readonly documentError?: string
}

/** The common part of relays and files. Never throws because of the network or foreign data. */
type EndpointBase = {
  /** The canonical relay URL, or the file name (`-` for standard input or output). */
  readonly url: string
  /** Connects or opens, and returns what the endpoint says about itself. Throws SyncError when it cannot be reached. */
  open(): Promise<Profile>
  /**
   * Sends one REQ with the filter unchanged and resolves at its end. `aftermath` is told what the relay says after
   * that.
   */
  request(filter: Filter, aftermath?: Aftermath): Promise<Page>
  /** Sends one EVENT; several may be in flight. Calls `isExpired` right before each attempt. */
  publish(event: NostrEvent, isExpired?: () => boolean): Promise<Answer>
  close(): Promise<void>
}

/** A relay. */
export type RelayEndpoint = EndpointBase & {
  readonly kind: 'relay'
  /** The NOTICEs received (NIP-01). */
  notices(): readonly Notice[]
  /** Resolves when no observed end can be taken back any more. */
  settleEnds(): Promise<void>
  /** Why nothing more is asked of this relay in this run; `undefined` while it answers. */
  givenUp(): string | undefined
  /** Whether it was lost and came back: perhaps without what it held, or as another behind the same name. */
  hasReturned(): boolean
  /** What to report when the relay demands authentication (NIP-42) and we have not authenticated. */
  strangeness(): string | undefined
  /** The limits that the relay has enforced so far. */
  learntLimits(): LearntLimits
  /** How many requests suit the relay at once now: more while it is quick, fewer after complaints. */
  requestsAtOnce(): number
  /** How long questions waited because of the relay's limits, in milliseconds. */
  waitedMs(): number
}

/** Lines of a file that are not events; names the first 20. Line numbers start at 1. */
export type BrokenLines = {
  readonly count: number
  readonly examples: readonly { readonly line: number; readonly reason: string }[]
  /** A remedy, if the lines reveal what the file is. */
  readonly advice?: string
}

/** A JSONL file. */
export type FileEndpoint = EndpointBase & {
  readonly kind: 'file'
  /** Yields all matches in bounded memory; a local file needs no proof by paging. */
  scan(filter: Filter): AsyncIterable<Omit<Page, 'end'>>
  brokenLines(): BrokenLines
}

/** An endpoint of a run: a relay on a socket, or a JSONL file. */
export type Endpoint = RelayEndpoint | FileEndpoint

/** Returns the endpoint with another `request`. Drops what a relay offers beyond `Endpoint` (NIP-77). */
export function withRequest(endpoint: Endpoint, request: Endpoint['request']): Endpoint {
  const common = {
    url: endpoint.url,
    open: () => endpoint.open(),
    request,
    publish: (event: NostrEvent, isExpired?: () => boolean) => endpoint.publish(event, isExpired),
    close: () => endpoint.close(),
  }
  if (endpoint.kind === 'file') {
    const { kind } = endpoint
    return { ...common, kind, scan: (filter) => endpoint.scan(filter), brokenLines: () => endpoint.brokenLines() }
  }
  return {
    ...common,
    kind: endpoint.kind,
    notices: () => endpoint.notices(),
    settleEnds: () => endpoint.settleEnds(),
    givenUp: () => endpoint.givenUp(),
    hasReturned: () => endpoint.hasReturned(),
    strangeness: () => endpoint.strangeness(),
    learntLimits: () => endpoint.learntLimits(),
    requestsAtOnce: () => endpoint.requestsAtOnce(),
    waitedMs: () => endpoint.waitedMs(),
  }
}

/** Returns the endpoint with requests whose ends are watched by `aftermath`. */
export function hearEnds(endpoint: Endpoint, aftermath: Aftermath): Endpoint {
  return withRequest(endpoint, (filter) => endpoint.request(filter, aftermath))
}

/** Resolves when no end at this endpoint can be taken back any more; ends of files are final at once. */
export async function settleEnds(endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === 'relay') await endpoint.settleEnds()
}
