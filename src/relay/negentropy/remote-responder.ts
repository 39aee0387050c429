import type { Filter } from '../../nostr/filter.ts'
import { decodeMessage, encodeMessage, ProtocolError, type Range } from './negentropy-message.ts'
import type { NegentropyAnswer, NegentropySession } from './negentropy-session.ts'
import { isTooMany, type NegentropySupport } from './negentropy-support.ts'
import type { Responder, ResponderFailure, Traffic } from './responder.ts'
import { SessionPlace } from './session-place.ts'

/** The inputs of a responder. */
export type RemoteOptions = {
  readonly filter: Filter
  readonly open: (filter: Filter, idleTimeoutMs: number | undefined, place: SessionPlace) => NegentropySession
  readonly support: NegentropySupport
  /** The largest frame that the relay accepts, in bytes. @default 128 KiB */
  readonly maxFrameBytes?: number
}

// Common relays accept this much, whatever they claim.
const FRAME_BYTES = 128 * 1024
// 60 kB of hex: within every known frame limit, in bytes or in hex.
const MESSAGE_BYTES = 30_000
const LEAST_MESSAGE_BYTES = 1_024
// Relays cut their answers at 60 kB, 500 kB or 1 MiB.
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
// Label, subscription, commas and quotes.
const ENVELOPE_BYTES = 24

/**
 * The events of a relay that match a filter. The session opens with the first message, and reopens if the relay drops
 * it (khatru does after 7 s without a message). An answer depends only on its message, so the next session continues
 * where the last one ended.
 */
export class RemoteResponder implements Responder {
  readonly traffic: Traffic = { sent: 0, received: 0 }
  readonly maxMessageBytes: number
  readonly #options: RemoteOptions
  readonly #place = new SessionPlace()
  #session: NegentropySession | undefined

  constructor(options: RemoteOptions) {
    const { filter, maxFrameBytes = FRAME_BYTES } = options
    const hexRoom = maxFrameBytes - Buffer.byteLength(JSON.stringify(filter)) - 4 * ENVELOPE_BYTES
    this.#options = options
    this.maxMessageBytes = Math.max(LEAST_MESSAGE_BYTES, Math.min(MESSAGE_BYTES, Math.floor(hexRoom / 2)))
  }

  async ask(ranges: readonly Range[]): Promise<{ type: 'ranges'; ranges: readonly Range[] } | ResponderFailure> {
    const answer = await this.#exchange(encodeMessage(ranges))
    if (answer.type !== 'msg') return toFailure(answer)
    if (answer.hex.length > 2 * MAX_ANSWER_BYTES) throw new ProtocolError('it sends a message that is too long')
    return { type: 'ranges', ranges: decodeMessage(answer.hex) }
  }

  close(): void {
    if (this.#session !== undefined) this.traffic.sent += ENVELOPE_BYTES
    this.#session?.close()
    this.#session = undefined
    this.#place.release()
  }

  async #exchange(hex: string): Promise<NegentropyAnswer> {
    if (this.#session !== undefined) {
      this.traffic.sent += hex.length + ENVELOPE_BYTES
      const answer = this.#count(await this.#session.send(hex))
      if (answer.type === 'msg') return answer
      this.#session.close()
    }
    return this.#options.support.firstAnswer((idleTimeoutMs) => this.#open(hex, idleTimeoutMs))
  }

  async #open(hex: string, idleTimeoutMs?: number): Promise<NegentropyAnswer> {
    const { filter, open } = this.#options
    const session = open(filter, idleTimeoutMs, this.#place)
    this.traffic.sent += hex.length + Buffer.byteLength(JSON.stringify(filter)) + ENVELOPE_BYTES
    const answer = this.#count(await session.send(hex))
    this.#session = answer.type === 'msg' ? session : undefined
    if (answer.type !== 'msg') session.close()
    return answer
  }

  #count(answer: NegentropyAnswer): NegentropyAnswer {
    if (answer.type === 'msg') this.traffic.received += answer.bytes
    else if (answer.type === 'error' || answer.type === 'refused') {
      this.traffic.received += Buffer.byteLength(answer.reason) + ENVELOPE_BYTES
    }
    return answer
  }
}

function toFailure(answer: Exclude<NegentropyAnswer, { type: 'msg' }>): ResponderFailure {
  switch (answer.type) {
    case 'idle':
      return { type: 'failed', kind: 'lost', reason: 'it stopped answering NIP-77' }
    case 'disconnected':
      return { type: 'failed', kind: 'lost', reason: answer.reason }
    case 'refused':
      return { type: 'failed', kind: 'refused', reason: answer.reason }
    case 'error': {
      const { reason, cap } = answer
      const kind = isTooMany(answer) ? 'too-many' : 'refused'
      return { type: 'failed', kind, reason, ...(cap !== undefined && { cap }) }
    }
  }
}
