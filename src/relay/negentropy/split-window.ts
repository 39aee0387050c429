import type { UnixSeconds } from '../../time.ts'
import type { Window } from './local-responder.ts'

// The start of Nostr. Few events claim to be older, so halving the years before would be wasted.
const FIRST_EVENTS: UnixSeconds = Date.UTC(2020, 10, 7) / 1000

/** Splits the window in two, newer half first; `undefined` for a single second. An open end stays open. */
export function splitWindow({ since, until }: Window, now: UnixSeconds): readonly [Window, Window] | undefined {
  const first = since ?? 0
  const last = until ?? Math.max(now, 2 * first)
  if (first >= last || last > Number.MAX_SAFE_INTEGER) return undefined
  const start = last > FIRST_EVENTS ? Math.max(first, FIRST_EVENTS) : first
  const middle = Math.max(first, Math.min(last - 1, Math.floor((start + last) / 2)))
  return [
    { since: middle + 1, until },
    { since, until: middle },
  ]
}
