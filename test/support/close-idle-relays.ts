/**
 * Runs before each file. One process runs many files but loads a module once: a hook in `relay-pool.ts` would be that of
 * the first of them alone, and the relays of the others would leave their directories behind.
 */
import { afterAll } from 'vitest'

import { idleRelays } from './idle-relays.ts'

afterAll(async () => {
  await Promise.all(idleRelays.splice(0).map((relay) => relay.close()))
})
