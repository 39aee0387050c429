import type { NostrEvent } from '../../src/nostr/event.ts'
import { addressText } from './grasp-policy.ts'

/** Requests for deletion and to vanish: served for a time, then a gate that nobody sees, then forgotten. */
export type Tombstones = {
  add(request: NostrEvent): void
  /** Whether it is still remembered, served or not. */
  has(id: string): boolean
  /** Why this event may not come in; the request that says so counts as used. */
  gate(event: NostrEvent): 'deleted' | 'vanished' | undefined
  /** Of the remembered requests, those that are no longer served. */
  unserved(): NostrEvent[]
}

type Tombstone = { readonly request: NostrEvent; at: number; isUsed: boolean }

const DAY = 86_400
const SERVED_DAYS = { unused: 30, used: 270 }
const GATE_DAYS = { unused: 180, used: 90 }

/** None yet. `now` is in seconds; `host` is the `host:port` of the relay. */
export function createTombstones(now: () => number, host: string): Tombstones {
  const all = new Map<string, Tombstone>()
  const use = (found: Tombstone | undefined): boolean => {
    if (found !== undefined) Object.assign(found, { at: now(), isUsed: true })
    return found !== undefined
  }
  const current = (): Tombstone[] => {
    for (const [id, stone] of all) {
      const key = keyOf(stone)
      if (now() - stone.at > (SERVED_DAYS[key] + GATE_DAYS[key]) * DAY) all.delete(id)
    }
    return [...all.values()]
  }
  return {
    add: (request) => void all.set(request.id, { request, at: now(), isUsed: false }),
    has: (id) => current().some(({ request }) => request.id === id),
    gate(event) {
      const own = current().filter(({ request }) => request.pubkey === event.pubkey && request.id !== event.id)
      if (use(own.find(({ request }) => vanishes(request, host)))) return 'vanished'
      if (use(own.find(({ request }) => deletes(request, event)))) return 'deleted'
      return undefined
    },
    unserved: () =>
      current()
        .filter((stone) => now() - stone.at > SERVED_DAYS[keyOf(stone)] * DAY)
        .map(({ request }) => request),
  }
}

/** Whether a kind 5 removes this event; its author is not looked at. */
export function deletes(request: NostrEvent, event: NostrEvent): boolean {
  if (request.kind !== 5 || event.kind === 5) return false
  return request.tags.some(
    ([name, value]) =>
      (name === 'e' && value === event.id) ||
      (name === 'a' && value === addressText(event) && event.created_at <= request.created_at),
  )
}

/** Whether a kind 62 means this relay. */
export function vanishes(request: NostrEvent, host: string): boolean {
  return (
    request.kind === 62 &&
    request.tags.some(
      ([name, value = '']) =>
        name === 'relay' && (value === 'ALL_RELAYS' || (URL.canParse(value) && new URL(value).host === host)),
    )
  )
}

function keyOf({ isUsed }: Tombstone): 'used' | 'unused' {
  return isUsed ? 'used' : 'unused'
}
