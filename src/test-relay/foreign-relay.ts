import { createServer, type RequestListener, type Server } from 'node:http'

import { createOutgoingNoticeMessage, LogLevel, type Event } from '@nostr-relay/common'
import { NostrRelay } from '@nostr-relay/core'
import { Validator } from '@nostr-relay/validator'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'

import { reasonOf } from '../errors.ts'
import { openForeignStore, type ForeignStore } from './foreign-store.ts'

/** The options of a foreign relay. */
export type ForeignRelayOptions = {
  /** The SQLite file that keeps the events; created when missing. */
  readonly file: string
  /** @default 0, any free port */
  readonly port?: number
  /** The most rows of one answer, whatever `limit` says. @default the library's 100 without `limit`, at most 1000 */
  readonly pageCap?: number
  /** @default `ngit-sync test relay` */
  readonly name?: string
  /** @default `@nostr-relay` */
  readonly software?: string
  /** @default `0.0.40` */
  readonly version?: string
  /** `supported_grasps` of the NIP-11 document. @default absent */
  readonly supportedGrasps?: readonly string[]
  /** The accepted kinds; all others are refused with `blocked:`. @default every kind */
  readonly acceptsOnly?: readonly number[]
}

/** A running relay; `url` has no trailing slash. */
export type ForeignRelay = {
  readonly url: string
  readonly port: number
  /** Drops all connections, stops listening and closes the file. */
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const MAX_MESSAGE_BYTES = 1_048_576
const MAX_FILTER_VALUES = 1_000

/**
 * Starts a real relay that others wrote, on loopback, for the tests: @nostr-relay (NIP-01, 09, 11, 40) with its events in a SQLite file that survives
 * `kill -9`. Throws when the port is taken or the file cannot be opened.
 */
export async function startForeignRelay(options: ForeignRelayOptions): Promise<ForeignRelay> {
  const store = await openForeignStore(options.file, options.pageCap)
  const relay = createRelay(store, options.acceptsOnly)
  const http = createServer(serveDocument(describeRelay(options)))
  const sockets = new WebSocketServer({ server: http, maxPayload: MAX_MESSAGE_BYTES })
  sockets.on('connection', createConnectionHandler(relay))
  try {
    const port = await listen(http, options.port ?? 0)
    return { url: `ws://${LOOPBACK}:${port}`, port, close: () => closeAll({ http, sockets, relay, store }) }
  } catch (error) {
    await store.repository.destroy()
    throw error
  }
}

function createRelay(store: ForeignStore, acceptsOnly: readonly number[] | undefined): NostrRelay {
  const relay = new NostrRelay(store.repository, {
    logLevel: LogLevel.ERROR,
    maxSubscriptionsPerClient: 200,
    // Both caches would answer from memory after the file has changed.
    filterResultCacheTtl: 0,
    eventHandlingResultCacheTtl: 0,
  })
  return relay.register({
    beforeHandleEvent(event) {
      const message = refusalOf(event, store, acceptsOnly)
      return message === undefined ? { canHandle: true } : { canHandle: false, message }
    },
  })
}

function refusalOf(event: Event, store: ForeignStore, acceptsOnly?: readonly number[]): string | undefined {
  if (acceptsOnly !== undefined && !acceptsOnly.includes(event.kind)) return `blocked: kind ${event.kind} not accepted`
  return store.isDeleted(event) ? 'blocked: this event is deleted' : undefined
}

function createConnectionHandler(relay: NostrRelay): (socket: WebSocket) => void {
  const validator = new Validator({
    maxFilterIdsLength: MAX_FILTER_VALUES,
    maxFilterAuthorsLength: MAX_FILTER_VALUES,
    maxFilterGenericTagsLength: MAX_FILTER_VALUES,
    maxFilterKindsLength: 100,
  })
  // One message at a time, so that a deletion does not write into the open transaction of another event.
  let turn = Promise.resolve()
  return (socket) => {
    relay.handleConnection(socket)
    socket.on('message', (message) => {
      turn = turn.then(() => answer(relay, validator, { socket, message }))
    })
    socket.on('close', () => relay.handleDisconnect(socket))
    // ws closes the socket of a client that sends garbage or resets; there is nobody to tell.
    socket.on('error', () => socket.terminate())
  }
}

type Incoming = { readonly socket: WebSocket; readonly message: RawData }

async function answer(relay: NostrRelay, validator: Validator, { socket, message }: Incoming): Promise<void> {
  if (socket.readyState !== socket.OPEN) return
  try {
    await relay.handleMessage(socket, await validator.validateIncomingMessage(message))
  } catch (error) {
    socket.send(JSON.stringify(createOutgoingNoticeMessage(reasonOf(error))))
  }
}

function describeRelay(options: ForeignRelayOptions): string {
  const { pageCap, supportedGrasps } = options
  return JSON.stringify({
    name: options.name ?? 'ngit-sync test relay',
    description: 'a relay on loopback for the tests of ngit-sync',
    software: options.software ?? '@nostr-relay',
    version: options.version ?? '0.0.40',
    supported_nips: [1, 9, 11, 40],
    supported_grasps: supportedGrasps,
    limitation: { max_message_length: MAX_MESSAGE_BYTES, max_limit: pageCap ?? 1000, default_limit: pageCap ?? 100 },
  })
}

function serveDocument(document: string): RequestListener {
  return (request, response) => {
    if (request.headers.accept?.includes('application/nostr+json') !== true) {
      response.writeHead(426, { 'content-type': 'text/plain' }).end('a Nostr relay: connect by WebSocket\n')
      return
    }
    response.writeHead(200, { 'content-type': 'application/nostr+json', 'access-control-allow-origin': '*' })
    response.end(document)
  }
}

async function listen(http: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, LOOPBACK, resolve)
  })
  const address = http.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

type Parts = {
  readonly http: Server
  readonly sockets: WebSocketServer
  readonly relay: NostrRelay
  readonly store: ForeignStore
}

async function closeAll({ http, sockets, relay, store }: Parts): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  http.closeAllConnections()
  await new Promise<void>((resolve) => http.close(() => resolve()))
  await relay.destroy()
  await store.repository.destroy()
}
