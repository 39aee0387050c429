import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import type { Aftermath } from './aftermath.ts'
import type { Notice } from './notices.ts'

/**
 * How one REQ ended. Only `eose` may prove anything (rule 1); the others never do. `hint` (NIP-67): with these rows the
 * stored events that match are at their end, or there are more below.
 */
export type End =
  | { readonly type: 'eose'; readonly hint?: 'finish' | 'more' }
  | { readonly type: 'closed'; readonly reason: string }
  | { readonly type: 'idle'; readonly afterMs: number }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'aborted'; readonly reason: string }

/**
 * The rows of one REQ as received, unparsed and unverified, and how it ended. `bytes` counts the frames. `isJoined`:
 * they are the pages of several REQs, and say nothing of how many rows one page holds. `readOver`: this many rows more
 * came, older than all of these, and were not kept, since these are many bytes; they have to be asked for again.
 */
export type Page = {
  readonly rows: readonly unknown[]
  readonly end: End
  readonly bytes: number
  readonly isJoined?: true
  readonly readOver?: number
}

/** What a relay has shown to allow, and says in no document; absent where it took whatever was asked. */
export type LearntLimits = {
  /** The largest filter, in values of all its lists, and in bytes of JSON. */
  readonly maxFilterValues?: number
  readonly maxFilterBytes?: number
  readonly maxOpenRequests?: number
}

/**
 * What an endpoint said to one EVENT. `unanswered`: no OK came before the deadline, or the connection was lost;
 * `isUnsent`: there was no connection to send it on. `expired`: its time had passed when it was about to be sent, for
 * the first time or again, so it was not.
 */
export type Answer =
  | { readonly type: 'ok'; readonly accepted: boolean; readonly text: string }
  | { readonly type: 'unanswered'; readonly reason: string; readonly isUnsent?: true }
  | { readonly type: 'expired' }

/** What is known of an endpoint before it is used: its NIP-11 document and its handshake. */
export type Profile = {
  readonly name?: string
  readonly software?: string
  readonly version?: string
  /** The public key of whoever runs it. */
  readonly pubkey?: string
  /** The public key of the relay itself. */
  readonly self?: string
  readonly supportedNips: readonly number[]
  readonly supportedGrasps: readonly string[]
  readonly maxMessageBytes?: number
  readonly maxSubscriptions?: number
  readonly maxLimit?: number
  /** It says that it serves nobody whom it does not know (NIP-42). */
  readonly requiresAuth?: true
  /** Their clock minus ours in seconds, by the `Date` header; absent when none came. */
  readonly clockOffsetSeconds?: number
  /** Why the document could not be read; absent when it was. */
  readonly documentError?: string
}

/** What relays and files have in common. Never throws for what a network or a stranger does. */
type EndpointBase = {
  /** The normalised relay URL, or the file name (`-` for standard input or output). */
  readonly url: string
  /** Connects (or opens) and reads what the endpoint says of itself; throws SyncError when it cannot be reached. */
  open(): Promise<Profile>
  /**
   * One REQ, from sending to its end. The filter goes out as it is. `aftermath` is told what a relay says after that
   * end.
   */
  request(filter: Filter, aftermath?: Aftermath): Promise<Page>
  /** One EVENT; several may be in flight. `isExpired` is asked right before each time that it goes out. */
  publish(event: NostrEvent, isExpired?: () => boolean): Promise<Answer>
  close(): Promise<void>
}

/** A relay. */
export type RelayEndpoint = EndpointBase & {
  readonly kind: 'relay'
  /** What it said beside its answers (NOTICE, NIP-01). */
  notices(): readonly Notice[]
  /** Resolves when no end that was asked after may be taken back any more. */
  settleEnds(): Promise<void>
  /** Why nothing more is asked of it in this run; `undefined` while it answers. */
  givenUp(): string | undefined
  /** What is to be said when it asks who we are (NIP-42) and does not know it. */
  strangeness(): string | undefined
  /** What it has refused to take so far. */
  learntLimits(): LearntLimits
  /** How long questions had to wait because it limits them, in milliseconds. */
  waitedMs(): number
}

/** Lines of a file that are no events, the first 20 of them named. Line numbers start at 1. */
export type BrokenLines = {
  readonly count: number
  readonly examples: readonly { readonly line: number; readonly reason: string }[]
  /** What helps, where the lines show what the file is. */
  readonly advice?: string
}

/** A JSONL file. */
export type FileEndpoint = EndpointBase & {
  readonly kind: 'file'
  /** Every match in bounded memory: a local file needs no proof by paging. */
  scan(filter: Filter): AsyncIterable<Omit<Page, 'end'>>
  brokenLines(): BrokenLines
}

/** One end of a run: a relay on a socket, or a JSONL file. */
export type Endpoint = RelayEndpoint | FileEndpoint

/** The endpoint with another way to ask. What a relay can do beside an `Endpoint` (NIP-77) is not taken over. */
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
    strangeness: () => endpoint.strangeness(),
    learntLimits: () => endpoint.learntLimits(),
    waitedMs: () => endpoint.waitedMs(),
  }
}

/** The endpoint as somebody reads it who wants to know what follows the ends of its pages. */
export function hearEnds(endpoint: Endpoint, aftermath: Aftermath): Endpoint {
  return withRequest(endpoint, (filter) => endpoint.request(filter, aftermath))
}

/** Resolves when no end at this endpoint may be taken back any more; those of files never are. */
export async function settleEnds(endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === 'relay') await endpoint.settleEnds()
}
