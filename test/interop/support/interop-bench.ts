import type { NostrEvent } from '../../../src/nostr/event.ts'
import { createWorkbench, type Workbench } from '../../support/workbench.ts'
import { startForeign, type ForeignRelay } from './foreign-relay.ts'
import type { ForeignOptions } from './foreign-commands.ts'
import type { PlainRelayName } from './recipes.ts'

/** The workbench of one test, with relays that no one here wrote. */
export type InteropBench = Workbench & {
  foreign(
    name: PlainRelayName,
    options?: ForeignOptions & { readonly events?: readonly NostrEvent[] },
  ): Promise<ForeignRelay>
}

/** A workbench for the test that is running. */
export function createInteropBench(): InteropBench {
  return {
    ...createWorkbench(),
    async foreign(name, { events = [], ...options } = {}) {
      const relay = await startForeign(name, options)
      if (events.length > 0) await relay.seed(events)
      return relay
    },
  }
}
