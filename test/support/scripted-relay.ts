import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { WebSocketServer, type WebSocket } from 'ws'

import { parseEvent, type NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { MemoryStore } from './memory-store.ts'
import type { Behaviour, Received } from './scripted-behaviour.ts'
import { createConnection, type Connection, type RelayState } from './scripted-connection.ts'
import { serveDocument } from './scripted-document.ts'
import { answerAuth, answerEvent } from './scripted-event.ts'
import { answerNegentropy } from './scripted-negentropy.ts'
import { answerReq } from './scripted-req.ts'

/** How a scripted relay starts. What is in `Behaviour` may be changed later, by `relay.behaviour`. */
export type ScriptedRelayOptions = Behaviour & {
  /** @default 0, any free port */
  readonly port?: number
  /** What it holds from the start. */
  readonly events?: Iterable<NostrEvent>
  /** Longer messages make the relay cut the connection (1009). @default 16 MiB */
  readonly maxMessageBytes?: number
}

/** A running scripted relay. */
export type ScriptedRelay = {
  readonly url: string
  readonly port: number
  readonly events: MemoryStore
  readonly received: Received
  /** Changes take effect at the next message. */
  readonly behaviour: Behaviour
  /** How often this id was sent as EVENT. */
  countSends(id: string): number
  /** Cuts every connection; the relay goes on listening. */
  dropConnections(): void
  /** Forgets what was received; events and behaviour stay. */
  forgetReceived(): void
  close(): Promise<void>
}

/** Starts a relay in this process that is correct (NIP-01, 09, 11, 42 and 77) until an option makes it misbehave. */
export async function startScriptedRelay(options: ScriptedRelayOptions = {}): Promise<ScriptedRelay> {
  const state: RelayState = {
    events: new Map([...(options.events ?? [])].map((event) => [event.id, event])),
    received: nothingReceived(),
    behaviour: { ...options },
    connections: new Set(),
    url: '',
  }
  const http = createServer((request, response) => void serveDocument(state, request, response))
  const sockets = new WebSocketServer({ noServer: true, maxPayload: options.maxMessageBytes ?? 16_777_216 })
  acceptUpgrades(http, sockets, state)
  const tcp = collectSockets(http)
  const port = await listen(http, options.port ?? 0)
  state.url = `ws://127.0.0.1:${port}`
  return createRelay({ state, http, tcp, sockets, port })
}

type Parts = {
  readonly state: RelayState
  readonly http: Server
  readonly tcp: ReadonlySet<Socket>
  readonly sockets: WebSocketServer
  readonly port: number
}

function createRelay({ state, http, tcp, sockets, port }: Parts): ScriptedRelay {
  const { url, events, received, behaviour } = state
  const dropConnections = (): void => {
    for (const socket of sockets.clients) socket.terminate()
  }
  return {
    url,
    port,
    events,
    received,
    behaviour,
    countSends: (id) => received.events.filter((event) => event.id === id).length,
    dropConnections,
    forgetReceived: () => forget(received),
    async close() {
      for (const socket of tcp) socket.destroy()
      await new Promise<void>((resolve) => http.close(() => resolve()))
    },
  }
}

/** Every open socket, also those whose handshake hangs. */
function collectSockets(http: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>()
  http.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  return open
}

function nothingReceived(): Received {
  return {
    connections: 0,
    offers: 0,
    reqs: [],
    events: [],
    closes: [],
    auths: [],
    negs: [],
    frames: [],
    documents: 0,
    refusals: new Map(),
  }
}

function forget(received: Received): void {
  Object.assign(received, { connections: 0, offers: 0, documents: 0 })
  received.refusals.clear()
  for (const list of Object.values(received)) if (Array.isArray(list)) list.length = 0
}

function acceptUpgrades(http: Server, sockets: WebSocketServer, state: RelayState): void {
  http.on('upgrade', (request, socket, head) => {
    const { connections = 'accept' } = state.behaviour
    if (request.headers['sec-websocket-extensions'] !== undefined) state.received.offers += 1
    if (connections === 'refuse') socket.destroy()
    if (connections === 'accept') sockets.handleUpgrade(request, socket, head, (client) => welcome(state, client))
  })
}

function welcome(state: RelayState, socket: WebSocket): void {
  const connection = createConnection(socket, state.received.connections, state)
  state.received.connections += 1
  state.connections.add(connection)
  socket.on('message', (message) => void receive(state, connection, String(message)))
  socket.on('close', () => state.connections.delete(connection))
  socket.on('error', () => socket.terminate())
  if ((state.behaviour.requireAuth?.length ?? 0) > 0) connection.send('AUTH', connection.challenge)
}

async function receive(state: RelayState, connection: Connection, text: string): Promise<void> {
  const frame = parseFrame(text)
  state.received.frames.push(frame ?? text)
  if (!connection.limits.takesFrame()) return connection.drop()
  if (frame === undefined) return connection.send('NOTICE', 'invalid: not a JSON array')
  const [label, second, ...rest] = frame
  const event = parseEvent(second)
  if (label === 'EVENT' && event !== undefined) return answerEvent(state, connection, event)
  if (label === 'AUTH' && event !== undefined) return answerAuth(state, connection, event)
  if (typeof label !== 'string' || typeof second !== 'string') return connection.send('NOTICE', 'invalid: bad message')
  const refusal = connection.limits.refuse(label, second)
  if (refusal !== undefined) return connection.send(...refusal)
  if (label === 'REQ') return answerReq(state, connection, { subId: second, filters: rest as readonly Filter[] })
  if (label === 'CLOSE') return closeSubscription(state, connection, second)
  if (label.startsWith('NEG-')) return answerNegentropy(state, connection, frame)
  connection.send('NOTICE', `invalid: unknown message ${label}`)
}

function closeSubscription(state: RelayState, connection: Connection, subId: string): void {
  state.received.closes.push(subId)
  connection.subscriptions.delete(subId)
}

function parseFrame(text: string): readonly unknown[] | undefined {
  try {
    const frame: unknown = JSON.parse(text)
    return Array.isArray(frame) ? frame : undefined
  } catch {
    // Not JSON: recorded as text and answered with a NOTICE by the caller.
    return undefined
  }
}

async function listen(http: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => http.once('error', reject).listen(port, '127.0.0.1', resolve))
  return (http.address() as AddressInfo).port
}
