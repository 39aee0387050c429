import { describe, expect, it } from 'vitest'

import { waitFor } from '../support/wait-for.ts'
import { startWsDouble, useRelay, type WsScript } from '../support/ws-double.ts'
import type { WebSocketRelayOptions } from '../../src/relay/socket-options.ts'

/** A session at a double that answers each frame with these. */
async function openAt(onFrame: NonNullable<WsScript['onFrame']>, options: Partial<WebSocketRelayOptions> = {}) {
  const double = await startWsDouble({ onFrame })
  const session = useRelay(double.url, options).openNegentropy({ kinds: [1621] })
  return { double, session }
}

describe('a negentropy session', () => {
  it('opens with the filter and the first message, then sends messages', async () => {
    const { double, session } = await openAt(([, id], { send }) => send('NEG-MSG', id, '61ff'))
    await session.send('6100')
    await session.send('6101')
    const id = double.frames[0]?.[1]
    expect(double.frames).toEqual([
      ['NEG-OPEN', id, { kinds: [1621] }, '6100'],
      ['NEG-MSG', id, '6101'],
    ])
  })

  it('resolves with the message of the relay and its bytes', async () => {
    const { double, session } = await openAt(([, id], { send }) => send('NEG-MSG', id, '61ff'))
    const answer = await session.send('6100')
    const bytes = JSON.stringify(['NEG-MSG', double.frames[0]?.[1], '61ff']).length
    expect(answer).toEqual({ type: 'msg', hex: '61ff', bytes })
  })

  it('ends with the reason and the cap of a NEG-ERR', async () => {
    const { session } = await openAt(([, id], { send }) => send('NEG-ERR', id, 'blocked: too many query results', 500))
    expect(await session.send('61')).toEqual({ type: 'error', reason: 'blocked: too many query results', cap: 500 })
  })

  it('ends with a NEG-ERR that names no cap', async () => {
    const { session } = await openAt(([, id], { send }) => send('NEG-ERR', id, 'closed: too slow'))
    expect(await session.send('61')).toEqual({ type: 'error', reason: 'closed: too slow' })
  })

  it('is refused by a NOTICE in place of the first answer', async () => {
    const { session } = await openAt((_, { send }) => send('NOTICE', 'unknown envelope label'))
    expect(await session.send('61')).toEqual({ type: 'refused', reason: 'unknown envelope label' })
  })

  it('is refused by a CLOSED in place of the first answer', async () => {
    const { session } = await openAt(([, id], { send }) => send('CLOSED', id, 'unsupported'))
    expect(await session.send('61')).toEqual({ type: 'refused', reason: 'unsupported' })
  })

  it('goes on after a NOTICE once it was answered', async () => {
    const { session } = await openAt(([label, id], { send }) => {
      if (label === 'NEG-MSG') send('NOTICE', 'maintenance tonight')
      send('NEG-MSG', id, '61')
    })
    await session.send('61')
    expect(await session.send('61')).toMatchObject({ type: 'msg' })
  })

  it('ends with an error by a CLOSED after the first answer', async () => {
    const { session } = await openAt(([label, id], { send }) =>
      send(...(label === 'NEG-OPEN' ? ['NEG-MSG', id, '61'] : ['CLOSED', id, 'too slow'])),
    )
    await session.send('61')
    expect(await session.send('61')).toEqual({ type: 'error', reason: 'too slow' })
  })

  it('is idle when the relay is silent', async () => {
    const { session } = await openAt(() => undefined, { idleTimeoutMs: 50 })
    expect(await session.send('61')).toEqual({ type: 'idle' })
  })

  it('is idle after a message that is not hex', async () => {
    const { session } = await openAt(([, id], { send }) => send('NEG-MSG', id, 'xyz'), { idleTimeoutMs: 50 })
    expect(await session.send('61')).toEqual({ type: 'idle' })
  })

  it('waits no longer than its own deadline', async () => {
    const double = await startWsDouble()
    const session = useRelay(double.url).openNegentropy({}, 50)
    expect(await session.send('61')).toEqual({ type: 'idle' })
  })

  it('is disconnected with its connection, and not repeated', async () => {
    const { double, session } = await openAt((_, { socket }) => socket.close(1001, 'going away'))
    const answer = { type: 'disconnected', reason: 'going away (1001)' }
    expect(await session.send('61')).toEqual(answer)
    expect(await session.send('61')).toEqual(answer)
    expect(double.frames).toHaveLength(1)
  })

  it('is disconnected when the relay cannot be reached', async () => {
    const double = await startWsDouble()
    await double.stop()
    expect(await useRelay(double.url).openNegentropy({}).send('61')).toMatchObject({ type: 'disconnected' })
  })

  it('is disconnected by an interruption', async () => {
    const interruption = new AbortController()
    const { session } = await openAt(() => interruption.abort(), { signal: interruption.signal })
    expect(await session.send('61')).toEqual({ type: 'disconnected', reason: 'interrupted' })
  })

  it('tells the relay when it is closed, once', async () => {
    const { double, session } = await openAt(([, id], { send }) => send('NEG-MSG', id, '61'))
    await session.send('61')
    session.close()
    session.close()
    await waitFor(() => double.countFrames('NEG-CLOSE') > 0)
    expect(double.frames.slice(1)).toEqual([['NEG-CLOSE', double.frames[0]?.[1]]])
  })

  it('tells the relay nothing when the relay ended it', async () => {
    const double = await startWsDouble({ onFrame: refuse })
    const relay = useRelay(double.url)
    const session = relay.openNegentropy({})
    await session.send('61')
    session.close()
    expect((await relay.request({})).end).toEqual({ type: 'eose' })
    expect(double.countFrames('NEG-CLOSE')).toBe(0)
  })

  it('runs beside REQs', async () => {
    const double = await startWsDouble({ onFrame: ([label, id], { send }) => label === 'REQ' && send('EOSE', id) })
    const relay = useRelay(double.url)
    const answer = relay.openNegentropy({}, 100).send('61')
    expect((await relay.request({})).end).toEqual({ type: 'eose' })
    expect(await answer).toEqual({ type: 'idle' })
  })
})

const refuse: NonNullable<WsScript['onFrame']> = ([label, id], { send }) => {
  if (label === 'NEG-OPEN') send('NEG-ERR', id, 'blocked: no')
  if (label === 'REQ') send('EOSE', id)
}
