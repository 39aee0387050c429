import { describe, expect, it } from 'vitest'

import { createRelayPool } from '../../src/relay/relay-pool.ts'
import type { WebSocketRelay } from '../../src/relay/websocket-relay.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { startWsDouble, useRelay, type WsDouble } from '../support/ws-double.ts'

const author = keyOf('author')
const events = Array.from({ length: 6 }, (_, n) => signEvent(author, { kind: 1, created_at: n, tags: [], content: '' }))

/** A relay that answers everything and notes over which connection it came. */
async function startCounter(): Promise<{ double: WsDouble; seen: (readonly [label: unknown, connection: number])[] }> {
  const seen: (readonly [unknown, number])[] = []
  const double = await startWsDouble({
    onFrame: ([label, subject], { number, send }) => {
      seen.push([label, number])
      if (label === 'EVENT') send('OK', (subject as { id: string }).id, true, '')
      if (label === 'REQ') send('EOSE', subject)
    },
  })
  return { double, seen }
}

function pool(url: string, size: number): WebSocketRelay {
  const [first = useRelay(url), ...others] = Array.from({ length: size }, () => useRelay(url))
  return createRelayPool([first, ...others])
}

describe('createRelayPool', () => {
  it('is the relay itself when there is one connection', () => {
    const relay = useRelay('ws://relay.example')
    expect(createRelayPool([relay])).toBe(relay)
  })

  it('sends each event over the next connection in turn', async () => {
    const { double, seen } = await startCounter()
    const relay = pool(double.url, 3)
    for (const event of events) expect(await relay.publish(event)).toMatchObject({ accepted: true })
    expect(seen.map(([, connection]) => connection)).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('reads over the first one, and dials the others when they are needed', async () => {
    const { double, seen } = await startCounter()
    const relay = pool(double.url, 3)
    await relay.open()
    for (let page = 0; page < 4; page += 1) await relay.request({})
    expect([double.countConnections(), new Set(seen.map(([, connection]) => connection))]).toEqual([1, new Set([1])])
  })

  it('closes all of them', async () => {
    const { double } = await startCounter()
    const relay = pool(double.url, 3)
    await Promise.all(events.map((event) => relay.publish(event)))
    expect(double.countConnections()).toBe(3)
    await relay.close()
    expect(
      await relay.publish(events[0] ?? signEvent(author, { kind: 1, created_at: 9, tags: [], content: '' })),
    ).toMatchObject({
      type: 'unanswered',
    })
  })
})
