/** What relays say when they close a REQ after its EOSE. */
export const CLOSED_TEXTS = [
  'auth-required: we only serve members',
  'restricted: not you',
  'error: the index is broken',
  'rate-limited: slow down',
  'blocked: go away',
  'shutting down',
] as const

/** When they say it: in the packet of the EOSE, or when our CLOSE is long there. */
export const CLOSED_MOMENTS = [
  { when: 'in the same packet', lateDelayMs: 0 },
  { when: '20 ms later', lateDelayMs: 20 },
] as const
