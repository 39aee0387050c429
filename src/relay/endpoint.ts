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

/** One end of a run: a relay on a socket, or a JSONL file. Never throws for what a network or a stranger does. */
export interface Endpoint {
  /** The normalised relay URL, or the file name (`-` for standard input or output). */
  readonly url: string
  readonly kind: 'relay' | 'file'
  /** Connects (or opens) and reads what the endpoint says of itself; throws SyncError when it cannot be reached. */
  open(): Promise<Profile>
  /**
   * One REQ, from sending to its end. The filter goes out as it is. `aftermath` is told what a relay says after that
   * end.
   */
  request(filter: Filter, aftermath?: Aftermath): Promise<Page>
  /** Files only: every match in bounded memory. A local file needs no proof by paging. */
  scan?(filter: Filter): AsyncIterable<Omit<Page, 'end'>>
  /** Files only: the lines that are no events, with the first ones named. Line numbers start at 1. */
  brokenLines?(): {
    readonly count: number
    readonly examples: readonly { readonly line: number; readonly reason: string }[]
    /** What helps, where the lines show what the file is. */
    readonly advice?: string
  }
  /** Relays only: what it said beside its answers (NOTICE, NIP-01). */
  notices?(): readonly Notice[]
  /** Relays only: resolves when no end that was asked after may be taken back any more. */
  settleEnds?(): Promise<void>
  /** Relays only: why nothing more is asked of it in this run; `undefined` while it answers. */
  givenUp?(): string | undefined
  /** Relays only: what is to be said when it asks who we are (NIP-42) and does not know it. */
  strangeness?(): string | undefined
  /** Relays only: what it has refused to take so far. */
  learntLimits?(): LearntLimits
  /** Relays only: how long questions had to wait because it limits them, in milliseconds. */
  waitedMs?(): number
  /** One EVENT; several may be in flight. `isExpired` is asked right before each time that it goes out. */
  publish(event: NostrEvent, isExpired?: () => boolean): Promise<Answer>
  close(): Promise<void>
}

/** The endpoint as somebody reads it who wants to know what follows the ends of its pages. */
export function hearEnds(endpoint: Endpoint, aftermath: Aftermath): Endpoint {
  return {
    url: endpoint.url,
    kind: endpoint.kind,
    open: () => endpoint.open(),
    request: (filter) => endpoint.request(filter, aftermath),
    publish: (event, isExpired) => endpoint.publish(event, isExpired),
    close: () => endpoint.close(),
  }
}
