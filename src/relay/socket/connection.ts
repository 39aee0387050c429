import type { Socket } from 'node:net'
import { WebSocket, type RawData } from 'ws'
import { isAnswerToRequest } from './refusal.ts'
import { parseRelayMessage, type RelayMessage, type SubscriptionMessage } from './relay-message.ts'
import type { Traffic } from '../pace/traffic.ts'

/**
 * The listener of one subscription; `onLost` is its last call. `onNotice` returns whether the NOTICE was its answer.
 * `onPutOff`: a NOTICE refused a message without saying which; `isOurs` if no other exchange is open.
 */
export type SubscriptionListener = {
  onMessage(message: SubscriptionMessage, bytes: number): void
  onNotice?(text: string): boolean
  onPutOff?(text: string, isOurs: boolean): void
  onLost(reason: string): void
}

/** Waits for the OK to one event. Exactly one of the two is called, once. */
export type OkListener = {
  onOk(accepted: boolean, text: string): void
  onLost(reason: string): void
}

/** Listens to everything that belongs to no single exchange. */
export type ConnectionListener = {
  /** A NOTICE that answers no exchange. */
  onNotice(text: string): void
  /** An unexpected or unreadable frame. */
  onIgnored(): void
  /** A message for a subscription without a listener. */
  onLate(message: SubscriptionMessage): void
  /** This many bytes came unrequested. */
  onUnasked(bytes: number): void
  /** Called before the listeners of the exchanges; `wasUsed` if one of them is still waiting. */
  onLost(lost: { reason: string; wasUsed: boolean }): void
}

/** The most unrequested bytes on one connection: rows after their end, frames for nobody. */
const MAX_UNASKED_BYTES = 1024 * 1024

/** An open WebSocket, and the TCP or TLS stream below it. */
export type Sockets = { readonly socket: WebSocket; readonly stream: Pick<Socket, 'cork' | 'uncork'> }

/** One open socket to a relay. Sends frames, and hands every received frame to its listener. */
export class Connection {
  /** Resolves with the first challenge (NIP-42), or with `undefined` if the connection is lost first. */
  readonly challenged: Promise<string | undefined>
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>
  readonly #socket: WebSocket
  readonly #stream: Sockets['stream']
  readonly #listener: ConnectionListener
  readonly #traffic: Traffic
  readonly #subscriptions = new Map<string, SubscriptionListener>()
  readonly #oks = new Map<string, OkListener>()
  #challenge: string | undefined
  #resolveChallenged: (challenge: string | undefined) => void = () => undefined
  #socketError: Error | undefined
  #lostReason: string | undefined
  #unaskedBytes = 0
  #isGathering = false

  constructor({ socket, stream }: Sockets, listener: ConnectionListener, traffic: Traffic) {
    this.#socket = socket
    this.#stream = stream
    this.#listener = listener
    this.#traffic = traffic
    this.challenged = new Promise((resolve) => (this.#resolveChallenged = resolve))
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('message', (frame, isBinary) => this.#onFrame(frame, isBinary))
    socket.on('error', (error) => (this.#socketError = error))
    // ws answers each ping with a pong.
    socket.on('ping', () => traffic.noteFrame())
    socket.once('close', (code, reason) => this.#onClose(code, reason.toString()))
  }

  /** Whether frames can still be sent; false as soon as either side starts to close. */
  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  /** Why the connection was lost; `undefined` while it is up. */
  get lostReason(): string | undefined {
    return this.#lostReason
  }

  /** The relay's newest challenge (NIP-42). */
  get challenge(): string | undefined {
    return this.#challenge
  }

  /** Sends one frame. Drops it if the socket is closing; its listener then gets `onLost`. */
  send(frame: readonly unknown[]): void {
    if (!this.isOpen) return
    this.#traffic.noteFrame()
    this.#gather()
    this.#socket.send(JSON.stringify(frame))
  }

  /** Sends a frame that frees something we no longer use; waits for the end of a current pause. */
  sendAfterPause(frame: readonly unknown[]): void {
    this.#traffic.afterPause(() => this.send(frame))
  }

  /** Hands the messages of subscription `id` to the listener until `unsubscribe`. */
  subscribe(id: string, listener: SubscriptionListener): void {
    if (this.#lostReason !== undefined) return listener.onLost(this.#lostReason)
    this.#subscriptions.set(id, listener)
  }

  /** Ignores messages of subscription `id` from now on. */
  unsubscribe(id: string): void {
    this.#subscriptions.delete(id)
  }

  /** Hands the next OK for this event to the listener until `forgetOk`. */
  awaitOk(eventId: string, listener: OkListener): void {
    if (this.#lostReason !== undefined) return listener.onLost(this.#lostReason)
    this.#oks.set(eventId, listener)
  }

  /** Ignores an OK for this event from now on. */
  forgetOk(eventId: string): void {
    this.#oks.delete(eventId)
  }

  /** Closes the socket cleanly, or by force if the relay does not answer within the socket's `closeTimeout`. */
  close(): Promise<void> {
    this.#socket.close(1000)
    return this.closed
  }

  /** Frames that are sent in one turn of the event loop go out in one write. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.#stream.cork()
    setImmediate(() => {
      this.#isGathering = false
      this.#stream.uncork()
    })
  }

  #onFrame(frame: RawData, isBinary: boolean): void {
    const bytes = rawLength(frame)
    const message = isBinary || !Buffer.isBuffer(frame) ? undefined : parseRelayMessage(frame.toString())
    if (message !== undefined && this.#dispatch(message, bytes)) return
    this.#listener.onIgnored()
    this.#noteUnasked(bytes)
  }

  /** Drops a relay that keeps sending unrequested data. */
  #noteUnasked(bytes: number): void {
    this.#unaskedBytes += bytes
    this.#listener.onUnasked(bytes)
    if (this.#unaskedBytes <= MAX_UNASKED_BYTES || this.#socketError !== undefined) return
    this.#socketError = new Error('it sent more than 1 MiB that was not asked for')
    this.#socket.terminate()
  }

  #dispatch(message: RelayMessage, bytes: number): boolean {
    switch (message.type) {
      case 'ok':
        return this.#onOk(message.eventId, message.accepted, message.text)
      case 'notice':
        return this.#onNotice(message.text)
      case 'auth':
        return this.#onChallenge(message.challenge)
      case 'event':
      case 'eose':
      case 'closed':
      case 'neg-msg':
      case 'neg-err':
        return this.#onSubscriptionMessage(message, bytes)
    }
  }

  #onSubscriptionMessage(message: SubscriptionMessage, bytes: number): boolean {
    const listener = this.#subscriptions.get(message.subscription)
    listener?.onMessage(message, bytes)
    if (listener === undefined) this.#listener.onLate(message)
    return listener !== undefined
  }

  #onOk(eventId: string, accepted: boolean, text: string): boolean {
    const listener = this.#oks.get(eventId)
    this.#oks.delete(eventId)
    listener?.onOk(accepted, text)
    // Some relays omit the id in a refusal (nostr-relay 1.14); its text must not be lost (rule 5).
    if (listener === undefined && !accepted && text !== '') this.#listener.onNotice(text)
    return listener !== undefined
  }

  #onNotice(text: string): boolean {
    const isAnswer = [...this.#subscriptions.values()].map((listener) => listener.onNotice?.(text) ?? false)
    if (!isAnswer.includes(true)) this.#listener.onNotice(text)
    if (isAnswerToRequest(text)) this.#putOff(text)
    return true
  }

  #putOff(text: string): void {
    const isOnlyOne = this.#subscriptions.size + this.#oks.size === 1
    for (const listener of [...this.#subscriptions.values()]) listener.onPutOff?.(text, isOnlyOne)
  }

  #onChallenge(challenge: string): boolean {
    this.#challenge = challenge
    this.#resolveChallenged(challenge)
    return true
  }

  #onClose(code: number, text: string): void {
    const reason = this.#socketError?.message ?? (text === '' ? `connection closed (${code})` : `${text} (${code})`)
    const waiting = [...this.#subscriptions.values(), ...this.#oks.values()]
    this.#lostReason = reason
    this.#subscriptions.clear()
    this.#oks.clear()
    this.#listener.onLost({ reason, wasUsed: waiting.length > 0 })
    this.#resolveChallenged(undefined)
    for (const listener of waiting) listener.onLost(reason)
  }
}

function rawLength(frame: RawData): number {
  return Array.isArray(frame) ? frame.reduce((sum, part) => sum + part.length, 0) : frame.byteLength
}
