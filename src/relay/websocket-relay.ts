import { setMaxListeners } from 'node:events'
import { OutOfTimeError, SyncError } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { normalizeRelayUrl } from '../nostr/host.ts'
import type { Aftermath } from './aftermath.ts'
import { Authentication, explainDemand } from './socket/authentication.ts'
import type { Connection } from './socket/connection.ts'
import type { Answer, End, RelayEndpoint, LearntLimits, Page, Profile } from './endpoint.ts'
import { Link } from './socket/link.ts'
import { LinkedNegentropySession, type NegentropySession } from './negentropy/negentropy-session.ts'
import { Notices, type Notice } from './notices.ts'
import { Publications } from './socket/publications.ts'
import { fetchRelayDocument } from './socket/relay-document.ts'
import { Requests } from './socket/requests.ts'
import type { SessionPlace } from './negentropy/session-place.ts'
import { Traffic } from './pace/traffic.ts'
import { DEFAULTS, type WebSocketRelayOptions } from './socket-options.ts'

export type { NegentropyAnswer, NegentropySession } from './negentropy/negentropy-session.ts'

/** A relay on a socket. */
export type WebSocketRelay = RelayEndpoint & {
  /**
   * Opens a reconciliation (NIP-77) that connects and sends NEG-OPEN at its first `send`; `idleTimeoutMs` may shorten
   * the wait for each answer.
   */
  openNegentropy(filter: Filter, idleTimeoutMs?: number, place?: SessionPlace, aftermath?: Aftermath): NegentropySession
  /** Whether the relay has sent a challenge (NIP-42) on the open connection. */
  hasChallenged(): boolean
  /**
   * Why the relay does not accept our key, in its own words if it gave any; `undefined` if it does, or was not asked.
   */
  keyFailure(): string | undefined
  /** How many unexpected or unreadable frames came. */
  ignoredFrames(): number
}

/** Why the end of a REQ says nothing about what the relay has. */
const HIDDEN = 'auth-required: so it says in its NIP-11 document'
// A relay that says "later" is up, so it gets minutes where a silent one gets half a minute.
const IDLE_TIMES_PATIENCE = 10
// Kept below the relay's limit: for a reconciliation, and a CLOSE that the relay has not seen yet.
const SUBSCRIPTION_MARGIN = 2

/** Returns a relay at a `ws://` or `wss://` URL; connects at first use. Throws SyncError for any other URL. */
export function createWebSocketRelay(url: string, options: WebSocketRelayOptions): WebSocketRelay {
  const normalized = normalizeRelayUrl(url)
  if (normalized === undefined) throw new SyncError(`use relay ${url}: not a ws:// or wss:// URL`)
  return new SocketRelay(normalized, options)
}

class SocketRelay implements WebSocketRelay {
  readonly kind = 'relay'
  readonly url: string
  readonly #settings: typeof DEFAULTS & WebSocketRelayOptions
  readonly #life = new AbortController()
  readonly #link: Link
  readonly #requests: Requests
  readonly #publications: Publications
  readonly #authentication: Authentication | undefined
  readonly #traffic: Traffic
  readonly #notices = new Notices()
  #sessions = 0
  #ignored = 0
  #requiresAuth = false

  constructor(url: string, options: WebSocketRelayOptions) {
    this.url = url
    // Every event in flight listens to the signal, so a full window is not a leak.
    setMaxListeners(0, this.#life.signal)
    const given = { ...DEFAULTS, ...options, url, signal: this.#life.signal }
    const { tell } = options
    const traffic = new Traffic({
      patienceMs: IDLE_TIMES_PATIENCE * given.idleTimeoutMs,
      ...given,
      onWait: (waitMs) => tell?.({ type: 'slow-down', relay: url, reason: 'it limits how often it is asked', waitMs }),
    })
    const settings = { ...given, traffic }
    this.#traffic = traffic
    const { key, onNotice = () => undefined } = options
    this.#settings = settings
    const hear = (text: string): void => {
      if (this.#notices.add(text)) tell?.({ type: 'notice', relay: url, text })
      onNotice(text)
    }
    const authentication = key === undefined ? undefined : new Authentication({ ...settings, key })
    this.#authentication = authentication
    const introduce = async (connection: Connection): Promise<string | undefined> =>
      authentication?.introduce(connection)
    this.#link = new Link(
      url,
      { ...settings, introduce },
      {
        onNotice: hear,
        onIgnored: () => (this.#ignored += 1),
        onLate: (message) => this.#requests.ends.hear(message.subscription, message),
        onUnasked: (bytes) => this.#requests.noteUnasked(bytes),
      },
    )
    this.#requests = new Requests(this.#link, { ...settings, authentication })
    this.#publications = new Publications(this.#link, { ...settings, authentication })
    this.#endWith(options.signal)
  }

  async open(): Promise<Profile> {
    const document = await this.#connect()
    const { maxSubscriptions = Infinity, requiresAuth = false, software, version, documentError: problem } = document
    this.#settings.tell?.({ type: 'document', relay: this.url, software, version, problem })
    this.#requests.limitOpenRequests(maxSubscriptions - SUBSCRIPTION_MARGIN)
    this.#traffic.limit(this.#settings.limitsOf(document))
    this.#requiresAuth = requiresAuth
    await this.#introduce(document)
    const offset = this.#link.clockOffsetSeconds
    return offset === undefined ? document : { clockOffsetSeconds: offset, ...document }
  }

  /** Connects and fetches the document, at once. Throws SyncError when the relay cannot be reached. */
  async #connect(): Promise<Profile> {
    const early = fetchRelayDocument(this.url, this.#settings)
    const reach = await this.#link.connected()
    if (reach.type !== 'connected') throw this.#unreachable(reach.reason)
    const document = await early
    // What went wrong while the relay was not up yet says nothing.
    const isTooEarly = document.documentError !== undefined && this.#link.hasFailed
    return isTooEarly ? fetchRelayDocument(this.url, this.#settings) : document
  }

  async request(filter: Filter, aftermath?: Aftermath): Promise<Page> {
    const page = await this.#requests.request(filter, aftermath)
    if (page.end.type !== 'eose' || !this.#isStranger()) return page
    const end: End = { type: 'closed', reason: explainDemand(HIDDEN, this.#authentication) }
    return { ...page, end }
  }

  publish(event: NostrEvent, isExpired?: () => boolean): Promise<Answer> {
    return this.#publications.publish(event, isExpired)
  }

  openNegentropy(
    filter: Filter,
    idleTimeoutMs = this.#settings.idleTimeoutMs,
    place?: SessionPlace,
    aftermath?: Aftermath,
  ): NegentropySession {
    this.#sessions += 1
    const link = this.#link
    const authentication = this.#authentication
    return new LinkedNegentropySession({
      id: `n${this.#sessions}`,
      filter,
      idleTimeoutMs,
      signal: this.#life.signal,
      traffic: this.#traffic,
      nowMs: this.#settings.nowMs,
      place,
      connected: () => link.connected(),
      authenticate: authentication && ((connection) => authentication.authenticate(connection)),
      onAnswered: () => link.answered(),
      onSilent: () => link.silent(this.#settings.idleTimeoutMs),
      ends: this.#requests.ends,
      aftermath,
    })
  }

  hasChallenged(): boolean {
    return this.#link.challenge !== undefined
  }

  keyFailure(): string | undefined {
    return this.#authentication?.failure
  }

  strangeness(): string | undefined {
    if (!this.hasChallenged()) return undefined
    if (this.#authentication === undefined)
      return 'asks who we are and was not told: it may hide something from strangers'
    const failure = this.keyFailure()
    return failure === undefined ? undefined : `asks who we are: ${failure}; it may hide something from strangers`
  }

  waitedMs(): number {
    return this.#traffic.waitedMs
  }

  notices(): readonly Notice[] {
    return this.#notices.list()
  }

  settleEnds(): Promise<void> {
    return this.#requests.settleEnds()
  }

  requestsAtOnce(): number {
    return this.#requests.atOnce
  }

  learntLimits(): LearntLimits {
    return this.#requests.learntLimits()
  }

  givenUp(): string | undefined {
    return this.#link.givenUp
  }

  hasReturned(): boolean {
    return this.#link.hasReturned
  }

  ignoredFrames(): number {
    return this.#ignored
  }

  async close(): Promise<void> {
    this.#life.abort('closed')
    await this.#link.close()
  }

  /** Authenticates before the first question. Throws SyncError if the relay hangs up on our key. */
  async #introduce(document: Profile): Promise<void> {
    if (this.#authentication === undefined) return
    this.#authentication.expect(document)
    const reach = await this.#link.introduced()
    if (reach.type !== 'connected' && this.#authentication.refusal !== undefined) throw this.#unreachable(reach.reason)
  }

  #unreachable(reason: string): SyncError {
    if (this.#authentication?.refusal === undefined)
      return new SyncError(`connect to ${this.url}: ${reason}`, { hint: 'check the URL, and that the relay is up' })
    const hint = 'the relay hangs up on keys that it does not know: give one that it does with --key-file FILE'
    return new SyncError(`authenticate to ${this.url}: ${reason}`, { hint })
  }

  /** Whether the relay requires authentication and has not accepted ours: it may hide events (rule 1). */
  #isStranger(): boolean {
    if (!this.#requiresAuth) return false
    return this.#authentication?.isKnown !== true
  }

  #endWith(signal: AbortSignal): void {
    const interrupt = (): void =>
      this.#life.abort(signal.reason instanceof OutOfTimeError ? signal.reason.message : 'interrupted')
    if (signal.aborted) interrupt()
    else signal.addEventListener('abort', interrupt, { signal: this.#life.signal })
  }
}
