import { WebSocket } from 'ws'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { connectTiny } from '../../support/tiny-client.ts'
import { waitFor } from '../../support/wait-for.ts'

/**
 * Pages without any cleverness: the next page begins one second above the oldest row, so that it overlaps the last one
 * whether `until` is inclusive at this relay or not.
 */
export async function readEverything(url: string): Promise<NostrEvent[]> {
  const client = await connectTiny(url)
  const found = new Map<string, NostrEvent>()
  for (let until: number | undefined, before = -1; before !== found.size;) {
    before = found.size
    const page = await client.query({ since: 1, limit: 250, ...(until === undefined ? {} : { until }) })
    for (const event of page) found.set(event.id, event)
    until = Math.min(...page.map((event) => event.created_at), until ?? Infinity) + 1
  }
  client.close()
  return [...found.values()].sort((a, b) => a.created_at - b.created_at)
}

/**
 * The answers to these events, sent at once; frames as they came, in any order: some relays leave out the id in a
 * refusal, or say it by NOTICE.
 */
export async function publishAll(url: string, events: readonly NostrEvent[]): Promise<unknown[][]> {
  const socket = new WebSocket(url)
  const answers: unknown[][] = []
  socket.on('message', (frame) => {
    const message = JSON.parse(String(frame)) as unknown[]
    if (message[0] === 'OK' || message[0] === 'NOTICE') answers.push(message)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  for (const event of events) socket.send(JSON.stringify(['EVENT', event]))
  await waitFor(() => answers.length >= events.length, {
    timeoutMs: 60_000,
    what: `${events.length} answers of ${url}`,
  })
  socket.terminate()
  return answers
}
