import type { LookupFunction } from 'node:net'
import type { Tell } from '../run-event.ts'
import type { Profile } from './endpoint.ts'
import { knownLimits, type KnownLimits } from './pace/known-limits.ts'
import { SLACK_MS } from './pace/pace.ts'

/** The options of a relay. Sizes count bytes of messages, before compression. */
export type WebSocketRelayOptions = {
  /** Ends everything pending with `aborted`; the socket must still be closed with `close`. */
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** The secret key for NIP-42; without it `auth-required:` is final. */
  readonly key?: Uint8Array
  /** Replaces the system's resolver, for the socket and for the document. */
  readonly lookup?: LookupFunction
  /** Called with every NOTICE that does not end a reconciliation: unescaped, cut at 1,000 characters. */
  readonly onNotice?: (text: string) => void
  /** Told of connections, pauses, repeated questions and notices. */
  readonly tell?: Tell | undefined
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
  /** @default 30_000 */
  readonly idleTimeoutMs?: number
  /** @default 10_000 */
  readonly okTimeoutMs?: number
  /** How many failures in a row are tolerated. @default 3 */
  readonly retries?: number
  /** The first delay before reconnecting; doubles up to 8 s. @default 250 */
  readonly backoffBaseMs?: number
  /** @default 16 MiB */
  readonly maxMessageBytes?: number
  /** @default 32 MiB */
  readonly maxPageBytes?: number
  /** @default 10_000 */
  readonly maxPageRows?: number
  /** How many requests may be open at once at a relay that answers quickly. @default 32 */
  readonly maxOpenRequests?: number
  /** A monotonic clock in milliseconds. @default that of the process */
  readonly nowMs?: () => number
  /** The first pause at an unknown relay that says `rate-limited:`. @default 1_010 */
  readonly silenceMs?: number
  /** How long to wait for a relay that answers every query with `rate-limited:`. @default ten times `idleTimeoutMs` */
  readonly patienceMs?: number
  /** Known limits of the relay's software. @default `knownLimits` */
  readonly limitsOf?: (profile: Profile) => KnownLimits
  /** Whether compression is offered until a connection is lost or fails. @default false */
  readonly perMessageDeflate?: boolean
}

const MIB = 1024 * 1024
/** What holds where an option is absent. */
export const DEFAULTS = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
  okTimeoutMs: 10_000,
  retries: 3,
  backoffBaseMs: 250,
  maxMessageBytes: 16 * MIB,
  maxPageBytes: 32 * MIB,
  maxPageRows: 10_000,
  maxOpenRequests: 32,
  nowMs: () => performance.now(),
  silenceMs: 1_000 + SLACK_MS,
  limitsOf: (profile: Profile) => knownLimits(profile),
  perMessageDeflate: false,
}
