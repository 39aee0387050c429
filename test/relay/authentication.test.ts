import { describe, expect, it } from 'vitest'

import { keyOf, isSigned, signEvent } from '../support/sign.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { startWsDouble, useRelay, type Visitor, type WsScript } from '../support/ws-double.ts'

const operator = keyOf('operator')
const key = Uint8Array.from(operator.secret)
const event = signEvent(keyOf('author'), { kind: 1, created_at: 1, tags: [], content: 'one' })

type Answer = NonNullable<WsScript['onFrame']>

/** A relay that answers as told until a client has authenticated, and says whether its AUTH is right. */
async function startDoor(closed: Answer, open: Answer, accepts = true) {
  const inside = new Set<Visitor>()
  return startWsDouble({
    onConnection: ({ number, send }) => send('AUTH', `challenge ${number}`),
    onFrame: (frame, visitor) => {
      const [label, subject] = frame
      if (label !== 'AUTH') return (inside.has(visitor) ? open : closed)(frame, visitor)
      if (accepts) inside.add(visitor)
      visitor.send('OK', (subject as NostrEvent).id, accepts, accepts ? '' : 'restricted: not you')
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
    const double = await startDoor(closeAll, closeAll, false)
    const relay = useRelay(double.url, { key })
    expect((await relay.request({ kinds: [1] })).end).toEqual({ type: 'closed', reason: 'auth-required: who are you' })
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
