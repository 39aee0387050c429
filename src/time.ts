/** Seconds since 1970-01-01 UTC, the unit of `created_at`, `since` and `until` (NIP-01). */
export type UnixSeconds = number

/** What the core knows of time: `cli/` hands in the real clock. */
export type Clock = () => UnixSeconds

/**
 * A rate: `burst` events at once, then one per `intervalMs`. With `buckets`, the relay counts only whole intervals of
 * silence and forgets the remainder (ngit-grasp); that many of its buckets are used in turn, one for each connection.
 */
export type Rate = { readonly burst: number; readonly intervalMs: number; readonly buckets?: number }
