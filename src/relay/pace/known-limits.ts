import { SLACK_MS } from './pace.ts'
import type { Profile } from '../endpoint.ts'
import type { SilenceRate } from './silence-bucket.ts'
import { isTodaysGrasp } from '../software.ts'

/**
 * Undocumented limits per connection, known from the relay's software; absent means unknown. For EVENTs see
 * `knownRate`.
 */
export type KnownLimits = {
  /** REQ, COUNT and NEG-OPEN together; beyond: CLOSED or NEG-ERR `rate-limited: too many queries`. */
  readonly queries?: SilenceRate
  /** NEG-MSG; beyond: NEG-ERR with the same text. */
  readonly negentropyMessages?: SilenceRate
  /** Frames of any type; beyond: the connection is cut without a message. */
  readonly frames?: SilenceRate
  /** Open reconciliations (NIP-77). */
  readonly maxNegentropySessions?: number
  /** Events that all open reconciliations hold together. */
  readonly maxNegentropyItems?: number
  /** The JSON of one event, in bytes. */
  readonly maxEventBytes?: number
}

const SECOND_MS = 1_000 + SLACK_MS

/** ngit-grasp 3.0.10, whose library counts whole seconds of silence. */
const TODAYS_GRASP: KnownLimits = {
  queries: { burst: 1_200, gain: 20, intervalMs: SECOND_MS },
  negentropyMessages: { burst: 1_200, gain: 20, intervalMs: SECOND_MS },
  frames: { burst: 6_000, gain: 100, intervalMs: SECOND_MS },
  maxNegentropySessions: 10,
  maxNegentropyItems: 50_000,
  maxEventBytes: 196_608,
}

const NOTHING: KnownLimits = {}

/** The known limits of this software. */
export function knownLimits(profile: Pick<Profile, 'software' | 'version'>): KnownLimits {
  return isTodaysGrasp(profile) ? TODAYS_GRASP : NOTHING
}
