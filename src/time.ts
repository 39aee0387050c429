/** Seconds since 1970-01-01 UTC, the unit of `created_at`, `since` and `until` (NIP-01). */
export type UnixSeconds = number

/** What the core knows of time: `cli/` hands in the real clock. */
export type Clock = () => UnixSeconds
