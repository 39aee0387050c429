import { describe, expect, it } from 'vitest'

import { waitFor } from '../support/wait-for.ts'
import { keyOf } from '../support/sign.ts'
import { serveRows, startWsDouble, useRelay, type Visitor } from '../support/ws-double.ts'

describe('a lost connection', () => {
  it('makes a REQ be repeated from scratch, without a row twice', async () => {
    const double = await startWsDouble({ onFrame: dropAfterRow(1) })
    const page = await useRelay(double.url).request({})
    expect(page).toMatchObject({ end: { type: 'eose' }, rows: ['row'] })
    expect(double.countConnections()).toBe(2)
  })

  it('makes every REQ that was open be repeated', async () => {
    const double = await startWsDouble({ onFrame: dropAfterRow(1) })
    const relay = useRelay(double.url)
    const pages = await Promise.all([relay.request({}), relay.request({}), relay.request({})])
    expect(pages.map((page) => page.end.type)).toEqual(['eose', 'eose', 'eose'])
  })

  it('counts the bytes of every try', async () => {
    const double = await startWsDouble({ onFrame: dropAfterRow(1) })
    const page = await useRelay(double.url).request({})
    const [first, second] = double.frames.filter(([label]) => label === 'REQ').map(([, id]) => id)
    const frames = [
      ['EVENT', first, 'row'],
      ['EVENT', second, 'row'],
      ['EOSE', second],
    ]
    expect(page.bytes).toBe(frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0))
  })

  it('ends a REQ disconnected when the retries are used up', async () => {
    const double = await startWsDouble({ onFrame: (_, { socket }) => socket.close(1011, 'broken') })
    const page = await useRelay(double.url, { retries: 2 }).request({})
    expect(page.end).toEqual({ type: 'disconnected', reason: 'broken (1011)' })
    expect(double.countConnections()).toBe(3)
  })

  it('keeps the relay away after that, without another dial', async () => {
    const double = await startWsDouble({ onFrame: (_, { socket }) => socket.close(1011, 'broken') })
    const relay = useRelay(double.url, { retries: 1 })
    await relay.request({})
    expect((await relay.request({})).end).toEqual({ type: 'disconnected', reason: 'broken (1011)' })
    expect(double.countConnections()).toBe(2)
  })

  it('is not forgiven because the relay greets before it hangs up', async () => {
    const double = await startWsDouble({
      onConnection: ({ send }) => send('NOTICE', 'welcome'),
      onFrame: (_, { socket }) => socket.close(),
    })
    const page = await useRelay(double.url, { retries: 2 }).request({})
    expect(page.end.type).toBe('disconnected')
  })

  it('is forgotten after an answer', async () => {
    let requests = 0
    const double = await startWsDouble({
      onFrame: ([label, id], { send, socket }) => {
        if (label !== 'REQ') return
        requests += 1
        if (requests % 2 === 1) socket.close()
        else send('EOSE', id)
      },
    })
    const relay = useRelay(double.url, { retries: 1 })
    for (let round = 0; round < 4; round += 1) expect((await relay.request({})).end.type).toBe('eose')
  })

  it('between two REQs is no failure', async () => {
    let isClosed = false
    const double = await startWsDouble({
      onConnection: ({ socket }) => socket.on('close', () => (isClosed = true)),
      onFrame: ([label, id], { send, socket }) => (label === 'REQ' ? send('EOSE', id) : socket.close()),
    })
    const relay = useRelay(double.url, { retries: 0 })
    await relay.request({})
    await waitFor(() => isClosed)
    expect((await relay.request({})).end).toEqual({ type: 'eose' })
  })

  it('ends no other REQ than the one that causes it when the others are answered', async () => {
    const double = await startWsDouble({
      onFrame: ([label, id, filter], { send, socket }) => {
        if (label !== 'REQ') return
        if (JSON.stringify(filter) === '{"kinds":[666]}') return setTimeout(() => socket.close(), 30)
        send('EOSE', id)
      },
    })
    const relay = useRelay(double.url, { retries: 3 })
    const [poison, plain] = await Promise.all([relay.request({ kinds: [666] }), relay.request({ kinds: [1] })])
    expect([poison.end.type, plain.end.type]).toEqual(['disconnected', 'eose'])
  })
})

describe('open REQs', () => {
  it('are at most as many as allowed', async () => {
    const double = await startWsDouble()
    const relay = useRelay(double.url, { maxOpenRequests: 2, idleTimeoutMs: 100 })
    const pages = [1, 2, 3, 4].map((kind) => relay.request({ kinds: [kind] }))
    await waitFor(() => double.countFrames('REQ') >= 2)
    expect(double.countFrames('REQ')).toBe(2)
    expect((await Promise.all(pages)).map((page) => page.end.type)).toEqual(['idle', 'idle', 'idle', 'idle'])
  })

  it('go out in the order in which they were asked', async () => {
    const double = await startWsDouble({ onFrame: serveRows() })
    const relay = useRelay(double.url, { maxOpenRequests: 2 })
    await Promise.all([1, 2, 3, 4, 5].map((kind) => relay.request({ kinds: [kind] })))
    const filters = double.frames.filter(([label]) => label === 'REQ').map(([, , filter]) => filter)
    expect(filters).toEqual([1, 2, 3, 4, 5].map((kind) => ({ kinds: [kind] })))
  })

  it('stay below what the relay says it allows', async () => {
    const open = { now: 0, most: 0 }
    const double = await startWsDouble({
      onDocument: (_, response) => response.end('{"limitation":{"max_subscriptions":5}}'),
      onFrame: ([label, id], { send }) => {
        if (label === 'CLOSE') return
        open.most = Math.max(open.most, (open.now += 1))
        setTimeout(() => [(open.now -= 1), send('EOSE', id)], 20)
      },
    })
    const relay = useRelay(double.url)
    await relay.open()
    await Promise.all(Array.from({ length: 12 }, () => relay.request({})))
    expect(open.most).toBe(3)
  })
})

describe('CLOSED rate-limited', () => {
  it('makes a REQ wait and be repeated', async () => {
    const double = await startWsDouble({ onFrame: closeFirst(2, 'rate-limited: slow down') })
    expect((await useRelay(double.url).request({})).end).toEqual({ type: 'eose' })
    expect(double.countFrames('REQ')).toBe(3)
  })

  it('ends a REQ closed when patience has run out, after longer and longer pauses', async () => {
    const double = await startWsDouble({ onFrame: closeFirst(99, 'rate-limited: slow down') })
    expect((await useRelay(double.url).request({})).end).toEqual({ type: 'closed', reason: 'rate-limited: slow down' })
    expect(double.countFrames('REQ')).toBeLessThanOrEqual(7)
  })

  it('makes every REQ wait, and one go first', async () => {
    let refusals = 0
    let accepted = 0
    let wasAlone = true
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label !== 'REQ') return
        if (refusals < 3) {
          refusals += 1
          return send('CLOSED', id, 'rate-limited: slow down')
        }
        accepted += 1
        if (accepted > 1) return send('EOSE', id)
        setTimeout(() => [(wasAlone = accepted === 1), send('EOSE', id)], 50)
      },
    })
    const relay = useRelay(double.url)
    const pages = await Promise.all([1, 2, 3].map((kind) => relay.request({ kinds: [kind] })))
    expect(pages.map(({ end }) => end.type)).toEqual(['eose', 'eose', 'eose'])
    expect([double.countFrames('REQ'), wasAlone]).toEqual([6, true])
    expect(relay.waitedMs()).toBeGreaterThan(0)
  })
})

describe('CLOSED auth-required', () => {
  const key = keyOf('operator').secret

  it('is final without a key', async () => {
    const double = await startWsDouble(authRelay())
    const page = await useRelay(double.url).request({})
    expect(page.end).toEqual({ type: 'closed', reason: 'auth-required: members only' })
    expect(double.countFrames('AUTH')).toBe(0)
  })

  it('is answered with the key, and the REQ repeated', async () => {
    const double = await startWsDouble(authRelay({ challengeDelayMs: 50 }))
    expect((await useRelay(double.url, { key }).request({})).end).toEqual({ type: 'eose' })
    expect(double.frames.map(([label]) => label).slice(0, 3)).toEqual(['REQ', 'AUTH', 'REQ'])
  })

  it('is answered by an event for the dialled URL and the challenge', async () => {
    const double = await startWsDouble(authRelay())
    await useRelay(double.url, { key }).request({})
    const event = double.frames.find(([label]) => label === 'AUTH')?.[1]
    const tags = [
      ['relay', double.url],
      ['challenge', 'challenge-1'],
    ]
    expect(event).toMatchObject({ kind: 22_242, pubkey: keyOf('operator').pubkey, created_at: 1_700_000_000, tags })
  })

  it('is answered once for several REQs', async () => {
    const double = await startWsDouble(authRelay())
    const relay = useRelay(double.url, { key })
    const pages = await Promise.all([relay.request({}), relay.request({}), relay.request({})])
    expect(pages.map((page) => page.end.type)).toEqual(['eose', 'eose', 'eose'])
    expect(double.countFrames('AUTH')).toBe(1)
  })

  it('is final when the relay does not accept the answer', async () => {
    const double = await startWsDouble(authRelay({ accepted: false }))
    expect((await useRelay(double.url, { key }).request({})).end.type).toBe('closed')
    expect(double.countFrames('REQ')).toBe(1)
  })

  it('is final when it comes again after the answer', async () => {
    const double = await startWsDouble(authRelay({ isNeverContent: true }))
    expect((await useRelay(double.url, { key }).request({})).end.type).toBe('closed')
    expect([double.countFrames('REQ'), double.countFrames('AUTH')]).toEqual([2, 1])
  })

  it('waits for a challenge that comes after it', async () => {
    const double = await startWsDouble(authRelay({ challengeDelayMs: 50 }))
    expect((await useRelay(double.url, { key }).request({})).end).toEqual({ type: 'eose' })
  })

  it('is final when no challenge comes', async () => {
    const double = await startWsDouble({ onFrame: closeFirst(99, 'auth-required: members only') })
    const relay = useRelay(double.url, { key, okTimeoutMs: 50 })
    expect((await relay.request({})).end.type).toBe('closed')
  })

  it('is answered again on a new connection', async () => {
    const double = await startWsDouble(authRelay())
    const relay = useRelay(double.url, { key })
    await relay.request({ kinds: [1] })
    expect((await relay.request({ kinds: [666] })).end).toEqual({ type: 'eose' })
    expect([double.countConnections(), double.countFrames('AUTH')]).toEqual([2, 2])
  })
})

/** Serves one row and drops the connection instead of EOSE, on the first connections. */
function dropAfterRow(connections: number) {
  return ([label, id]: readonly unknown[], { number, send, socket }: Visitor): void => {
    if (label !== 'REQ') return
    send('EVENT', id, 'row')
    if (number <= connections) return socket.close()
    send('EOSE', id)
  }
}

/** Answers the first REQs with CLOSED, later ones with EOSE. */
function closeFirst(count: number, reason: string) {
  let closed = 0
  return ([label, id]: readonly unknown[], { send }: Visitor): void => {
    if (label !== 'REQ') return
    closed += 1
    send(...(closed <= count ? ['CLOSED', id, reason] : ['EOSE', id]))
  }
}

/** Demands NIP-42 on each connection; drops the first connection on a filter for kind 666. */
function authRelay({ accepted = true, isNeverContent = false, challengeDelayMs = 0 } = {}) {
  const known = new Set<number>()
  return {
    onConnection: ({ number, send }: Visitor): void => {
      setTimeout(() => send('AUTH', `challenge-${number}`), challengeDelayMs)
    },
    onFrame: ([label, subject, filter]: readonly unknown[], { number, send, socket }: Visitor): void => {
      if (label === 'AUTH') {
        if (accepted) known.add(number)
        return send('OK', (subject as { id: string }).id, accepted, '')
      }
      if (label !== 'REQ') return
      if (number === 1 && JSON.stringify(filter) === '{"kinds":[666]}') return socket.close()
      send(
        ...(known.has(number) && !isNeverContent
          ? ['EOSE', subject]
          : ['CLOSED', subject, 'auth-required: members only']),
      )
    },
  }
}
