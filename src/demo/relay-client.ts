import { parseEvent, isExpired, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter, type Matcher } from '../nostr/filter.ts'
import { isEphemeral } from '../nostr/kinds.ts'
import { verifyEvent } from '../nostr/signature.ts'
import type { EventStore } from './event-store.ts'

/** The most rows of one answer, whatever `limit` says. */
export const PAGE_ROWS = 500
const MAX_SUBSCRIPTIONS = 200
const MAX_FILTERS = 20

/** What a relay does for all its clients. */
export type RelayHall = {
  readonly store: EventStore
  /** Unix seconds. */
  readonly now: () => number
  /** Tells every client of a new event. */
  readonly announce: (event: NostrEvent) => void
}

/** One client of a relay: the answers of NIP-01 to what it sends. Whatever a message holds, it is answered in words. */
export class RelayClient {
  readonly #hall: RelayHall
  readonly #send: (message: string) => void
  readonly #subscriptions = new Map<string, readonly Matcher[]>()

  constructor(hall: RelayHall, send: (message: string) => void) {
    this.#hall = hall
    this.#send = send
  }

  /** Answers one message. */
  receive(text: string): void {
    const message = parseMessage(text)
    switch (message?.[0]) {
      case 'EVENT':
        return this.#takeEvent(message[1])
      case 'REQ':
        return this.#answerRequest(message[1], message.slice(2))
      case 'CLOSE':
        return void this.#subscriptions.delete(String(message[1]))
      default:
        return this.#say('NOTICE', 'invalid: this is not EVENT, REQ or CLOSE')
    }
  }

  /** Sends a new event to each subscription that it matches. */
  tell(event: NostrEvent): void {
    for (const [name, matchers] of this.#subscriptions) {
      if (matchers.some((matches) => matches(event))) this.#say('EVENT', name, event)
    }
  }

  #takeEvent(value: unknown): void {
    const event = parseEvent(value)
    if (event === undefined) return this.#say('NOTICE', 'invalid: the event has not the shape of NIP-01')
    const refusal = this.#refusalOf(event)
    if (refusal !== undefined) return this.#say('OK', event.id, false, refusal)
    const isNew = isEphemeral(event.kind) || this.#hall.store.publish(event)
    this.#say('OK', event.id, true, isNew ? '' : 'duplicate: this or a newer version is stored')
    if (isNew) this.#hall.announce(event)
  }

  #refusalOf(event: NostrEvent): string | undefined {
    const verdict = verifyEvent(event)
    if (verdict !== 'valid') return `invalid: ${verdict}`
    if (isExpired(event, this.#hall.now())) return 'invalid: the event has expired'
    return this.#hall.store.isDeleted(event) ? 'blocked: this event is deleted' : undefined
  }

  #answerRequest(name: unknown, filters: readonly unknown[]): void {
    if (typeof name !== 'string') return this.#say('NOTICE', 'invalid: a subscription has a name')
    const known = filters.filter(isFilter)
    if (known.length === 0 || known.length < filters.length || known.length > MAX_FILTERS) {
      return this.#say('CLOSED', name, `invalid: 1 to ${MAX_FILTERS} filters of NIP-01 are needed`)
    }
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS && !this.#subscriptions.has(name)) {
      return this.#say('CLOSED', name, `error: more than ${MAX_SUBSCRIPTIONS} subscriptions`)
    }
    for (const event of this.#find(known)) this.#say('EVENT', name, event)
    this.#say('EOSE', name)
    this.#subscriptions.set(name, known.map(createMatcher))
  }

  /** Every event once, however many filters it matches. */
  #find(filters: readonly Filter[]): NostrEvent[] {
    const found = filters.flatMap((filter) => {
      return this.#hall.store.find({ ...filter, limit: Math.min(filter.limit ?? PAGE_ROWS, PAGE_ROWS) })
    })
    return [...new Map(found.map((event) => [event.id, event])).values()]
  }

  #say(...message: readonly unknown[]): void {
    this.#send(JSON.stringify(message))
  }
}

function parseMessage(text: string): unknown[] | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return Array.isArray(message) ? message : undefined
  } catch {
    return undefined // the client is told, like of any other message that cannot be understood
  }
}

function isFilter(value: unknown): value is Filter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([key, part]) => {
    if (key === 'kinds') return isListOf(part, 'number')
    if (key === 'since' || key === 'until' || key === 'limit') return Number.isSafeInteger(part) && Number(part) >= 0
    return isListOf(part, 'string')
  })
}

function isListOf(value: unknown, type: 'number' | 'string'): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === type)
}
