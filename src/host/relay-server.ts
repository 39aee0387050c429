import { createServer, type RequestListener, type Server } from 'node:http'
import { WebSocketServer, type WebSocket } from 'ws'
import { RelayClient, type RelayHall } from './relay-client.ts'
import { MAX_MESSAGE_BYTES } from './relay-limits.ts'

/** A relay that listens. */
export type RelayServer = {
  readonly port: number
  /** Closes the connections of all clients, who may come again; returns how many there were. */
  hangUp(): number
  /** Drops all connections and stops listening. */
  close(): Promise<void>
}

/** What a relay is and where it listens. */
export type RelayServerOptions = {
  readonly hall: RelayHall
  /** Its NIP-11 document. */
  readonly document: Readonly<Record<string, unknown>>
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Whether clients are let in yet; until then they are told to come back. @default always */
  readonly isOpen?: () => boolean
  /** Called with each client, and what to call for it when it has left. */
  readonly onClient?: (client: RelayClient) => () => void
}

const MAX_CLIENTS = 64
/** A client that has more than this to read is not listened to. */
const MAX_UNREAD_BYTES = 1_048_576
/** The code of a WebSocket that says so (RFC 6455, registered: service restart). */
const COME_AGAIN = 1012

/** Starts listening. Throws when the address is taken or is not one of this machine. */
export async function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
  const http = createServer(documentServer(options.document))
  // Above the clients: a document is asked for on a connection of its own.
  http.maxConnections = 2 * MAX_CLIENTS
  const sockets = new WebSocketServer({
    server: http,
    maxPayload: MAX_MESSAGE_BYTES,
    verifyClient: (_, decide) => {
      const { isOpen = () => true } = options
      decide(isOpen() && sockets.clients.size < MAX_CLIENTS, 503, 'not now')
    },
  })
  sockets.on('connection', (socket) => serveClient(socket, options))
  // The server of ws repeats the errors of the HTTP server; `listen` reports those.
  sockets.on('error', () => undefined)
  const port = await listen(http, options)
  return { port, hangUp: () => hangUpOn(sockets), close: () => closeAll(http, sockets) }
}

function serveClient(socket: WebSocket, { hall, onClient }: RelayServerOptions): void {
  const client = new RelayClient(hall, (message) => socket.send(message))
  const leave = onClient?.(client)
  const waiting: string[] = []
  let isAnswering = false
  // One message after the other, and none while the answers are not read: nobody fills our memory.
  const answerAll = async (): Promise<void> => {
    isAnswering = true
    socket.pause()
    for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) {
      client.receive(text)
      await untilRead(socket)
    }
    isAnswering = false
    if (socket.readyState === socket.OPEN) socket.resume()
  }
  socket.on('message', (message: Buffer) => {
    waiting.push(message.toString('utf8'))
    if (!isAnswering) answerAll().catch(() => socket.terminate())
  })
  socket.on('close', () => {
    waiting.length = 0
    client.end()
    leave?.()
  })
  // ws closes the socket of a client that sends garbage or resets; there is nobody to tell.
  socket.on('error', () => socket.terminate())
}

/** Resolves in a later turn, so that others have theirs; when too much is unread, once it was read. */
async function untilRead(socket: WebSocket): Promise<void> {
  if (socket.bufferedAmount > MAX_UNREAD_BYTES) {
    await new Promise<void>((resolve) => socket.ping('', undefined, () => resolve()))
  }
  await new Promise((resolve) => setImmediate(resolve))
}

function documentServer(document: RelayServerOptions['document']): RequestListener {
  const text = JSON.stringify(document)
  return (request, response) => {
    if (request.headers.accept?.includes('application/nostr+json') !== true) {
      response.writeHead(426, { 'content-type': 'text/plain' }).end('a Nostr relay: connect by WebSocket\n')
      return
    }
    const headers = { 'content-type': 'application/nostr+json', 'access-control-allow-origin': '*' }
    response.writeHead(200, headers).end(text)
  }
}

async function listen(http: Server, { host, port }: RelayServerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
  const address = http.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function hangUpOn(sockets: WebSocketServer): number {
  const { size } = sockets.clients
  for (const socket of sockets.clients) socket.close(COME_AGAIN)
  return size
}

async function closeAll(http: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  http.closeAllConnections()
  await new Promise<void>((resolve) => http.close(() => resolve()))
}
