import type { Filter } from '../../nostr/filter.ts'
import type { Connection, SubscriptionListener } from './connection.ts'
import type { End, Page } from '../endpoint.ts'
import type { PageShare } from './page-memory.ts'
import { PageRows } from './page-rows.ts'
import type { SubscriptionMessage } from './relay-message.ts'

/** The bounds of one page. */
export type PageLimits = {
  /** How long the subscription may stay silent before the page ends `idle`; each EVENT restarts the timer. */
  readonly idleTimeoutMs: number
  readonly maxPageBytes: number
  readonly maxPageRows: number
  /** Of the memory of all pages of the relay. */
  readonly share?: PageShare
  readonly signal: AbortSignal
}

/** How long a REQ may stay silent after a NOTICE that refused one of several messages. */
const PUT_OFF_GRACE_MS = 3_000

/** Sends one REQ on one connection and resolves with its rows and its end. Sends CLOSE unless the relay ended it. */
export function readPage(connection: Connection, id: string, filter: Filter, limits: PageLimits): Promise<Page> {
  const rows = new PageRows({ ...limits, isByIds: filter.ids !== undefined })
  return new Promise((resolve) => new PageReading(connection, id, { ...limits, rows }, resolve).start(filter))
}

class PageReading implements SubscriptionListener {
  readonly #connection: Connection
  readonly #id: string
  readonly #limits: PageLimits
  readonly #resolve: (page: Page) => void
  readonly #rows: PageRows
  readonly #onAbort = (): void => this.#end({ type: 'aborted', reason: String(this.#limits.signal.reason) })
  #bytes = 0
  #idleTimer: NodeJS.Timeout | undefined
  #putOffTimer: NodeJS.Timeout | undefined

  constructor(
    connection: Connection,
    id: string,
    { rows, ...limits }: PageLimits & { readonly rows: PageRows },
    resolve: (page: Page) => void,
  ) {
    this.#connection = connection
    this.#id = id
    this.#limits = limits
    this.#rows = rows
    this.#resolve = resolve
  }

  start(filter: Filter): void {
    const { signal, idleTimeoutMs } = this.#limits
    if (signal.aborted) return this.#onAbort()
    signal.addEventListener('abort', this.#onAbort)
    this.#idleTimer = setTimeout(() => this.#end({ type: 'idle', afterMs: idleTimeoutMs }), idleTimeoutMs)
    this.#connection.send(['REQ', this.#id, filter])
    this.#connection.subscribe(this.#id, this)
  }

  onMessage(message: SubscriptionMessage, bytes: number): void {
    this.#bytes += bytes
    clearTimeout(this.#putOffTimer)
    switch (message.type) {
      case 'event':
        return this.#keep(message.row)
      case 'eose':
        return this.#end({ type: 'eose', ...(message.hint !== undefined && { hint: message.hint }) })
      case 'closed':
        return this.#end({ type: 'closed', reason: message.reason }, true)
      case 'neg-msg':
      case 'neg-err':
        return
    }
  }

  /** A NOTICE instead of an answer. It is ours if nothing else is open, or if nothing else comes. */
  onPutOff(text: string, isOurs: boolean): void {
    const end: End = { type: 'closed', reason: text }
    if (isOurs) return this.#end(end)
    clearTimeout(this.#putOffTimer)
    this.#putOffTimer = setTimeout(() => this.#end(end), PUT_OFF_GRACE_MS)
  }

  onLost(reason: string): void {
    this.#end({ type: 'disconnected', reason })
  }

  #keep(row: unknown): void {
    const excess = this.#rows.add(row, this.#bytes)
    if (excess !== null) return this.#end({ type: 'aborted', reason: excess })
    this.#idleTimer?.refresh()
  }

  #end(end: End, isClosedThere = end.type === 'disconnected'): void {
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#putOffTimer)
    this.#limits.signal.removeEventListener('abort', this.#onAbort)
    this.#connection.unsubscribe(this.#id)
    if (!isClosedThere) this.#connection.sendAfterPause(['CLOSE', this.#id])
    const { kept, readOver } = this.#rows
    this.#resolve({ rows: kept, end, bytes: this.#bytes, ...(readOver > 0 && { readOver }) })
  }
}
