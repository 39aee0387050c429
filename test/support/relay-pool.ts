import type { NostrEvent } from '../../src/nostr/event.ts'
import { Sqlite } from '../../src/sqlite.ts'
import { idleRelays } from './idle-relays.ts'
import { startRealRelay, type RealRelay } from './real-relay.ts'

/** A relay out of the pool. Whoever stops, kills or restarts it keeps it from going back. */
export type PooledRelay = RealRelay & {
  /** Nobody is connected any more: the next test may have it. */
  giveBack(): Promise<void>
}

/** A real relay with these events and no others. The tests of one file use such relays one after the other. */
export async function borrowRelay(events: Iterable<NostrEvent> = []): Promise<PooledRelay> {
  const relay = idleRelays.pop() ?? (await startRealRelay())
  empty(relay.file)
  await relay.seed(events)
  let isIntact = true
  const spoiling =
    <T>(work: () => Promise<T>) =>
    (): Promise<T> => {
      isIntact = false
      return work()
    }
  return {
    ...relay,
    stop: spoiling(relay.stop),
    kill: spoiling(relay.kill),
    restart: spoiling(relay.restart),
    close: spoiling(relay.close),
    giveBack: async () => {
      if (isIntact) idleRelays.push(relay)
      else await relay.close()
    },
  }
}

function empty(file: string): void {
  const db = new Sqlite(file)
  try {
    db.transaction(() => db.exec('DELETE FROM generic_tags; DELETE FROM events'))()
  } finally {
    db.close()
  }
}
