import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'

/** How the answer to a REQ ends. `never`: nothing more comes; `drop`: the connection is cut. */
export type ReqEnd =
  | { readonly type: 'eose'; /** A third element (NIP-67). */ readonly hint?: string }
  | { readonly type: 'never' }
  | { readonly type: 'drop' }
  | { readonly type: 'closed'; readonly reason: string }
  | { readonly type: 'notice'; readonly text: string }

/** A whole answer to a REQ: rows, then the end, then whatever comes too late. */
export type ReqAnswer = {
  readonly rows: readonly unknown[]
  readonly end: ReqEnd
  /** Rows sent after the end. */
  readonly late?: readonly unknown[]
  /** CLOSED for the same REQ, after the end and the late rows. */
  readonly closedLate?: string
  /** Between the end and what comes after it. @default 0: in the same packet */
  readonly lateDelayMs?: number
  /** Before each row and before the end. @default 0 */
  readonly delayMs?: number
}

/** What `onReq` gets to know. */
export type ReqContext = {
  readonly subId: string
  readonly filters: readonly Filter[]
  /** 0 for the first REQ that this relay received, over all connections. */
  readonly index: number
  /** 0 for the first connection. */
  readonly connection: number
  /** Whether the client has said who it is (NIP-42). */
  readonly authenticated: boolean
  /** What the relay would answer otherwise, the convenience options applied; change a copy to misbehave. */
  readonly answer: ReqAnswer
}

/** What a relay does with an EVENT: no `ok`, no OK; `store` says whether it is kept. @default store: as `ok` */
export type EventReply = {
  readonly ok?: boolean
  readonly text?: string
  readonly store?: boolean
  /** Before the OK. @default 0 */
  readonly delayMs?: number
  /** Cuts the connection, after the OK if there is one. */
  readonly drop?: boolean
}

/** `silent`: neither kept nor answered; `drop-connection`: neither kept nor answered, and the connection is cut. */
export type EventDecision = 'default' | 'silent' | 'drop-connection' | EventReply

/** What a relay does with a NEG-OPEN instead of reconciling. */
export type NegDecision = 'default' | 'silent' | { readonly error: string } | { readonly notice: string }

/** A raw answer to the request for the NIP-11 document. */
export type DocumentReply = {
  /** @default 200 */
  readonly status?: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly delayMs?: number
}

/** So many at once, then `gain` for each second without any. */
type Bucket = { readonly burst: number; readonly gain: number }

/** What each connection may do, as ngit-grasp 3.0.10 has it; what is absent is not limited. */
export type Limits = {
  /** REQ and NEG-OPEN together. */
  readonly queries?: Bucket
  /** NEG-MSG. */
  readonly messages?: Bucket
  /** Frames of any type. */
  readonly frames?: Bucket
  /** Open reconciliations, and the events that they hold together. */
  readonly sessions?: number
  readonly items?: number
  /** How long a second is, in milliseconds. @default 1,000 */
  readonly secondMs?: number
}

/** What may be sent in the place of a frame. */
export type Outgoing = readonly unknown[] | string | Buffer

/** The ways in which a scripted relay may behave; none set is a correct relay. All may change while it runs. */
export type Behaviour = {
  /** The most rows of a filter, whatever `limit` asks. */
  pageCap?: number
  ignoreUntil?: boolean
  ignoreSince?: boolean
  /** Oldest first instead of newest first; the page cap still cuts off the oldest. */
  unordered?: boolean
  /** Sends the first page of a connection again for every later REQ. */
  repeatPage?: boolean
  neverEose?: boolean
  /** EOSE after so many rows; the others come after it. */
  eoseEarly?: number
  /** A reason ends this filter's REQ with CLOSED, without rows. */
  closeReq?: (filter: Filter) => string | undefined
  /** Answers every REQ with this NOTICE and nothing else. */
  noticeOnly?: string
  /** Before each row and each EOSE. */
  delayMs?: number
  /** Cuts the connection after so many rows of each REQ that has more. */
  dropAfterRows?: number
  /** Rows added behind those that match: forged, unasked, not even events. */
  extraRows?: (filter: Filter) => readonly unknown[]
  /** Rows sent after each EOSE. */
  sendAfterEose?: (filter: Filter) => readonly unknown[]
  /** Events that are held, and listed by NIP-77, but never served. */
  hides?: (event: NostrEvent) => boolean
  /** Filters that are answered as if nothing matched, by REQ and by NIP-77. */
  ignores?: (filter: Filter) => boolean
  /** The last word on a REQ; the options above are in `context.answer`. */
  onReq?: (context: ReqContext) => 'default' | ReqAnswer | Promise<'default' | ReqAnswer>
  /** `connection` is 0 for the first one. */
  onEvent?: (event: NostrEvent, connection: number) => EventDecision | Promise<EventDecision>
  /** Whether an EVENT must have the right id and signature. @default true */
  verify?: boolean
  /** Whether NIP-09 is followed. @default true */
  deletions?: boolean
  /** Whether NIP-77 is spoken; if not, NEG-OPEN gets a NOTICE. @default false */
  negentropy?: boolean
  /** More matching events than this get NEG-ERR `blocked: too many query results` with this number. */
  negentropyMax?: number
  /** Of more matching events than this, only the newest are compared, and nobody is told. */
  negentropyCut?: number
  /** The same, but the oldest are compared. */
  negentropyCutsNewest?: number
  /** Events that are served, and not listed by NIP-77. */
  unlisted?: (event: NostrEvent) => boolean
  /** @default 60,000 */
  negentropyFrameBytes?: number
  onNegOpen?: (filter: Filter) => NegDecision
  /** What is said to NEG-CLOSE. @default nothing */
  onNegClose?: (subId: string) => readonly unknown[] | undefined
  /** Counted over all connections in `received.refusals`. */
  limits?: Limits
  /** What needs NIP-42 first. @default nothing, and no challenge is sent */
  requireAuth?: readonly ('read' | 'write')[]
  /**
   * Sees every frame before it goes out; what it returns goes out instead: frames, text that is sent as it is, or raw
   * bytes of a text frame.
   */
  outgoing?: (frame: readonly unknown[]) => readonly Outgoing[]
  /** What happens to new WebSocket connections; `hang`: the handshake is never answered. @default `accept` */
  connections?: 'accept' | 'refuse' | 'hang'
  /** Fields of the NIP-11 document beside or over the usual ones. */
  document?: Readonly<Record<string, unknown>>
  /** Answers the request for the document instead. */
  onDocument?: () => DocumentReply
  /** The `Date` header minus our clock; `none` sends no header. @default 0 */
  dateOffsetSeconds?: number | 'none'
}

/** Everything that a scripted relay received, in order. */
export type Received = {
  connections: number
  /** Connections that offered compression; it is not taken up. */
  offers: number
  readonly reqs: { readonly connection: number; readonly subId: string; readonly filters: readonly Filter[] }[]
  /** Every EVENT, kept or not; the same one as often as it was sent. */
  readonly events: NostrEvent[]
  /** Subscription ids of CLOSE. */
  readonly closes: string[]
  readonly auths: NostrEvent[]
  /** NEG-OPEN, NEG-MSG and NEG-CLOSE. */
  readonly negs: { readonly label: string; readonly subId: string; readonly filter?: Filter }[]
  /** Every message, parsed; text that is no JSON as it came. */
  readonly frames: unknown[]
  /** Requests for the NIP-11 document. */
  documents: number
  /** How often each of the `limits` was met, by the text of the answer. */
  readonly refusals: Map<string, number>
}
