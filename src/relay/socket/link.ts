import { backoffMs, pause } from '../pace/backoff.ts'
import type { Connection, ConnectionListener } from './connection.ts'
import { dial, type DialOptions } from './dial.ts'
import type { End } from '../endpoint.ts'
import type { Tell } from '../../run-event.ts'

/** The options for keeping a link up. */
export type LinkOptions = DialOptions & {
  /** How many failures in a row, with no answer in between, are tolerated; after one more the relay is given up. */
  readonly retries: number
  readonly backoffBaseMs: number
  readonly random: () => number
  /** Authenticates a new connection; returns the reason if the relay hung up because of it. */
  readonly introduce: (connection: Connection) => Promise<string | undefined>
  readonly tell?: Tell | undefined
}

/** The most questions in a row that may stay unanswered; each costs a full timeout. */
const MAX_SILENCES = 3

/** The open connection, or why there is none, as the end of the request that wanted it. */
export type Reach =
  { readonly type: 'connected'; readonly connection: Connection } | Extract<End, { type: 'disconnected' | 'aborted' }>

/**
 * Keeps one connection to a relay. Connects on demand, reconnects with backoff after a loss, and gives up the relay for
 * good after `retries` + 1 failures in a row. Frames prove nothing; only `answered` resets the count, or a relay that
 * greets and hangs up would be dialled forever.
 */
export class Link {
  readonly #url: string
  readonly #options: LinkOptions
  readonly #listener: Omit<ConnectionListener, 'onLost'>
  #connection: Connection | undefined
  #dialling: Promise<Reach> | undefined
  #failures = 0
  #lastFailure = ''
  #clockOffsetSeconds: number | undefined
  #silences = 0
  #givenUp: string | undefined
  #hasLost = false
  #connections = 0

  constructor(url: string, options: LinkOptions, listener: Omit<ConnectionListener, 'onLost'>) {
    this.#url = url
    this.#options = options
    this.#listener = listener
  }

  /** The relay's clock minus ours by the last handshake; `undefined` before the first, or if it had no `Date`. */
  get clockOffsetSeconds(): number | undefined {
    return this.#clockOffsetSeconds
  }

  /** The newest challenge (NIP-42) on the last connection. */
  get challenge(): string | undefined {
    return this.#connection?.challenge
  }

  /** Returns the open connection; connects if there is none. */
  async connected(): Promise<Reach> {
    if (this.#options.signal.aborted) return this.#aborted()
    if (this.#givenUp !== undefined) return { type: 'aborted', reason: this.#givenUp }
    if (this.#connection?.isOpen) return { type: 'connected', connection: this.#connection }
    this.#dialling ??= this.#dialUntilConnected().finally(() => (this.#dialling = undefined))
    return this.#dialling
  }

  /** Authenticates, now that the relay's document is known. */
  async introduced(): Promise<Reach> {
    const reach = await this.connected()
    if (reach.type === 'connected') await this.#introduce(reach.connection)
    return this.connected()
  }

  /** Whether a dial has failed since the relay last answered. */
  get hasFailed(): boolean {
    return this.#failures > 0
  }

  /** Whether a connection was lost and another made since. */
  get hasReturned(): boolean {
    return this.#connections > 1
  }

  /** Notes that the relay answered: resets its failures. */
  answered(): void {
    this.#failures = 0
    this.#silences = 0
  }

  /** Notes that a question was not answered within this time. After three in a row nothing more is asked. */
  silent(timeoutMs: number): void {
    this.#silences += 1
    if (this.#silences < MAX_SILENCES) return
    this.#givenUp ??= `given up: ${MAX_SILENCES} questions in a row got no answer within ${timeoutMs / 1000} s`
  }

  /** Why nothing more is asked of this relay; `undefined` while it is in use. */
  get givenUp(): string | undefined {
    return this.#givenUp
  }

  /** Closes the connection. Call it after the signal has aborted, which ends a dial in progress. */
  async close(): Promise<void> {
    await this.#dialling
    await this.#connection?.close()
  }

  async #dialUntilConnected(): Promise<Reach> {
    const { signal, retries, backoffBaseMs, random } = this.#options
    while (this.#failures <= retries) {
      if (this.#failures > 0) await this.#pause(backoffMs(this.#failures, backoffBaseMs, random))
      if (signal.aborted) return this.#aborted()
      const reach = await this.#dialOnce()
      if (reach !== undefined) return reach
    }
    return { type: 'disconnected', reason: this.#lastFailure }
  }

  async #pause(waitMs: number): Promise<void> {
    const { signal, tell } = this.#options
    if (!signal.aborted) tell?.({ type: 'reconnecting', relay: this.#url, waitMs: Math.round(waitMs) })
    await pause(waitMs, signal)
  }

  async #dialOnce(): Promise<Reach | undefined> {
    const { tell } = this.#options
    tell?.({ type: 'connecting', relay: this.#url })
    // Compression may be why: some relays, and proxies before them, announce it and get it wrong.
    const perMessageDeflate = this.#options.perMessageDeflate && !this.#hasLost
    const options = { ...this.#options, perMessageDeflate }
    const dialled = await dial(this.#url, options, {
      ...this.#listener,
      onLost: ({ reason, wasUsed }) => {
        this.#hasLost = true
        this.#tellLost(reason)
        if (wasUsed) this.#noteFailure(reason)
      },
    })
    if (dialled.type === 'failed') {
      this.#tellLost(dialled.reason)
      return this.#noteFailure(dialled.reason)
    }
    tell?.({ type: 'connected', relay: this.#url })
    this.#clockOffsetSeconds = dialled.clockOffsetSeconds
    this.#connection = dialled.connection
    this.#connections += 1
    this.#options.traffic.renew()
    await this.#introduce(dialled.connection)
    return this.#failures === Infinity ? undefined : dialled
  }

  /** A relay that hangs up on our key will do so every time, so give it up. */
  async #introduce(connection: Connection): Promise<void> {
    const reason = await this.#options.introduce(connection)
    if (reason === undefined) return
    this.#noteFailure(reason)
    this.#failures = Infinity
  }

  /** A connection that we closed is not lost. */
  #tellLost(reason: string): void {
    const { tell, signal } = this.#options
    if (!signal.aborted) tell?.({ type: 'disconnected', relay: this.#url, reason })
  }

  #noteFailure(reason: string): undefined {
    this.#hasLost = true
    this.#failures += 1
    this.#lastFailure = reason
  }

  #aborted(): Reach {
    return { type: 'aborted', reason: String(this.#options.signal.reason) }
  }
}
