import { WebSocket } from 'ws'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { waitFor } from './wait-for.ts'

/** The smallest client that can test the test relays; independent of `src/relay`. */
export type TinyClient = {
  /** Every message received, parsed, in order. */
  readonly frames: unknown[][]
  send(...frame: readonly unknown[]): void
  /** Sends what may be no frame at all. */
  sendText(text: string): void
  isClosed(): boolean
  /** The events of one REQ, to its EOSE. */
  query(...filters: readonly Filter[]): Promise<NostrEvent[]>
  /** The OK to one EVENT: accepted, and the text. */
  publish(event: NostrEvent): Promise<readonly [accepted: unknown, text: unknown]>
  /** The first frame with this label (and second element), once it came. */
  next(label: string, second?: string): Promise<unknown[]>
  close(): void
}

/** Connects; throws when the handshake fails. */
export async function connectTiny(url: string): Promise<TinyClient> {
  const socket = new WebSocket(url)
  const frames: unknown[][] = []
  socket.on('message', (message) => frames.push(JSON.parse(String(message)) as unknown[]))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('error', () => socket.terminate())
  const send = (...frame: readonly unknown[]): void => socket.send(JSON.stringify(frame))
  const next = (label: string, second?: string): Promise<unknown[]> =>
    waitFor(() => frames.find((frame) => frame[0] === label && (second === undefined || frame[1] === second)))
  let queries = 0
  return {
    frames,
    send,
    sendText: (text) => socket.send(text),
    next,
    isClosed: () => socket.readyState === socket.CLOSED,
    async query(...filters) {
      const subId = `query-${(queries += 1)}`
      send('REQ', subId, ...filters)
      await next('EOSE', subId)
      send('CLOSE', subId)
      return frames.filter(([label, id]) => label === 'EVENT' && id === subId).map(([, , row]) => row as NostrEvent)
    },
    async publish(event) {
      const before = frames.length
      send('EVENT', event)
      await waitFor(() => frames.slice(before).some(([label, id]) => label === 'OK' && id === event.id))
      const [, , accepted, text] = frames.slice(before).find(([label, id]) => label === 'OK' && id === event.id) ?? []
      return [accepted, text]
    },
    close: () => socket.terminate(),
  }
}
