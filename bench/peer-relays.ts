import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { NostrEvent } from '../src/nostr/event.ts'
import { startRelayProcess } from './run-program.ts'
import { copyStrfryStore, createStrfryStore, startStrfry, strfryVersion, type StrfryStore } from './strfry.ts'

/** What a relay holds when it starts: no event, every one, or every one but the newest 100. */
export type Holding = 'nothing' | 'everything' | 'older'

/** A relay of its own process; `count` is how many events it holds. */
export type PeerRelay = { readonly url: string; count(): Promise<number>; close(): Promise<void> }

/** Relays of one kind over one history. */
export type PeerRelays = {
  /** What they are, with the version. */
  readonly software: string
  /** A fresh relay that nothing else writes to. */
  start(holds: Holding): Promise<PeerRelay>
  /** A fresh database for a program that syncs into its own; lean relays have none. */
  openStore?(holds: Holding): Promise<StrfryStore>
}

/** How many of the newest events `older` lacks. */
export const NEWEST = 100

/** Relays of a strfry binary, or lean ones without it; their data live below `directory`. */
export async function createPeerRelays(
  strfry: string | undefined,
  history: readonly NostrEvent[],
  directory: string,
): Promise<PeerRelays> {
  const files = {
    everything: writeJsonLines(join(directory, 'everything.jsonl'), history),
    older: writeJsonLines(join(directory, 'older.jsonl'), history.slice(0, -NEWEST)),
  }
  if (strfry === undefined) return createLeanRelays(files, history.length)
  const stores = {
    nothing: await createStrfryStore(strfry, join(directory, 'nothing')),
    everything: await createStrfryStore(strfry, join(directory, 'everything'), files.everything),
    older: await createStrfryStore(strfry, join(directory, 'older'), files.older),
  }
  const openStore = (holds: Holding): Promise<StrfryStore> =>
    copyStrfryStore(stores[holds], mkdtempSync(join(directory, 'store-')))
  return {
    software: strfryVersion(strfry),
    openStore,
    async start(holds) {
      const store = await openStore(holds)
      const relay = await startStrfry(strfry, store)
      return {
        ...relay,
        close: async () => {
          await relay.close()
          rmSync(store.directory, { recursive: true, force: true })
        },
      }
    },
  }
}

function createLeanRelays(files: Readonly<Record<'everything' | 'older', string>>, size: number): PeerRelays {
  const sizes = { nothing: 0, everything: size, older: size - NEWEST }
  return {
    software: 'lean relays',
    async start(holds) {
      const file = holds === 'nothing' ? [] : ['--file', files[holds]]
      const relay = await startRelayProcess(['--negentropy', ...file])
      return { url: relay.url, close: relay.close, count: async () => sizes[holds] + (await relay.traffic()).stored }
    },
  }
}

function writeJsonLines(file: string, events: readonly NostrEvent[]): string {
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  return file
}
