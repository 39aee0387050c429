import type { NostrEvent } from '../../nostr/event.ts'
import { explainDemand, type Authentication } from './authentication.ts'
import type { Connection } from './connection.ts'
import { deliver, type Delivery } from './delivery.ts'
import type { Answer } from '../endpoint.ts'
import type { Link } from './link.ts'
import { Slots } from '../pace/slots.ts'
import type { Traffic } from '../pace/traffic.ts'

/** The options for the EVENTs of one relay. */
export type PublicationOptions = {
  readonly okTimeoutMs: number
  readonly signal: AbortSignal
  readonly traffic: Traffic
  /** Absent without a key. */
  readonly authentication: Authentication | undefined
}

/** The result of one attempt. `connection` is `undefined` if there was none to send on. */
type Delivered = {
  readonly delivery: Delivery | { readonly type: 'expired' }
  readonly connection: Connection | undefined
}

/** What one event has tried so far. */
type Tries = { wasLost: boolean; authenticatedOn: Connection | undefined }

/**
 * Publishes EVENTs to one relay, any number in flight; the caller bounds it. After a lost connection, events go one at
 * a time until the lost ones are answered. So an event that makes the relay hang up (usually because it is too large)
 * cannot take others down with it twice.
 */
export class Publications {
  readonly #link: Link
  readonly #options: PublicationOptions
  readonly #inFlight = new Map<string, Promise<Answer>>()
  readonly #places = new Slots(Infinity)
  #lost = 0
  #answeredOn: Connection | undefined

  constructor(link: Link, options: PublicationOptions) {
    this.#link = link
    this.#options = options
  }

  /**
   * Returns the answer to one event. Sends it again, alone, if the connection was lost before the OK; never twice at a
   * time. Calls `isExpired` right before each attempt, and sends nothing if it returns true.
   */
  publish(event: NostrEvent, isExpired = (): boolean => false): Promise<Answer> {
    const earlier = this.#inFlight.get(event.id)
    if (earlier !== undefined) return earlier
    const answer = this.#publishUntilAnswered(event, isExpired).finally(() => this.#inFlight.delete(event.id))
    this.#inFlight.set(event.id, answer)
    return answer
  }

  async #publishUntilAnswered(event: NostrEvent, isExpired: () => boolean): Promise<Answer> {
    const tries: Tries = { wasLost: false, authenticatedOn: undefined }
    try {
      for (;;) {
        const { delivery, connection } = await this.#deliver(event, isExpired)
        if (delivery.type === 'expired') return delivery
        if (connection === undefined) return tries.wasLost ? answerOf(delivery) : unsent(delivery)
        if (!(await this.#isWorthRepeating(delivery, connection, tries))) return this.#explain(answerOf(delivery))
      }
    } finally {
      if (tries.wasLost) this.#noteLost(-1)
    }
  }

  async #deliver(event: NostrEvent, isExpired: () => boolean): Promise<Delivered> {
    await this.#places.acquire()
    try {
      const reach = await this.#link.connected()
      if (reach.type !== 'connected') return { delivery: { ...reach, type: 'disconnected' }, connection: undefined }
      const { connection } = reach
      await this.#options.traffic.roomForFrame()
      if (isExpired()) return { delivery: { type: 'expired' }, connection }
      const delivery = await deliver(connection, 'EVENT', event, this.#options)
      if (delivery.type === 'ok') this.#noteAnswered(connection)
      return { delivery, connection }
    } finally {
      this.#places.release()
    }
  }

  #noteAnswered(connection: Connection): void {
    this.#link.answered()
    this.#answeredOn = connection
  }

  #noteLost(by: 1 | -1): void {
    this.#lost += by
    this.#places.resize(this.#lost > 0 ? 1 : Infinity)
  }

  async #isWorthRepeating(delivery: Delivery, connection: Connection, tries: Tries): Promise<boolean> {
    switch (delivery.type) {
      case 'ok':
        return !delivery.accepted && this.#authenticate(delivery.text, connection, tries)
      case 'disconnected': {
        // A connection that just answered another event may already have been closing, so this event is not to blame.
        if (tries.wasLost) return connection === this.#answeredOn
        tries.wasLost = true
        this.#noteLost(1)
        return true
      }
      case 'unanswered':
        return false
    }
  }

  #explain(answer: Answer): Answer {
    if (answer.type !== 'ok' || answer.accepted || !answer.text.startsWith('auth-required:')) return answer
    return { ...answer, text: explainDemand(answer.text, this.#options.authentication) }
  }

  async #authenticate(text: string, connection: Connection, tries: Tries): Promise<boolean> {
    if (!text.startsWith('auth-required:') || tries.authenticatedOn === connection) return false
    tries.authenticatedOn = connection
    return (await this.#options.authentication?.authenticate(connection)) ?? false
  }
}

/** The event never had a connection. */
function unsent(delivery: Delivery): Answer {
  return delivery.type === 'ok' ? delivery : { type: 'unanswered', reason: delivery.reason, isUnsent: true }
}

function answerOf(delivery: Delivery): Answer {
  return delivery.type === 'disconnected' ? { type: 'unanswered', reason: delivery.reason } : delivery
}
