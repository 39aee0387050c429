import { createServer, type RequestListener, type Server } from 'node:http'
import { WebSocketServer } from 'ws'
import { EventStore } from './event-store.ts'
import { PAGE_ROWS, RelayClient, type RelayHall } from './relay-client.ts'

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
const MAX_MESSAGE_BYTES = 1_048_576

/**
 * Starts a small, real relay on loopback (NIP-01, 09, 11, 40) with its events in a SQLite file that survives `kill -9`.
 * Throws when the port is taken or the file cannot be opened.
 */
export async function startEmbeddedRelay({ file, port = 0 }: EmbeddedRelayOptions): Promise<EmbeddedRelay> {
  const store = new EventStore(file)
  const http = createServer(serveDocument)
  const sockets = new WebSocketServer({ server: http, maxPayload: MAX_MESSAGE_BYTES })
  serveClients(sockets, store)
  try {
    const taken = await listen(http, port)
    return { url: `ws://${LOOPBACK}:${taken}`, port: taken, close: () => closeAll(http, sockets, store) }
  } catch (error) {
    store.close()
    throw error
  }
}

function serveClients(sockets: WebSocketServer, store: EventStore): void {
  const clients = new Set<RelayClient>()
  const hall: RelayHall = {
    store,
    now: () => Math.floor(Date.now() / 1000),
    announce: (event) => {
      for (const client of clients) client.tell(event)
    },
  }
  sockets.on('connection', (socket) => {
    const client = new RelayClient(hall, (message) => socket.send(message))
    clients.add(client)
    socket.on('message', (message: Buffer) => client.receive(message.toString('utf8')))
    socket.on('close', () => clients.delete(client))
    // ws closes the socket of a client that sends garbage or resets; there is nobody to tell.
    socket.on('error', () => socket.terminate())
  })
  // The server of ws repeats the errors of the HTTP server; `listen` reports those.
  sockets.on('error', () => undefined)
}

const DOCUMENT = JSON.stringify({
  name: 'ngit-sync demo relay',
  description: 'a relay on loopback for the demo of ngit-sync',
  software: 'ngit-sync demo',
  supported_nips: [1, 9, 11, 40],
  limitation: { max_message_length: MAX_MESSAGE_BYTES, max_limit: PAGE_ROWS, default_limit: PAGE_ROWS },
})

const serveDocument: RequestListener = (request, response) => {
  if (request.headers.accept?.includes('application/nostr+json') !== true) {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('a Nostr relay: connect by WebSocket\n')
    return
  }
  response.writeHead(200, { 'content-type': 'application/nostr+json' }).end(DOCUMENT)
}

async function listen(http: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, LOOPBACK, resolve)
  })
  const address = http.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

async function closeAll(http: Server, sockets: WebSocketServer, store: EventStore): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  http.closeAllConnections()
  await new Promise<void>((resolve) => http.close(() => resolve()))
  store.close()
}
