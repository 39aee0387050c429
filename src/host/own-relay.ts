import { reasonOf, SyncError } from '../errors.ts'
import { isHex32 } from '../nostr/event.ts'
import { IdSets } from './id-sets.ts'
import type { Frame } from './relay-client.ts'
import { MAX_FILTERS, MAX_MESSAGE_BYTES, MAX_NAME_LENGTH, PAGE_ROWS } from './relay-limits.ts'
import { startRelayServer, type RelayServer } from './relay-server.ts'
import { ServedEvents } from './served-events.ts'

/** The options of a read-only relay. */
export type OwnRelayOptions = {
  /** An IP address of this machine, or `localhost`. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The name of this machine, for the URL when it listens at all of its addresses. */
  readonly machine: string
  /** For the file of its events. */
  readonly directory: string
  /** Of this program. */
  readonly version: string
}

const READ_ONLY = 'restricted: read-only: ngit-sync serve takes no events'
/**
 * None is remembered, so they cost nothing. Where this is not said, ngit-grasp 3.0.10 counts on 20, and with too few it
 * asks for the same again and again, and never for the second page (docs/restore.md).
 */
const MAX_SUBSCRIPTIONS = 1_000
const UNSPECIFIED = ['0.0.0.0', '::']

type Gate = { isOpen: boolean; wasVisited: boolean }

/** A read-only relay (NIP-01, 11, 45, 77) that turns clients away until they are let in. */
export class OwnRelay {
  readonly url: string
  readonly #events: ServedEvents
  readonly #server: RelayServer
  readonly #gate: Gate

  private constructor(url: string, parts: { events: ServedEvents; server: RelayServer; gate: Gate }) {
    this.url = url
    this.#events = parts.events
    this.#server = parts.server
    this.#gate = parts.gate
  }

  /** Listens at the address. Throws SyncError when that is impossible. */
  static async open(options: OwnRelayOptions): Promise<OwnRelay> {
    const events = new ServedEvents(options.directory)
    const gate: Gate = { isOpen: false, wasVisited: false }
    try {
      const server = await startRelayServer({
        ...options,
        hall: {
          find: (filters) => events.find(filters),
          count: (filters) => events.count(filters),
          sets: new IdSets(events),
          take: refuse,
          isLive: false,
        },
        document: documentOf(options),
        isOpen: () => gate.isOpen,
        onClient: () => {
          gate.wasVisited = true
          return () => undefined
        },
      })
      return new OwnRelay(urlOf(options, server.port), { events, server, gate })
    } catch (error) {
      events.close()
      throw cannotListen(options, error)
    }
  }

  get size(): number {
    return this.#events.size
  }

  get wasVisited(): boolean {
    return this.#gate.wasVisited
  }

  add(...[events]: Parameters<ServedEvents['add']>): void {
    this.#events.add(events)
  }

  has(id: string): boolean {
    return this.#events.has(id)
  }

  letIn(): void {
    this.#events.endFilling()
    this.#gate.isOpen = true
  }

  hangUp(): number {
    return this.#server.hangUp()
  }

  async close(): Promise<void> {
    await this.#server.close()
    this.#events.close()
  }
}

function refuse(value: unknown): Frame {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  return typeof id === 'string' && isHex32(id) ? ['OK', id, false, READ_ONLY] : ['NOTICE', READ_ONLY]
}

function documentOf({ version }: OwnRelayOptions): Readonly<Record<string, unknown>> {
  return {
    name: 'ngit-sync serve',
    description: 'read-only: verified events of other relays, for one relay to take',
    software: 'ngit-sync',
    version,
    supported_nips: [1, 11, 45, 77],
    limitation: {
      max_message_length: MAX_MESSAGE_BYTES,
      max_filters: MAX_FILTERS,
      max_subid_length: MAX_NAME_LENGTH,
      max_subscriptions: MAX_SUBSCRIPTIONS,
      max_limit: PAGE_ROWS,
      default_limit: PAGE_ROWS,
      auth_required: false,
      payment_required: false,
      restricted_writes: true,
    },
  }
}

function urlOf({ host, machine }: OwnRelayOptions, port: number): string {
  const name = UNSPECIFIED.includes(host) ? machine : host
  return `ws://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function cannotListen({ host, port }: OwnRelayOptions, error: unknown): unknown {
  if (error instanceof SyncError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const hint =
    code === 'EADDRINUSE'
      ? 'another program listens there: give another port with --listen, or 0 for any free one'
      : 'give an address of this machine with --listen, such as 127.0.0.1:7777'
  return new SyncError(`listen at ${host}:${port}: ${reasonOf(error)}`, { cause: error, hint })
}
