import type { RealRelay } from './real-relay.ts'

/** The relays of this process that no test has at present (`relay-pool.ts`). */
export const idleRelays: RealRelay[] = []
