import type { Frame, RelayClient } from '../host/relay-client.ts'
import { MAX_MESSAGE_BYTES, PAGE_ROWS } from '../host/relay-limits.ts'
import { startRelayServer } from '../host/relay-server.ts'
import { isExpired, parseEvent, type NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { isEphemeral } from '../nostr/kinds.ts'
import { verifyEvent } from '../nostr/signature.ts'
import { EventStore } from './event-store.ts'

/** The options of an embedded relay. */
export type EmbeddedRelayOptions = {
  /** The SQLite file that keeps the events; created when missing. */
  readonly file: string
  /** @default 0, any free port */
  readonly port?: number
}

/** A running relay; `url` has no trailing slash. */
export type EmbeddedRelay = {
  readonly url: string
  readonly port: number
  /** Drops all connections, stops listening and closes the file. */
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'

const DOCUMENT = {
  name: 'ngit-sync demo relay',
  description: 'a relay on loopback for the demo of ngit-sync',
  software: 'ngit-sync demo',
  supported_nips: [1, 9, 11, 40],
  limitation: { max_message_length: MAX_MESSAGE_BYTES, max_limit: PAGE_ROWS, default_limit: PAGE_ROWS },
}

/**
 * Starts a small, real relay on loopback (NIP-01, 09, 11, 40) with its events in a SQLite file that survives `kill -9`.
 * Throws when the port is taken or the file cannot be opened.
 */
export async function startEmbeddedRelay({ file, port = 0 }: EmbeddedRelayOptions): Promise<EmbeddedRelay> {
  const store = new EventStore(file)
  const clients = new Set<RelayClient>()
  // After the answer to its sender.
  const announce = (event: NostrEvent): void => queueMicrotask(() => clients.forEach((client) => client.tell(event)))
  try {
    const server = await startRelayServer({
      hall: {
        find: (filters) => find(filters, store),
        take: (value) => take(value, store, announce),
        isLive: true,
      },
      document: DOCUMENT,
      host: LOOPBACK,
      port,
      onClient: (client) => {
        clients.add(client)
        return () => void clients.delete(client)
      },
    })
    return { url: `ws://${LOOPBACK}:${server.port}`, port: server.port, close: () => closeBoth(server, store) }
  } catch (error) {
    store.close()
    throw error
  }
}

/** Every event once, however many filters it matches. */
function find(filters: readonly Filter[], store: EventStore): string[] {
  const found = filters.flatMap((filter) => {
    return store.find({ ...filter, limit: Math.min(filter.limit ?? PAGE_ROWS, PAGE_ROWS) })
  })
  const distinct = new Map(found.map((event) => [event.id, event]))
  return [...distinct.values()].map((event) => JSON.stringify(event))
}

function take(value: unknown, store: EventStore, announce: (event: NostrEvent) => void): Frame {
  const event = parseEvent(value)
  if (event === undefined) return ['NOTICE', 'invalid: the event has not the shape of NIP-01']
  const refusal = refusalOf(event, store)
  if (refusal !== undefined) return ['OK', event.id, false, refusal]
  const isNew = isEphemeral(event.kind) || store.publish(event)
  if (isNew) announce(event)
  return ['OK', event.id, true, isNew ? '' : 'duplicate: this or a newer version is stored']
}

function refusalOf(event: NostrEvent, store: EventStore): string | undefined {
  const verdict = verifyEvent(event)
  if (verdict !== 'valid') return `invalid: ${verdict}`
  if (isExpired(event, Math.floor(Date.now() / 1000))) return 'invalid: the event has expired'
  return store.isDeleted(event) ? 'blocked: this event is deleted' : undefined
}

async function closeBoth(server: { close(): Promise<void> }, store: EventStore): Promise<void> {
  await server.close()
  store.close()
}
