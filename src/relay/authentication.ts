import { pause } from './backoff.ts'
import type { Connection } from './connection.ts'
import { deliver } from './delivery.ts'

/** What NIP-42 needs: the URL as dialled, the secret key, our clock in milliseconds. */
export type AuthenticationOptions = {
  readonly url: string
  readonly key: Uint8Array
  readonly now: () => number
  readonly okTimeoutMs: number
  readonly signal: AbortSignal
}

const CLIENT_AUTHENTICATION_KIND = 22_242

/** Answers the challenges of a relay (NIP-42), each one once however many exchanges ask for it. */
export class Authentication {
  readonly #options: AuthenticationOptions
  readonly #answers = new WeakMap<Connection, { challenge: string; accepted: Promise<boolean> }>()

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  /** Whether the relay accepted our answer to the newest challenge of this connection; false when no challenge comes in time. */
  async authenticate(connection: Connection): Promise<boolean> {
    const challenge = connection.challenge ?? (await this.#awaitChallenge(connection))
    if (challenge === undefined) return false
    const earlier = this.#answers.get(connection)
    if (earlier?.challenge === challenge) return earlier.accepted
    const accepted = this.#answer(connection, challenge)
    this.#answers.set(connection, { challenge, accepted })
    return accepted
  }

  async #awaitChallenge(connection: Connection): Promise<string | undefined> {
    const { okTimeoutMs, signal } = this.#options
    const waiting = new AbortController()
    const timeout = pause(okTimeoutMs, AbortSignal.any([signal, waiting.signal]))
    const challenge = await Promise.race([connection.challenged, timeout])
    waiting.abort()
    return challenge ?? undefined
  }

  async #answer(connection: Connection, challenge: string): Promise<boolean> {
    const { url, key, now } = this.#options
    const { finalizeEvent } = await import('nostr-tools/pure')
    const tags = [
      ['relay', url],
      ['challenge', challenge],
    ]
    const template = { kind: CLIENT_AUTHENTICATION_KIND, created_at: Math.floor(now() / 1000), tags, content: '' }
    const delivery = await deliver(connection, 'AUTH', finalizeEvent(template, key), this.#options)
    return delivery.type === 'ok' && delivery.accepted
  }
}
