/*
 * Authenticates (NIP-42), before anything else if possible.
 *
 * A relay that hides events from strangers still says EOSE, so a given key is used before the first REQ. Most relays
 * never ask, so waiting must be rare: a challenge that is already there is answered at once. Otherwise a connection
 * waits only if the document announces NIP-42 or an earlier connection was challenged: half a second, or as long as for
 * an OK if the document says that authentication is required.
 */
import { pause } from '../pace/backoff.ts'
import type { Connection } from './connection.ts'
import { deliver, type Delivery } from './delivery.ts'
import type { Profile } from '../endpoint.ts'

/** The inputs of NIP-42: the URL as dialled, the secret key, our clock in milliseconds. */
export type AuthenticationOptions = {
  readonly url: string
  readonly key: Uint8Array
  readonly now: () => number
  readonly okTimeoutMs: number
  readonly signal: AbortSignal
}

/** `refusal`: the relay's text; `isSilent`: it did not answer, twice. */
type AuthAnswer = { readonly accepted: boolean; readonly refusal?: string; readonly isSilent?: true }

const CLIENT_AUTHENTICATION_KIND = 22_242
const NIP_AUTHENTICATION = 42
/** GRASP-08: a private service. */
const PRIVATE_SERVICE = 'GRASP-08'
const ANNOUNCED_WAIT_MS = 500
/** How long to wait for a relay to hang up after it refused a key. */
const HANG_UP_MS = 300

/** Answers the challenges of a relay (NIP-42), each only once, however many exchanges ask for it. */
export class Authentication {
  readonly #options: AuthenticationOptions
  readonly #answers = new WeakMap<Connection, { challenge: string; answer: Promise<AuthAnswer> }>()
  #waitMs = 0
  #refusal: string | undefined
  #isSilent = false
  #isKnown = false

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  /** The relay's text when it last refused our key; `undefined` if it did not. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** Whether the relay accepted our key at the last attempt. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Why our authentication failed; `undefined` if it succeeded or was never asked for. */
  get failure(): string | undefined {
    if (this.#isSilent) return 'it did not answer our AUTH'
    if (this.#refusal === undefined) return undefined
    const doubtsName = /\b(?:relay|url|host|domain)\b/i.test(this.#refusal)
    const advice = doubtsName ? '; it may know itself by its public name only: dial it by that' : ''
    return `it refused our key: ${this.#refusal}${advice}`
  }

  /** Decides from the relay's document whether to wait for a challenge. */
  expect({ requiresAuth, supportedNips, supportedGrasps }: Profile): void {
    const isNeeded = requiresAuth === true || supportedGrasps.includes(PRIVATE_SERVICE)
    if (isNeeded) this.#waitMs = this.#options.okTimeoutMs
    else if (supportedNips.includes(NIP_AUTHENTICATION)) this.#waitMs = ANNOUNCED_WAIT_MS
  }

  /** Answers a challenge before anything else is sent. Returns why the relay hung up on us, if it did. */
  async introduce(connection: Connection): Promise<string | undefined> {
    const challenge = connection.challenge ?? (await this.#awaitChallenge(connection, this.#waitMs))
    if (challenge === undefined) {
      // It does not ask after all, so do not wait as long again.
      this.#waitMs = Math.min(this.#waitMs, ANNOUNCED_WAIT_MS)
      return undefined
    }
    this.#waitMs = Math.max(this.#waitMs, ANNOUNCED_WAIT_MS)
    if ((await this.authenticate(connection)) || this.#refusal === undefined) return undefined
    await Promise.race([connection.closed, pause(HANG_UP_MS, this.#options.signal)])
    return connection.isOpen ? undefined : this.#refusal
  }

  /**
   * Whether the relay accepted our answer to the newest challenge of this connection; false if no challenge comes in
   * time.
   */
  async authenticate(connection: Connection): Promise<boolean> {
    const challenge = connection.challenge ?? (await this.#awaitChallenge(connection, this.#options.okTimeoutMs))
    if (challenge === undefined) return false
    const earlier = this.#answers.get(connection)
    const answer = earlier?.challenge === challenge ? earlier.answer : this.#answer(connection, challenge)
    this.#answers.set(connection, { challenge, answer })
    const { accepted, refusal, isSilent = false } = await answer
    this.#refusal = refusal
    this.#isSilent = isSilent
    this.#isKnown = accepted
    return accepted
  }

  async #awaitChallenge(connection: Connection, waitMs: number): Promise<string | undefined> {
    if (waitMs === 0) return undefined
    const waiting = new AbortController()
    const timeout = pause(waitMs, AbortSignal.any([this.#options.signal, waiting.signal]))
    const challenge = await Promise.race([connection.challenged, timeout])
    waiting.abort()
    return challenge ?? undefined
  }

  /** Signs the challenge, and once more if no OK came in time. */
  async #answer(connection: Connection, challenge: string): Promise<AuthAnswer> {
    const first = await this.#sign(connection, challenge)
    const isLost = first.type === 'disconnected' || this.#options.signal.aborted
    const delivery = first.type === 'ok' || isLost ? first : await this.#sign(connection, challenge)
    if (delivery.type === 'disconnected') return { accepted: false }
    if (delivery.type === 'unanswered') return { accepted: false, isSilent: true }
    const { accepted, text } = delivery
    return accepted ? { accepted } : { accepted, refusal: text === '' ? 'without a reason' : text }
  }

  async #sign(connection: Connection, challenge: string): Promise<Delivery> {
    const { url, key, now } = this.#options
    const { finalizeEvent } = await import('nostr-tools/pure')
    const tags = [
      ['relay', url],
      ['challenge', challenge],
    ]
    const template = { kind: CLIENT_AUTHENTICATION_KIND, created_at: Math.floor(now() / 1000), tags, content: '' }
    return deliver(connection, 'AUTH', finalizeEvent(template, key), this.#options)
  }
}

/** Returns the demand for AUTH, with the relay's text about our key if it refused the key. */
export function explainDemand(demand: string, authentication: Authentication | undefined): string {
  const failure = authentication?.failure
  return failure === undefined ? demand : `${demand} (${failure})`
}
