import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { onTestFinished } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'

import type { WebSocketRelayOptions } from '../../src/relay/socket-options.ts'
import { createWebSocketRelay, type WebSocketRelay } from '../../src/relay/websocket-relay.ts'

/** The server's side of one connection. `number` counts from 1. */
export type Visitor = {
  readonly number: number
  readonly socket: WebSocket
  send(...frame: readonly unknown[]): void
}

/** What a double does; where it says nothing it is silent. */
export type WsScript = {
  readonly onConnection?: (visitor: Visitor) => void
  readonly onFrame?: (frame: readonly unknown[], visitor: Visitor) => void
  /** @default 404 without a `Date` header */
  readonly onDocument?: (request: IncomingMessage, response: ServerResponse) => void
  /** Headers of the handshake. */
  readonly upgradeHeaders?: readonly string[] | ((request: IncomingMessage) => readonly string[])
  /** Whether it takes up the offer of compression, for all that it sends. @default false */
  readonly compresses?: boolean
}

/** A running double. */
export type WsDouble = {
  readonly url: string
  /** Every frame received, in order. */
  readonly frames: readonly (readonly unknown[])[]
  countFrames(label: string): number
  countConnections(): number
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>
}

/** Starts a WebSocket server that follows the script frame by frame; it is no relay. Ends with the test. */
export async function startWsDouble(script: WsScript = {}): Promise<WsDouble> {
  const frames: unknown[][] = []
  let connections = 0
  const http = createServer(script.onDocument ?? answerNotFound)
  const { compresses = false, upgradeHeaders = [] } = script
  const perMessageDeflate = compresses && { threshold: 0 }
  const sockets = new WebSocketServer({ server: http, maxPayload: 2 ** 26, perMessageDeflate })
  sockets.on('headers', (headers, request) =>
    headers.push(...(typeof upgradeHeaders === 'function' ? upgradeHeaders(request) : upgradeHeaders)),
  )
  sockets.on('connection', (socket) => {
    connections += 1
    const visitor: Visitor = { number: connections, socket, send: (...frame) => socket.send(JSON.stringify(frame)) }
    socket.on('error', () => socket.terminate())
    socket.on('message', (message: Buffer) => {
      const frame = JSON.parse(message.toString()) as unknown[]
      frames.push(frame)
      script.onFrame?.(frame, visitor)
    })
    script.onConnection?.(visitor)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.terminate()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  onTestFinished(stop)
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    frames,
    countFrames: (label) => frames.filter((frame) => frame[0] === label).length,
    countConnections: () => connections,
    stop,
  }
}

/** A relay with short delays, closed with the test. */
export function useRelay(url: string, options: Partial<WebSocketRelayOptions> = {}): WebSocketRelay {
  const relay = createWebSocketRelay(url, {
    signal: new AbortController().signal,
    now: () => 1_700_000_000_000,
    random: () => 0,
    backoffBaseMs: 1,
    silenceMs: 4,
    patienceMs: 100,
    connectTimeoutMs: 2_000,
    idleTimeoutMs: 5_000,
    okTimeoutMs: 5_000,
    ...options,
  })
  onTestFinished(() => relay.close())
  return relay
}

/** Answers each REQ with these rows and EOSE. */
export function serveRows(...rows: readonly unknown[]): (frame: readonly unknown[], visitor: Visitor) => void {
  return ([label, id], { send }) => {
    if (label !== 'REQ') return
    for (const row of rows) send('EVENT', id, row)
    send('EOSE', id)
  }
}

function answerNotFound(_request: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false
  response.writeHead(404).end()
}
