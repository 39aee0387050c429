import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import type { Connection, SubscriptionListener } from '../socket/connection.ts'
import type { Reach } from '../socket/link.ts'
import type { OpenEnds } from '../socket/open-ends.ts'
import { readRefusal, type Refusal } from '../socket/refusal.ts'
import type { SubscriptionMessage } from '../socket/relay-message.ts'
import { SessionPlace } from './session-place.ts'
import type { Turn, TurnEnd } from '../pace/throttle.ts'
import type { Traffic } from '../pace/traffic.ts'

/**
 * A relay's answer to one message of a reconciliation. Everything but `msg` ends the session. `error`: NEG-ERR, with
 * the relay's cap if it gives one, or CLOSED after the first answer. `refused`: NOTICE or CLOSED instead of the first
 * answer, so probably no NIP-77. `bytes` counts the frame.
 */
export type NegentropyAnswer =
  | { readonly type: 'msg'; readonly hex: string; readonly bytes: number }
  | { readonly type: 'error'; readonly reason: string; readonly cap?: number }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'idle' }
  | { readonly type: 'disconnected'; readonly reason: string }

/** One reconciliation (NIP-77). One `send` at a time; it lives on one connection and is never repeated. */
export type NegentropySession = {
  /**
   * Sends NEG-OPEN with the filter first, NEG-MSG after that, and resolves with the answer. After the session has
   * ended, resolves with its last answer.
   */
  send(hex: string): Promise<NegentropyAnswer>
  /** Sends NEG-CLOSE unless the relay ended the session. Idempotent. */
  close(): void
}

/** The inputs of a session. */
export type NegentropyOptions = {
  readonly id: string
  readonly filter: Filter
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
  readonly traffic: Traffic
  readonly nowMs: () => number
  /** The session's place among the sessions of the relay. A caller that passes one must release it. */
  readonly place?: SessionPlace | undefined
  readonly connected: () => Promise<Reach>
  /** Whether the relay accepted our key on this connection (NIP-42); absent without a key. */
  readonly authenticate?: ((connection: Connection) => Promise<boolean>) | undefined
  readonly onAnswered: () => void
  /** Called when the relay does not answer in time in a session that it has answered before. */
  readonly onSilent: () => void
  readonly ends: OpenEnds
  /** Told what follows the end of a successful session. */
  readonly aftermath: Aftermath | undefined
}

/** A session that connects at its first `send`. */
export class LinkedNegentropySession implements NegentropySession, SubscriptionListener {
  readonly #options: NegentropyOptions
  readonly #place: SessionPlace
  readonly #onAbort = (): void => this.#end({ type: 'disconnected', reason: String(this.#options.signal.reason) })
  #id: string
  #connection: Connection | undefined
  #resolve: ((answer: NegentropyAnswer) => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #authenticatedOn: Connection | undefined
  #isFirstAtPlace = false
  #wasAnswered = false
  #isClosed = false
  #last: NegentropyAnswer | undefined

  constructor(options: NegentropyOptions) {
    this.#options = options
    this.#place = options.place ?? new SessionPlace()
    this.#id = options.id
  }

  async send(hex: string): Promise<NegentropyAnswer> {
    const { traffic } = this.#options
    if (this.#connection === undefined || this.#last !== undefined) return this.#last ?? this.#openPatiently(hex)
    const turn = await traffic.messageTurn()
    const answer = this.#last ?? (await this.#exchange(this.#connection, ['NEG-MSG', this.#id, hex]))
    traffic.messages.settle(turn, turnEndOf(answer))
    return answer
  }

  close(): void {
    if (this.#last === undefined || this.#last.type === 'idle') this.#closeThere()
    this.#isClosed = true
    this.#options.ends.concludeSession(this.#id, this.#last === undefined && this.#wasAnswered)
    this.#end({ type: 'disconnected', reason: 'session closed' })
    if (this.#options.place === undefined) this.#place.release()
  }

  onMessage(message: SubscriptionMessage, bytes: number): void {
    switch (message.type) {
      case 'neg-msg':
        return this.#continue({ type: 'msg', hex: message.hex, bytes })
      case 'neg-err':
        // If the relay only postpones one message, the session stays open (ngit-grasp).
        if (this.#wasAnswered && readRefusal(message.reason) === 'pause') this.#closeThere()
        return this.#end({
          type: 'error',
          reason: message.reason,
          ...(message.cap !== undefined && { cap: message.cap }),
        })
      case 'closed':
        return this.#end({ type: this.#wasAnswered ? 'error' : 'refused', reason: message.reason })
      case 'event':
      case 'eose':
        return
    }
  }

  onNotice(text: string): boolean {
    const refusal = readRefusal(text)
    if (this.#wasAnswered || refusal === 'fewer-requests') return false
    // The notice may refer to another session; then the relay has opened this one and keeps it open.
    if (refusal !== 'final') this.#closeThere()
    this.#end({ type: 'refused', reason: text })
    return true
  }

  onLost(reason: string): void {
    this.#end({ type: 'disconnected', reason })
  }

  /** Opens again under another id while the relay only postpones the session or first asks for authentication. */
  async #openPatiently(hex: string): Promise<NegentropyAnswer> {
    const { traffic, nowMs } = this.#options
    let putOffSinceMs: number | undefined
    for (let tries = 1; ; tries += 1) {
      const { answer, turn } = await this.#tryToOpen(hex)
      const isPutOff = await this.#isWorthRepeating(answer, turn)
      if (!isPutOff || this.#isClosed) return answer
      putOffSinceMs ??= nowMs()
      if (!traffic.isWorthAnother(putOffSinceMs)) return answer
      this.#id = `${this.#options.id}.${tries}`
      this.#last = undefined
    }
  }

  async #tryToOpen(hex: string): Promise<{ answer: NegentropyAnswer; turn: Turn }> {
    const { traffic, connected } = this.#options
    if (!this.#place.isHeld) this.#isFirstAtPlace = true
    await this.#place.take(traffic.sessions)
    const turn = await traffic.queryTurn()
    const reach = await connected()
    if (reach.type !== 'connected') this.#end({ type: 'disconnected', reason: reach.reason })
    else if (this.#last === undefined) return { turn, answer: await this.#open(reach.connection, hex) }
    return { turn, answer: this.#last ?? { type: 'disconnected', reason: 'session closed' } }
  }

  #open(connection: Connection, hex: string): Promise<NegentropyAnswer> {
    this.#connection = connection
    this.#options.signal.addEventListener('abort', this.#onAbort)
    const answer = this.#exchange(connection, ['NEG-OPEN', this.#id, this.#options.filter, hex])
    this.#options.ends.expect(this.#id, { filter: undefined, connection, aftermath: this.#options.aftermath })
    connection.subscribe(this.#id, this)
    return answer
  }

  async #isWorthRepeating(answer: NegentropyAnswer, turn: Turn): Promise<boolean> {
    const { queries, sessions } = this.#options.traffic
    const refusal = refusalOf(answer)
    // A session that kept its place must not wait for the others, because they may wait for it.
    const others = this.#isFirstAtPlace ? sessions.taken - 1 : 0
    const isFull = refusal === 'fewer-sessions' || refusal === 'fewer-items'
    if (refusal === 'pause' || (refusal === 'fewer-sessions' && others < 1)) return queries.settle(turn, 'refused')
    queries.settle(turn, turnEndOf(answer))
    if (refusal === 'authenticate') return this.#authenticate()
    if (!isFull || others < 1) return false
    // Together they hold too many items: one session at a time for the rest of the run.
    sessions.resize(refusal === 'fewer-items' ? 1 : Math.min(sessions.limit, others))
    this.#place.release()
    return true
  }

  async #authenticate(): Promise<boolean> {
    const connection = this.#connection
    if (connection === undefined || connection === this.#authenticatedOn) return false
    this.#authenticatedOn = connection
    return (await this.#options.authenticate?.(connection)) ?? false
  }

  #closeThere(): void {
    this.#connection?.sendAfterPause(['NEG-CLOSE', this.#id])
  }

  #exchange(connection: Connection, frame: readonly unknown[]): Promise<NegentropyAnswer> {
    this.#idleTimer = setTimeout(() => this.#onIdle(), this.#options.idleTimeoutMs)
    connection.send(frame)
    return new Promise((resolve) => (this.#resolve = resolve))
  }

  /** Relays without NIP-77 may ignore NEG-OPEN, so silence at the opening is not `onSilent`. */
  #onIdle(): void {
    if (this.#wasAnswered) this.#options.onSilent()
    this.#end({ type: 'idle' })
  }

  #continue(answer: NegentropyAnswer): void {
    this.#wasAnswered = true
    this.#options.onAnswered()
    this.#settle(answer)
  }

  #end(answer: NegentropyAnswer): void {
    this.#options.ends.concludeSession(this.#id, false)
    this.#last = answer
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#connection?.unsubscribe(this.#id)
    this.#settle(answer)
  }

  #settle(answer: NegentropyAnswer): void {
    clearTimeout(this.#idleTimer)
    this.#resolve?.(answer)
    this.#resolve = undefined
  }
}

function refusalOf(answer: NegentropyAnswer): Refusal | undefined {
  return answer.type === 'error' || answer.type === 'refused' ? readRefusal(answer.reason) : undefined
}

function turnEndOf(answer: NegentropyAnswer): TurnEnd {
  if (answer.type === 'idle' || answer.type === 'disconnected') return 'lost'
  return refusalOf(answer) === 'pause' ? 'refused' : 'taken'
}
