/** Seconds since 1970-01-01 UTC, the unit of `created_at`, `since` and `until` (NIP-01). */
export type UnixSeconds = number

/** The only clock of the core; `cli/` hands in the real one. */
export type Clock = () => UnixSeconds

/**
 * A rate: `burst` events at once, then one per `intervalMs`. With `buckets`, the relay counts only whole intervals of
 * silence and forgets the remainder (ngit-grasp), and that many of its buckets are used in turn, one per connection.
 */
export type Rate = { readonly burst: number; readonly intervalMs: number; readonly buckets?: number }
