import type { Range } from './negentropy-message.ts'

/**
 * Why a comparison failed. `refused`: no NIP-77, or not for us. `too-many`: more events than the relay compares at
 * once. `wrong`: its answer breaks the protocol. `lost`: it stopped answering. `endless`: past the bounds of the
 * comparison. `stopped`: by the caller.
 */
type FailureKind = 'refused' | 'too-many' | 'wrong' | 'lost' | 'endless' | 'stopped'

/** Why a responder did not answer. `cap` is set if the relay gives one. */
export type ResponderFailure = {
  readonly type: 'failed'
  readonly kind: FailureKind
  readonly reason: string
  readonly cap?: number
}

/** Bytes of frames. */
export type Traffic = { sent: number; received: number }

/** A set of events that answers negentropy messages without keeping state. One `ask` at a time. */
export type Responder = {
  /** The most bytes that a message to it may have. */
  readonly maxMessageBytes: number
  /** The bytes sent and received so far. */
  readonly traffic: Readonly<Traffic>
  /** Answers one message. Throws ProtocolError when the answer breaks the protocol. */
  ask(
    ranges: readonly Range[],
  ): Promise<{ readonly type: 'ranges'; readonly ranges: readonly Range[] } | ResponderFailure>
  close(): void
}
