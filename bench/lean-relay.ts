import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { WebSocketServer, type WebSocket } from 'ws'

import type { NostrEvent } from '../src/nostr/event.ts'
import type { Filter } from '../src/nostr/filter.ts'
import { EventIndex } from './event-index.ts'
import { LeanNegentropy } from './lean-negentropy.ts'

/** What a lean relay serves and says of itself. */
export type LeanRelayOptions = {
  readonly events: Iterable<NostrEvent> | AsyncIterable<NostrEvent>
  /** The `software` of its NIP-11 document. @default lean-relay */
  readonly software?: string
  /** Whether it speaks NIP-77. @default false */
  readonly negentropy?: boolean
  /** EVENTs at once, then one for each whole second, as ngit-grasp counts. @default any number */
  readonly burst?: number
}

/**
 * What a lean relay counted; `GET /` answers with it. Times are milliseconds of its clock, 0 before the first EVENT.
 */
export type Traffic = {
  stored: number
  rateLimited: number
  requests: number
  bytesIn: number
  bytesOut: number
  firstEventMs: number
  lastEventMs: number
}

const PAGE_CAP = 500

/**
 * A relay that is fast and believes everything: no verification, versions, deletions or live subscriptions. Returns its
 * URL.
 */
export async function startLeanRelay(options: LeanRelayOptions): Promise<string> {
  const index = new EventIndex()
  for await (const event of options.events) index.add(event)
  const traffic = noTraffic()
  const document = JSON.stringify({
    name: 'bench',
    software: options.software ?? 'lean-relay',
    supported_nips: [1, 11],
  })
  const http = createServer(({ headers }, response) => {
    if (headers.accept === 'application/nostr+json') answer(response, document)
    else answer(response, JSON.stringify(traffic))
  })
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false })
  sockets.on('connection', (socket) => {
    const negentropy = options.negentropy === true ? new LeanNegentropy(index) : undefined
    serve(socket, { index, traffic, mayTake: createBucket(options.burst), negentropy })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
}

type Service = {
  readonly index: EventIndex
  readonly traffic: Traffic
  readonly mayTake: () => boolean
  readonly negentropy: LeanNegentropy | undefined
}

function serve(socket: WebSocket, { index, traffic, mayTake, negentropy }: Service): void {
  const send = (...frame: readonly unknown[]): void => {
    const text = JSON.stringify(frame)
    traffic.bytesOut += Buffer.byteLength(text)
    socket.send(text)
  }
  socket.on('message', (frame: Buffer) => {
    traffic.bytesIn += frame.length
    const [label, second, third, ...rest] = JSON.parse(frame.toString()) as [string, unknown, Filter, ...unknown[]]
    if (label === 'REQ') {
      traffic.requests += 1
      const limit = Math.min(third.limit ?? PAGE_CAP, PAGE_CAP)
      for (const event of index.find(third, limit)) send('EVENT', second, event)
      send('EOSE', second)
    }
    if (label.startsWith('NEG-')) {
      const hex = negentropy?.answer(label, second as string, third, ...rest)
      if (hex !== undefined) send('NEG-MSG', second, hex)
      else if (negentropy === undefined) send('NOTICE', 'failed to parse envelope: unknown envelope label')
    }
    if (label === 'EVENT') send('OK', ...take(second as NostrEvent, index, traffic, mayTake))
  })
}

function take(
  event: NostrEvent,
  index: EventIndex,
  traffic: Traffic,
  mayTake: () => boolean,
): [id: string, accepted: boolean, text: string] {
  traffic.lastEventMs = Date.now()
  traffic.firstEventMs ||= traffic.lastEventMs
  if (!mayTake()) {
    traffic.rateLimited += 1
    return [event.id, false, 'rate-limited: slow down']
  }
  const isNew = index.add(event)
  if (isNew) traffic.stored += 1
  return [event.id, true, isNew ? '' : 'duplicate: have this event']
}

/** Whole seconds are earned, fractions are lost: why 0.9 s between two events is worse than 1.0 s. */
function createBucket(burst = Infinity): () => boolean {
  let tokens = burst
  let refilledAt = Date.now()
  return () => {
    const earned = Math.floor((Date.now() - refilledAt) / 1_000)
    if (earned > 0) {
      tokens = Math.min(burst, tokens + earned)
      refilledAt = Date.now()
    }
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}

function answer(response: ServerResponse, json: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(json)
}

function noTraffic(): Traffic {
  return { stored: 0, rateLimited: 0, requests: 0, bytesIn: 0, bytesOut: 0, firstEventMs: 0, lastEventMs: 0 }
}
