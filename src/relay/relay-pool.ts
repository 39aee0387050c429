import type { Aftermath } from './aftermath.ts'
import type { Answer, LearntLimits, Page, Profile } from './endpoint.ts'
import type { Filter } from '../nostr/filter.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { NegentropySession } from './negentropy/negentropy-session.ts'
import type { Notice } from './notices.ts'
import type { SessionPlace } from './negentropy/session-place.ts'
import type { WebSocketRelay } from './websocket-relay.ts'

/**
 * Combines several connections to one relay. EVENTs go to each connection in turn, so that each keeps its own pace;
 * everything else uses the first. The others connect at their first EVENT.
 */
export function createRelayPool([first, ...others]: readonly [WebSocketRelay, ...WebSocketRelay[]]): WebSocketRelay {
  return others.length === 0 ? first : new RelayPool(first, others)
}

class RelayPool implements WebSocketRelay {
  readonly kind = 'relay'
  readonly url: string
  readonly #first: WebSocketRelay
  readonly #all: readonly WebSocketRelay[]
  #published = 0

  constructor(first: WebSocketRelay, others: readonly WebSocketRelay[]) {
    this.url = first.url
    this.#first = first
    this.#all = [first, ...others]
  }

  open(): Promise<Profile> {
    return this.#first.open()
  }

  request(filter: Filter, aftermath?: Aftermath): Promise<Page> {
    return this.#first.request(filter, aftermath)
  }

  settleEnds(): Promise<void> {
    return this.#first.settleEnds()
  }

  requestsAtOnce(): number {
    return this.#first.requestsAtOnce()
  }

  learntLimits(): LearntLimits {
    return this.#first.learntLimits()
  }

  givenUp(): string | undefined {
    return this.#first.givenUp()
  }

  publish(event: NostrEvent, isExpired?: () => boolean): Promise<Answer> {
    const relay = this.#all[this.#published % this.#all.length] ?? this.#first
    this.#published += 1
    return relay.publish(event, isExpired)
  }

  openNegentropy(
    filter: Filter,
    idleTimeoutMs?: number,
    place?: SessionPlace,
    aftermath?: Aftermath,
  ): NegentropySession {
    return this.#first.openNegentropy(filter, idleTimeoutMs, place, aftermath)
  }

  waitedMs(): number {
    return this.#first.waitedMs()
  }

  strangeness(): string | undefined {
    return this.#first.strangeness()
  }

  keyFailure(): string | undefined {
    return this.#first.keyFailure()
  }

  hasChallenged(): boolean {
    return this.#first.hasChallenged()
  }

  notices(): readonly Notice[] {
    return this.#all.flatMap((relay) => relay.notices())
  }

  hasReturned(): boolean {
    return this.#all.some((relay) => relay.hasReturned())
  }

  ignoredFrames(): number {
    return this.#all.reduce((sum, relay) => sum + relay.ignoredFrames(), 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((relay) => relay.close()))
  }
}
