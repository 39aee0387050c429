import type { Filter } from '../nostr/filter.ts'
import type { Connection, SubscriptionListener } from './connection.ts'
import type { Reach } from './link.ts'
import type { SubscriptionMessage } from './relay-message.ts'

/**
 * What a relay said to one message of a reconciliation. Everything but `msg` ends the session. `error`: NEG-ERR, with
 * the relay's cap where it names one, or CLOSED after the first answer. `refused`: NOTICE or CLOSED in place of the
 * first answer, so most likely no NIP-77. `bytes` counts the frame.
 */
export type NegentropyAnswer =
  | { readonly type: 'msg'; readonly hex: string; readonly bytes: number }
  | { readonly type: 'error'; readonly reason: string; readonly cap?: number }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'idle' }
  | { readonly type: 'disconnected'; readonly reason: string }

/** One reconciliation (NIP-77), message by message: one `send` at a time. It lives on one connection and is never repeated. */
export type NegentropySession = {
  /** Sends NEG-OPEN with the filter the first time, NEG-MSG after that; resolves with the answer, and with the last one again once the session has ended. */
  send(hex: string): Promise<NegentropyAnswer>
  /** Sends NEG-CLOSE, unless the relay ended the session; idempotent. */
  close(): void
}

/** What a session needs of its relay. */
export type NegentropyOptions = {
  readonly id: string
  readonly filter: Filter
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
  readonly connected: () => Promise<Reach>
  /** Whether the relay accepted our key on this connection (NIP-42); absent without one. */
  readonly authenticate?: ((connection: Connection) => Promise<boolean>) | undefined
  readonly onAnswered: () => void
}

/** A session that connects with its first `send`. */
export class LinkedNegentropySession implements NegentropySession, SubscriptionListener {
  readonly #options: NegentropyOptions
  readonly #onAbort = (): void => this.#end({ type: 'disconnected', reason: String(this.#options.signal.reason) })
  #id: string
  #connection: Connection | undefined
  #resolve: ((answer: NegentropyAnswer) => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #wasAnswered = false
  #last: NegentropyAnswer | undefined

  constructor(options: NegentropyOptions) {
    this.#options = options
    this.#id = options.id
  }

  async send(hex: string): Promise<NegentropyAnswer> {
    const { connected } = this.#options
    if (this.#last !== undefined) return this.#last
    if (this.#connection !== undefined) return this.#exchange(this.#connection, ['NEG-MSG', this.#id, hex])
    const reach = await connected()
    if (reach.type !== 'connected') this.#end({ type: 'disconnected', reason: reach.reason })
    else if (this.#last === undefined) return this.#openForUs(reach.connection, hex)
    return this.send(hex)
  }

  close(): void {
    if (this.#last === undefined || this.#last.type === 'idle') this.#connection?.send(['NEG-CLOSE', this.#id])
    this.#end({ type: 'disconnected', reason: 'session closed' })
  }

  onMessage(message: SubscriptionMessage, bytes: number): void {
    switch (message.type) {
      case 'neg-msg':
        return this.#continue({ type: 'msg', hex: message.hex, bytes })
      case 'neg-err':
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
    if (this.#wasAnswered) return false
    this.#end({ type: 'refused', reason: text })
    return true
  }

  onLost(reason: string): void {
    this.#end({ type: 'disconnected', reason })
  }

  /** Opens again once, under another id, when the relay first wants to know who we are. */
  async #openForUs(connection: Connection, hex: string): Promise<NegentropyAnswer> {
    const answer = await this.#open(connection, hex)
    if (!wantsAuthentication(answer) || !(await this.#options.authenticate?.(connection))) return answer
    if (this.#last !== answer) return this.#last ?? answer
    this.#id = `${this.#id}a`
    this.#last = undefined
    return this.#open(connection, hex)
  }

  #open(connection: Connection, hex: string): Promise<NegentropyAnswer> {
    this.#connection = connection
    this.#options.signal.addEventListener('abort', this.#onAbort)
    const answer = this.#exchange(connection, ['NEG-OPEN', this.#id, this.#options.filter, hex])
    connection.subscribe(this.#id, this)
    return answer
  }

  #exchange(connection: Connection, frame: readonly unknown[]): Promise<NegentropyAnswer> {
    this.#idleTimer = setTimeout(() => this.#end({ type: 'idle' }), this.#options.idleTimeoutMs)
    connection.send(frame)
    return new Promise((resolve) => (this.#resolve = resolve))
  }

  #continue(answer: NegentropyAnswer): void {
    this.#wasAnswered = true
    this.#options.onAnswered()
    this.#settle(answer)
  }

  #end(answer: NegentropyAnswer): void {
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

function wantsAuthentication(answer: NegentropyAnswer): boolean {
  return (answer.type === 'error' || answer.type === 'refused') && answer.reason.startsWith('auth-required:')
}
