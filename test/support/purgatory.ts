import type { NostrEvent } from '../../src/nostr/event.ts'

/** Events that a GRASP relay has taken and does not serve until git data arrives. */
export type Purgatory = {
  /** Those that have not expired. */
  events(): NostrEvent[]
  /** The one with this id, if it has not expired. */
  has(id: string): boolean
  /** Its time begins, anew if it waits already; what waits at its address, newer or older, gives way. */
  put(event: NostrEvent, address: string): void
  /** Takes out what waits for the git data of this repository. */
  release(isReleased: (event: NostrEvent) => boolean): NostrEvent[]
}

const EXPIRES_AFTER_SECONDS = 30 * 60

type Waiting = { readonly event: NostrEvent; readonly address: string; readonly since: number }

/** An empty one. `now` is in seconds. */
export function createPurgatory(now: () => number): Purgatory {
  let waiting: readonly Waiting[] = []
  const current = (): readonly Waiting[] =>
    (waiting = waiting.filter(({ since }) => now() - since < EXPIRES_AFTER_SECONDS))
  return {
    events: () => current().map(({ event }) => event),
    has: (id) => current().some(({ event }) => event.id === id),
    put(event, address) {
      const others = current().filter((other) => other.address !== address)
      waiting = [...others, { event, address, since: now() }]
    },
    release(isReleased) {
      const released = current().filter(({ event }) => isReleased(event))
      waiting = waiting.filter((other) => !released.includes(other))
      return released.map(({ event }) => event)
    },
  }
}
