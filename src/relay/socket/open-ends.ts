/*
 * Watches ends that may still be taken back (rule 1).
 *
 * Some relays say EOSE and then CLOSED for the same REQ, in the same packet or a moment later; others say EOSE first
 * and send the rows after it. So an end stays open until half a second has passed and the relay has answered something
 * sent after it. A contradiction in the same packet becomes the end of the page itself; a later one goes to the
 * `Aftermath` of the reading. Only filters and times of the last ends are kept, never late rows.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseEvent, parseStamp } from '../../nostr/event.ts'
import { createMatcher, type Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import type { Connection } from './connection.ts'
import type { End, Page } from '../endpoint.ts'
import type { SubscriptionMessage } from './relay-message.ts'

/** The least time that an end stays open for contradiction, in milliseconds. */
const GRACE_MS = 500
const REMEMBERED = 1_024
/** The most early rows kept from one packet. */
const MAX_EARLY = 10_000
const NONE = new Uint32Array()
/** A relay's reply to our CLOSE. ngit-grasp sends none, nor when it ends a REQ itself. */
const ACKNOWLEDGEMENT = /^(?:|(?:subscription )?(?:closed|unsubscribed)(?: by (?:client|request))?\.?)$/i

/** One REQ or one NIP-77 session (no filter, because rows are not for it), and the `Aftermath` of its reading. */
export type Asked = {
  readonly filter: Filter | undefined
  readonly connection: Connection
  readonly aftermath: Aftermath | undefined
}

type OpenEnd = Asked & {
  /** Positions in the common order of questions sent and ends received. */
  readonly sentAt: number
  endedAt: number
  endedMs: number
  closed: string | undefined
  /** The first 32 bits of the ids that the page brought; such a row may come twice. */
  brought: Uint32Array
  /** Ids of matching rows that came in the same packet as the end. */
  readonly early: string[]
  /** The packet with the end is still being read, so nothing of ours can have come in between. */
  isSamePacket: boolean
}

/** Watches the ends of one relay. Calls `onClosed` for each CLOSED that came too late to be the end of its page. */
export class OpenEnds {
  readonly #nowMs: () => number
  readonly #onClosed: (reason: string, connection: Connection) => void
  readonly #reading = new Map<string, OpenEnd>()
  readonly #ended = new Map<string, OpenEnd>()
  /** When the newest question that a connection has answered was sent. */
  readonly #answeredAt = new WeakMap<Connection, number>()
  readonly #watched = new WeakSet<Connection>()
  #order = 0

  constructor(nowMs: () => number, onClosed: (reason: string, connection: Connection) => void) {
    this.#nowMs = nowMs
    this.#onClosed = onClosed
  }

  /** Notes what is sent under this id. */
  expect(id: string, asked: Asked): void {
    const sentAt = (this.#order += 1)
    this.#reading.set(id, {
      ...asked,
      sentAt,
      endedAt: 0,
      endedMs: 0,
      closed: undefined,
      brought: NONE,
      early: [],
      isSamePacket: true,
    })
  }

  /**
   * Returns the end of a page after everything in its packet was read: an EOSE followed there by CLOSED becomes that
   * CLOSED.
   */
  async conclude(id: string, { end, rows }: Pick<Page, 'end' | 'rows'>): Promise<End> {
    const asked = this.#reading.get(id)
    this.#reading.delete(id)
    if (asked === undefined) return end
    if (end.type === 'eose' || end.type === 'closed') this.#noteAnswer(asked)
    if (end.type !== 'eose') return end
    const ids = rows.map((row) => parseStamp(row)?.id ?? '')
    asked.brought = Uint32Array.from(ids, beginningOf)
    for (const id of ids) asked.aftermath?.noteBrought(id)
    this.#watch(id, asked)
    await nextTurn()
    asked.isSamePacket = false
    for (const late of asked.early.splice(0)) this.#noteRow(asked, late)
    if (asked.closed === undefined) return end
    this.#forget(id, asked)
    return { type: 'closed', reason: asked.closed }
  }

  /** Ends a NIP-77 session. If we ended it early or it failed, nothing that follows matters. */
  concludeSession(id: string, isWhole: boolean): void {
    const asked = this.#reading.get(id)
    this.#reading.delete(id)
    if (asked === undefined || !isWhole) return
    asked.isSamePacket = false
    this.#watch(id, asked)
  }

  /** Takes a message for a subscription without a listener. */
  hear(id: string, message: SubscriptionMessage): void {
    const asked = this.#ended.get(id) ?? this.#reading.get(id)
    if (asked === undefined) return
    if (message.type === 'event') this.#hearRow(asked, message.row)
    else if (message.type === 'neg-err') this.#hearClosed(id, asked, message.reason)
    else if (message.type === 'closed' && !ACKNOWLEDGEMENT.test(message.reason))
      this.#hearClosed(id, asked, message.reason)
  }

  /** Connections that have answered nothing since an end that is being watched. */
  unproven(): Set<Connection> {
    const open = [...this.#ended.values()].filter((end) => end.aftermath !== undefined && !this.#isAnswered(end))
    return new Set(open.map(({ connection }) => connection))
  }

  /** How long until the grace period of every watched end is over, in milliseconds. */
  graceLeftMs(): number {
    const times = [...this.#ended.values()].filter((end) => end.aftermath !== undefined).map(({ endedMs }) => endedMs)
    return Math.max(0, ...times.map((endedMs) => endedMs + GRACE_MS - this.#nowMs()))
  }

  /** The current position in the order of questions and ends, for `settle`. */
  now(): number {
    return this.#order
  }

  /**
   * Ends the grace period of the ends up to `until`. Those that the relay has answered since stand; the others are lost
   * for this reason. Later ends stay open.
   */
  settle(until: number, silence: string): void {
    for (const [id, end] of [...this.#ended]) {
      if (end.endedAt > until) continue
      if (!this.#isAnswered(end)) end.aftermath?.noteLost(silence)
      this.#forget(id, end)
    }
  }

  #watch(id: string, end: OpenEnd): void {
    end.endedAt = this.#order += 1
    end.endedMs = this.#nowMs()
    this.#ended.set(id, end)
    end.aftermath?.open()
    this.#forgetStanding()
    if (this.#watched.has(end.connection)) return
    this.#watched.add(end.connection)
    void end.connection.closed.then(() => this.#lose(end.connection))
  }

  #noteAnswer({ connection, sentAt }: OpenEnd): void {
    this.#answeredAt.set(connection, Math.max(this.#answeredAt.get(connection) ?? 0, sentAt))
  }

  #isAnswered({ connection, endedAt }: OpenEnd): boolean {
    return (this.#answeredAt.get(connection) ?? 0) > endedAt
  }

  #stands(end: OpenEnd): boolean {
    return this.#isAnswered(end) && this.#nowMs() - end.endedMs >= GRACE_MS
  }

  /** `#ended` is ordered by time. */
  #forgetStanding(): void {
    for (const [id, end] of this.#ended) {
      if (!this.#stands(end) && this.#ended.size <= REMEMBERED) return
      this.#forget(id, end)
    }
  }

  #forget(id: string, { aftermath }: OpenEnd): void {
    if (this.#ended.delete(id)) aftermath?.settle()
  }

  #hearRow(end: OpenEnd, row: unknown): void {
    const event = parseEvent(row)
    const { filter } = end
    if (event === undefined || filter === undefined || !isSpecific(filter) || !createMatcher(filter)(event)) return
    if (!end.isSamePacket) this.#noteRow(end, event.id)
    else if (end.early.length < MAX_EARLY) end.early.push(event.id)
  }

  /** A row that any page of the same reading has brought may come again. */
  #noteRow({ aftermath }: OpenEnd, id: string): void {
    if (aftermath === undefined) return
    const beginning = beginningOf(id)
    const pages = [...this.#ended.values()].filter((end) => end.aftermath === aftermath)
    if (!pages.some(({ brought }) => brought.includes(beginning))) aftermath.noteLate(id)
  }

  #hearClosed(id: string, end: OpenEnd, reason: string): void {
    if (end.isSamePacket) {
      end.closed ??= reason
      return
    }
    if (this.#stands(end)) return
    end.aftermath?.noteClosed(reason)
    this.#forget(id, end)
    this.#onClosed(reason, end.connection)
  }

  #lose(connection: Connection): void {
    for (const [id, end] of [...this.#ended]) {
      if (end.connection !== connection) continue
      if (!this.#stands(end)) end.aftermath?.noteLost(connection.lostReason ?? 'connection closed')
      this.#forget(id, end)
    }
  }
}

/** A question for any events, such as a probe of the page size, is not a reading: every event matches it. */
function isSpecific({ limit: _limit, since: _since, until: _until, ...rest }: Filter): boolean {
  return Object.keys(rest).length > 0
}

/** The first 32 bits of an id: enough to tell the rows of one page apart. */
function beginningOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16)
}
