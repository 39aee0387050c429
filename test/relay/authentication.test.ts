import { describe, expect, it } from 'vitest'

import { keyOf, isSigned, signEvent } from '../support/sign.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { startWsDouble, useRelay, type Visitor, type WsScript } from '../support/ws-double.ts'

const operator = keyOf('operator')
const key = Uint8Array.from(operator.secret)
const event = signEvent(keyOf('author'), { kind: 1, created_at: 1, tags: [], content: 'one' })

type Answer = NonNullable<WsScript['onFrame']>

/**
 * How a door opens: whether it takes our AUTH, asks for it on connecting, hangs up on a wrong one; its NIP-11 document.
 */
type Door = { accepts?: boolean; asksFirst?: boolean; hangsUp?: boolean; document?: string; delayMs?: number }

/** A relay that answers as told until a client has authenticated, and says whether its AUTH is right. */
async function startDoor(closed: Answer, open: Answer, door: Door = {}) {
  const { accepts = true, asksFirst = false, hangsUp = false, document = '{}', delayMs = 0 } = door
  const inside = new Set<Visitor>()
  const challenge = ({ number, send }: Visitor): void => send('AUTH', `challenge ${number}`)
  return startWsDouble({
    onDocument: (_, response) => response.end(document),
    onConnection: (visitor) => void (asksFirst && setTimeout(() => challenge(visitor), delayMs)),
    onFrame: (frame, visitor) => {
      const [label, subject] = frame
      const isInside = inside.has(visitor)
      if (label !== 'AUTH' && !isInside && !asksFirst) challenge(visitor)
      if (label !== 'AUTH') return (isInside ? open : closed)(frame, visitor)
      if (accepts) inside.add(visitor)
      visitor.send('OK', (subject as NostrEvent).id, accepts, accepts ? '' : 'restricted: not you')
      if (!accepts && hangsUp) visitor.socket.close()
    },
  })
}

const closeAll: Answer = ([, id], { send }) => send('CLOSED', id, 'auth-required: who are you')
const refuseAll: Answer = ([, subject], { send }) =>
  send('OK', (subject as NostrEvent).id, false, 'auth-required: who?')

describe('a relay that wants to know who we are', () => {
  it('gets a signed answer to its challenge, for the URL that was dialled, and the REQ once more', async () => {
    const double = await startDoor(closeAll, ([, id], { send }) => send('EOSE', id))
    expect((await useRelay(double.url, { key }).request({ kinds: [1] })).end).toEqual({ type: 'eose' })
    expect(double.frames.slice(0, 3).map(([label]) => label)).toEqual(['REQ', 'AUTH', 'REQ'])
    const answer = double.frames[1]?.[1] as NostrEvent
    expect(answer).toMatchObject({ kind: 22_242, pubkey: operator.pubkey, created_at: 1_700_000_000, content: '' })
    expect(answer.tags).toEqual([
      ['relay', double.url],
      ['challenge', 'challenge 1'],
    ])
    expect(isSigned(answer)).toBe(true)
  })

  it('gets the EVENT once more', async () => {
    const double = await startDoor(refuseAll, ([, subject], { send }) =>
      send('OK', (subject as NostrEvent).id, true, ''),
    )
    expect(await useRelay(double.url, { key }).publish(event)).toEqual({ type: 'ok', accepted: true, text: '' })
    expect(double.frames.map(([label]) => label)).toEqual(['EVENT', 'AUTH', 'EVENT'])
  })

  it.each<[label: string, refuse: Answer]>([
    ['CLOSED', closeAll],
    ['NEG-ERR', ([, id], { send }) => send('NEG-ERR', id, 'auth-required: who are you')],
  ])('gets the NEG-OPEN once more, under another id, after %s', async (_, refuse) => {
    const double = await startDoor(refuse, ([, id], { send }) => send('NEG-MSG', id, '61ff'))
    const session = useRelay(double.url, { key }).openNegentropy({ kinds: [1] })
    expect(await session.send('6100')).toMatchObject({ type: 'msg', hex: '61ff' })
    expect(await session.send('6101')).toMatchObject({ type: 'msg' })
    session.close()
    const labels = double.frames.map(([label, id]) => [label, typeof id === 'string' ? id : ''])
    const [first = '', second = ''] = labels.filter(([label]) => label === 'NEG-OPEN').map(([, id]) => id)
    expect(second).not.toBe(first)
    expect(labels.slice(0, 4)).toEqual([
      ['NEG-OPEN', first],
      ['AUTH', ''],
      ['NEG-OPEN', second],
      ['NEG-MSG', second],
    ])
  })

  it('is asked no third time when it does not let us in', async () => {
    const double = await startDoor(closeAll, closeAll, { accepts: false, asksFirst: true, delayMs: 20 })
    const relay = useRelay(double.url, { key })
    const reason = 'auth-required: who are you (it refused our key: restricted: not you)'
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'closed', reason })
    const session = relay.openNegentropy({ kinds: [1] })
    expect(await session.send('6100')).toEqual({ type: 'refused', reason: 'auth-required: who are you' })
    expect(double.frames.map(([label]) => label)).toEqual(['REQ', 'AUTH', 'NEG-OPEN'])
  })

  it('hears nothing of a key that we do not have', async () => {
    const double = await startDoor(closeAll, closeAll)
    const relay = useRelay(double.url)
    expect((await relay.request({ kinds: [1] })).end).toMatchObject({ type: 'closed' })
    expect(await relay.openNegentropy({ kinds: [1] }).send('6100')).toMatchObject({ type: 'refused' })
    expect([double.countFrames('AUTH'), relay.hasChallenged()]).toEqual([0, true])
  })
})

describe('a relay that asks who we are at once', () => {
  const GRASP_08 = '{"supported_nips":[1,42],"supported_grasps":["GRASP-01","GRASP-08"]}'
  // Whoever announces NIP-42 is waited for: the challenge may come behind the document.
  const ANNOUNCED = '{"supported_nips":[1,42]}'
  const serveAll: Answer = ([, id], { send }) => send('EOSE', id)

  it('is told before the first question', async () => {
    const double = await startDoor(closeAll, serveAll, { asksFirst: true, document: ANNOUNCED })
    const relay = useRelay(double.url, { key })
    await relay.open()
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'eose' })
    expect(double.frames.slice(0, 2).map(([label]) => label)).toEqual(['AUTH', 'REQ'])
  })

  it('is waited for when its document says that it serves nobody before', async () => {
    const double = await startDoor(closeAll, serveAll, { asksFirst: true, document: GRASP_08, delayMs: 700 })
    const relay = useRelay(double.url, { key })
    await relay.open()
    await relay.request({ kinds: [1] })
    expect(double.frames.slice(0, 2).map(([label]) => label)).toEqual(['AUTH', 'REQ'])
  })

  it('is told on a new connection as well', async () => {
    const double = await startDoor(
      closeAll,
      ([, id, filter], { send, socket, number }) =>
        number === 1 && JSON.stringify(filter) === '{"kinds":[666]}' ? socket.close() : send('EOSE', id),
      { asksFirst: true, document: ANNOUNCED, delayMs: 20 },
    )
    const relay = useRelay(double.url, { key })
    await relay.open()
    await relay.request({ kinds: [1] })
    expect((await relay.request({ kinds: [666] })).end).toEqual({ type: 'eose' })
    const labels = double.frames.map(([label]) => label).filter((label) => label !== 'CLOSE')
    expect(labels.slice(-2)).toEqual(['AUTH', 'REQ'])
  })

  it('delays nothing when it never does', async () => {
    const double = await startWsDouble({ onFrame: serveAll })
    const relay = useRelay(double.url, { key })
    const startedAt = performance.now()
    await relay.open()
    await relay.request({ kinds: [1] })
    expect(performance.now() - startedAt).toBeLessThan(400)
  })

  it('and hangs up on our key is left alone: its words are the reason, and it is dialled once', async () => {
    const double = await startDoor(closeAll, closeAll, {
      document: GRASP_08,
      asksFirst: true,
      accepts: false,
      hangsUp: true,
    })
    const relay = useRelay(double.url, { key })
    await expect(relay.open()).rejects.toThrow(`authenticate to ${double.url}: restricted: not you`)
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'disconnected', reason: 'restricted: not you' })
    expect(double.countConnections()).toBe(1)
  })
})

describe('a relay whose document says that it requires AUTH', () => {
  const document = '{"limitation":{"auth_required":true}}'
  const serveAll: Answer = ([, id], { send }) => send('EOSE', id)
  const hidden = { type: 'closed', reason: expect.stringMatching(/^auth-required: /) as string }

  it('proves nothing to a stranger, whatever it answers', async () => {
    const relay = useRelay((await startDoor(serveAll, serveAll, { document })).url)
    await relay.open()
    expect((await relay.request({ kinds: [1] })).end).toEqual(hidden)
  })

  it('nor to a key that it does not know', async () => {
    const double = await startDoor(serveAll, serveAll, { document, asksFirst: true, accepts: false })
    const relay = useRelay(double.url, { key })
    await relay.open()
    expect((await relay.request({ kinds: [1] })).end).toEqual(hidden)
  })

  it('is believed once it knows us', async () => {
    const double = await startDoor(serveAll, serveAll, { document, asksFirst: true })
    const relay = useRelay(double.url, { key })
    await relay.open()
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'eose' })
  })
})

describe('a relay that never answers our AUTH', () => {
  const asks: WsScript = {
    onConnection: ({ send }) => send('AUTH', 'who'),
    onFrame: ([label, id], { send }) => void (label === 'REQ' && send('CLOSED', id, 'auth-required: who are you')),
  }

  it('is told once more, and named as such (no false green #3)', async () => {
    const double = await startWsDouble(asks)
    const relay = useRelay(double.url, { key, okTimeoutMs: 60 })
    await relay.open()
    const reason = 'auth-required: who are you (it did not answer our AUTH)'
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'closed', reason })
    expect(double.countFrames('AUTH')).toBe(2)
  })

  it('and whose document requires it, proves nothing (no false green #3)', async () => {
    const double = await startWsDouble({
      ...asks,
      onDocument: (_, response) => response.end('{"limitation":{"auth_required":true}}'),
      onFrame: ([label, id], { send }) => void (label === 'REQ' && send('EOSE', id)),
    })
    const relay = useRelay(double.url, { key, okTimeoutMs: 60 })
    await relay.open()
    expect((await relay.request({ kinds: [1] })).end).toMatchObject({ type: 'closed' })
  })
})
