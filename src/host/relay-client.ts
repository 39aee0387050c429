import type { NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter, type Matcher } from '../nostr/filter.ts'
import { Comparisons } from './comparisons.ts'
import type { IdSets } from './id-sets.ts'
import { MAX_FILTERS, MAX_NAME_LENGTH } from './relay-limits.ts'

const MAX_SUBSCRIPTIONS = 200

/** What a relay does for all its clients. */
export type RelayHall = {
  /** The texts of the events that match any of the filters, each once; of each filter the newest first. */
  readonly find: (filters: readonly Filter[]) => Iterable<string>
  /** Answers an EVENT, which may be anything, with this frame. */
  readonly take: (value: unknown) => Frame
  /** How many events match any of the filters (NIP-45); absent if the relay does not count. */
  readonly count?: (filters: readonly Filter[]) => number
  /** For comparisons (NIP-77); absent if the relay compares nothing. */
  readonly sets?: IdSets
  /** Whether events may still come: only then are subscriptions remembered. */
  readonly isLive: boolean
}

/** A message to a client. */
export type Frame = readonly [label: string, ...parts: readonly unknown[]]

/** One client of a relay: the answers of NIP-01, 45 and 77 to what it sends, in words whatever it sends. */
export class RelayClient {
  readonly #hall: RelayHall
  readonly #send: (message: string) => void
  readonly #subscriptions = new Map<string, readonly Matcher[]>()
  readonly #comparisons: Comparisons | undefined

  constructor(hall: RelayHall, send: (message: string) => void) {
    this.#hall = hall
    this.#send = send
    this.#comparisons = hall.sets && new Comparisons(hall.sets)
  }

  /** Answers one message. */
  receive(text: string): void {
    const message = parseMessage(text)
    const [label, first, ...rest] = message ?? []
    switch (label) {
      case 'EVENT':
        return this.#say(this.#hall.take(first))
      case 'REQ':
        return this.#answerRequest(first, rest)
      case 'CLOSE':
        return void this.#subscriptions.delete(String(first))
      case 'COUNT':
        return this.#answerCount(first, rest)
      case 'NEG-OPEN':
      case 'NEG-MSG':
      case 'NEG-CLOSE':
        return this.#compare(label, first, rest)
      default:
        return this.#say(['NOTICE', 'invalid: this is no message of a client that is known here'])
    }
  }

  /** Sends a new event to each subscription that it matches. */
  tell(event: NostrEvent): void {
    for (const [name, matchers] of this.#subscriptions) {
      if (matchers.some((matches) => matches(event))) this.#say(['EVENT', name, event])
    }
  }

  /** Frees what is open. */
  end(): void {
    this.#subscriptions.clear()
    this.#comparisons?.closeAll()
  }

  #answerRequest(name: unknown, values: readonly unknown[]): void {
    const filters = this.#checked(name, values)
    if (filters === undefined || typeof name !== 'string') return
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS && !this.#subscriptions.has(name)) {
      return this.#say(['CLOSED', name, `error: more than ${MAX_SUBSCRIPTIONS} subscriptions`])
    }
    const begin = `["EVENT",${JSON.stringify(name)},`
    for (const event of this.#hall.find(filters)) this.#send(`${begin}${event}]`)
    this.#say(['EOSE', name])
    if (this.#hall.isLive) this.#subscriptions.set(name, filters.map(createMatcher))
  }

  #answerCount(name: unknown, values: readonly unknown[]): void {
    const { count } = this.#hall
    const filters = this.#checked(name, values)
    if (filters === undefined) return
    if (count === undefined) return this.#say(['CLOSED', name, 'unsupported: COUNT'])
    this.#say(['COUNT', name, { count: count(filters) }])
  }

  #compare(label: string, name: unknown, [first, second]: readonly unknown[]): void {
    if (typeof name !== 'string' || name.length > MAX_NAME_LENGTH)
      return this.#say(['NOTICE', 'invalid: a comparison has a short name'])
    const comparisons = this.#comparisons
    if (comparisons === undefined) return this.#say(['NEG-ERR', name, 'unsupported: NIP-77'])
    if (label === 'NEG-CLOSE') return comparisons.close(name)
    if (label === 'NEG-MSG') return this.#say(comparisons.answer(name, first))
    if (!isFilter(first)) return this.#say(['NEG-ERR', name, 'invalid: a filter of NIP-01 is needed'])
    this.#say(comparisons.open(name, first, second))
  }

  /** The filters of a request; `undefined` once the client was told what is wrong. */
  #checked(name: unknown, values: readonly unknown[]): Filter[] | undefined {
    if (typeof name !== 'string' || name.length > MAX_NAME_LENGTH) {
      this.#say(['NOTICE', `invalid: a subscription has a name of at most ${MAX_NAME_LENGTH} characters`])
      return undefined
    }
    const filters = values.filter(isFilter)
    if (filters.length > 0 && filters.length === values.length && filters.length <= MAX_FILTERS) return filters
    this.#say(['CLOSED', name, `invalid: 1 to ${MAX_FILTERS} filters of NIP-01 are needed`])
    return undefined
  }

  #say(frame: Frame): void {
    this.#send(JSON.stringify(frame))
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
