import { describe, expect, it } from 'vitest'

import type { Page } from '../../src/relay/endpoint.ts'
import type { WebSocketRelay } from '../../src/relay/websocket-relay.ts'
import { startWsDouble, useRelay, type Visitor, type WsScript } from '../support/ws-double.ts'

/** Time stands still, so every answer is in time, whatever the machine does. */
const STANDSTILL = { nowMs: () => 0 }
const DELAY_MS = 5

/** How many REQs a relay has open, and how many it had at most. */
type Load = { now: number; most: number }

/** Answers each REQ a little later, unless `tooMany` says what it does about one of so many. */
async function startBusyRelay({
  tooMany,
  ...script
}: WsScript & { tooMany?: (open: number, id: unknown, visitor: Visitor) => boolean } = {}) {
  const load: Load = { now: 0, most: 0 }
  const double = await startWsDouble({
    ...script,
    onConnection: () => (load.now = 0),
    onFrame: ([label, id], visitor) => {
      if (label !== 'REQ') return
      load.now += 1
      load.most = Math.max(load.most, load.now)
      const end = (): number => (load.now = Math.max(0, load.now - 1))
      if (tooMany?.(load.now, id, visitor) === true) return end()
      return setTimeout(() => [end(), visitor.send('EOSE', id)], DELAY_MS)
    },
  })
  return { double, load }
}

function ask(relay: WebSocketRelay, count: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: count }, (_, kind) => relay.request({ kinds: [kind] })))
}

function endsOf(pages: readonly Page[]): string[] {
  return [...new Set(pages.map(({ end }) => end.type))]
}

describe('requests at once', () => {
  it('become more at a relay that answers in time, within a bound', async () => {
    const { double, load } = await startBusyRelay()
    const relay = useRelay(double.url, STANDSTILL)
    await ask(relay, 8)
    expect(load.most).toBe(8)
    await ask(relay, 400)
    expect(load.most).toBe(32)
    expect(relay.requestsAtOnce()).toBe(32)
    expect(relay.learntLimits()).toEqual({})
  })

  it('stay below what the relay announces', async () => {
    const onDocument: WsScript['onDocument'] = (_, response) => response.end('{"limitation":{"max_subscriptions":20}}')
    const { double, load } = await startBusyRelay({ onDocument })
    const relay = useRelay(double.url, STANDSTILL)
    await relay.open()
    await ask(relay, 400)
    expect(load.most).toBe(18)
  })

  it('are two at a relay that refuses a third', async () => {
    const { double, load } = await startBusyRelay({ tooMany: refuseOver(2) })
    const relay = useRelay(double.url, STANDSTILL)
    expect(endsOf(await ask(relay, 20))).toEqual(['eose'])
    expect(relay.learntLimits().maxOpenRequests).toBeLessThanOrEqual(2)
    load.most = 0
    expect(endsOf(await ask(relay, 50))).toEqual(['eose'])
    expect(load.most).toBeLessThanOrEqual(2)
  })

  it('shrink for good when they have grown too many', async () => {
    const { double, load } = await startBusyRelay({ tooMany: refuseOver(30) })
    const relay = useRelay(double.url, STANDSTILL)
    expect(endsOf(await ask(relay, 400))).toEqual(['eose'])
    expect(relay.learntLimits().maxOpenRequests).toBeLessThanOrEqual(30)
    load.most = 0
    expect(endsOf(await ask(relay, 400))).toEqual(['eose'])
    expect(load.most).toBeLessThanOrEqual(30)
  })

  it('are no more than at first once the relay is rate-limited', async () => {
    let isFirst = true
    const { double, load } = await startBusyRelay({
      tooMany: (open, id, { send }) => {
        if (!isFirst || open < 30) return false
        isFirst = false
        send('CLOSED', id, 'rate-limited: slow down')
        return true
      },
    })
    const relay = useRelay(double.url)
    await ask(relay, 400)
    load.most = 0
    await ask(relay, 50)
    expect(load.most).toBeLessThanOrEqual(8)
  })

  it('are fewer after a relay has hung up on many', async () => {
    const { double, load } = await startBusyRelay({
      tooMany: (open, _, { socket }) => {
        if (open > 30) socket.terminate()
        return open > 30
      },
    })
    const relay = useRelay(double.url, STANDSTILL)
    expect(endsOf(await ask(relay, 400))).toEqual(['eose'])
    load.most = 0
    expect(endsOf(await ask(relay, 400))).toEqual(['eose'])
    expect(load.most).toBeLessThanOrEqual(30)
  })

  it('leave none unanswered that a relay passes over when many are open', async () => {
    const { double } = await startBusyRelay({ tooMany: (open) => open > 16 })
    const relay = useRelay(double.url, { ...STANDSTILL, idleTimeoutMs: 1_000 })
    expect(endsOf(await ask(relay, 400))).toEqual(['eose'])
  })

  it('that are passed over again are idle', async () => {
    const { double } = await startBusyRelay({ tooMany: (_, id) => id !== 'r1' })
    const pages = await ask(useRelay(double.url, { ...STANDSTILL, idleTimeoutMs: 500 }), 3)
    expect(pages.map(({ end }) => end.type)).toEqual(['eose', 'idle', 'idle'])
  })
})

function refuseOver(limit: number) {
  return (open: number, id: unknown, { send }: Visitor): boolean => {
    if (open > limit) send('CLOSED', id, 'error: too many concurrent REQs')
    return open > limit
  }
}
