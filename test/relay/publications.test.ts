import { describe, expect, it } from 'vitest'

import { keyOf, signEvent } from '../support/sign.ts'
import { waitFor } from '../support/wait-for.ts'
import { startWsDouble, useRelay, type Visitor } from '../support/ws-double.ts'

const author = keyOf('author')
const event = signEvent(author, { kind: 1, created_at: 1, tags: [], content: 'one' })
const other = signEvent(author, { kind: 1, created_at: 2, tags: [], content: 'two' })

describe('publish', () => {
  it.each([
    [true, ''],
    [true, 'duplicate: already have this event'],
    [false, 'blocked: not here'],
  ])('resolves with the OK %j %j', async (accepted, text) => {
    const double = await startWsDouble({
      onFrame: ([, subject], { send }) => send('OK', idOf(subject), accepted, text),
    })
    expect(await useRelay(double.url).publish(event)).toEqual({ type: 'ok', accepted, text })
  })

  it('is expired, and not sent again, when its time passed before the connection was back (no false green #39)', async () => {
    const double = await startWsDouble({ onFrame: (_, { socket }) => socket.terminate() })
    const isExpired = (): boolean => double.frames.length > 0
    expect(await useRelay(double.url).publish(event, isExpired)).toEqual({ type: 'expired' })
    expect(double.frames.length).toBe(1)
  })

  it('sends the event as it is', async () => {
    const double = await startWsDouble({ onFrame: acceptAll })
    await useRelay(double.url).publish(event)
    expect(double.frames).toEqual([['EVENT', event]])
  })

  it('matches each OK by its id, in whatever order they come', async () => {
    const ids: string[] = []
    const double = await startWsDouble({
      onFrame: ([, subject], { send }) => {
        ids.unshift(idOf(subject))
        if (ids.length === 2) for (const id of ids) send('OK', id, true, `for ${id}`)
      },
    })
    const relay = useRelay(double.url)
    const answers = await Promise.all([relay.publish(event), relay.publish(other)])
    expect(answers).toMatchObject([{ text: `for ${event.id}` }, { text: `for ${other.id}` }])
  })

  it('takes the first OK of two', async () => {
    const double = await startWsDouble({
      onFrame: ([, subject], { send }) => {
        send('OK', idOf(subject), false, 'first')
        send('OK', idOf(subject), true, 'second')
      },
    })
    const relay = useRelay(double.url)
    expect(await relay.publish(event)).toMatchObject({ accepted: false, text: 'first' })
    await waitFor(() => relay.ignoredFrames() === 1)
  })

  it('ignores an OK for an id that it did not send', async () => {
    const double = await startWsDouble({ onFrame: (_, { send }) => send('OK', other.id, true, '') })
    const answer = await useRelay(double.url, { okTimeoutMs: 50 }).publish(event)
    expect(answer).toEqual({ type: 'unanswered', reason: 'no OK within 50 ms' })
  })

  it('is unanswered when the refusal has no id, as at nostr-relay 1.14, and what it says is a notice', async () => {
    const double = await startWsDouble({ onFrame: (_, { send }) => send('OK', '', false, 'invalid: Bad signature') })
    const relay = useRelay(double.url, { okTimeoutMs: 50 })
    expect(await relay.publish(event)).toEqual({ type: 'unanswered', reason: 'no OK within 50 ms' })
    expect(relay.notices?.()).toEqual([{ text: 'invalid: Bad signature', count: 1 }])
  })

  it('is unanswered when the relay only says NOTICE', async () => {
    const double = await startWsDouble({ onFrame: (_, { send }) => send('NOTICE', 'too large') })
    expect((await useRelay(double.url, { okTimeoutMs: 50 }).publish(event)).type).toBe('unanswered')
    expect(double.countFrames('EVENT')).toBe(1)
  })

  it('sends an event that is in flight already no second time', async () => {
    const double = await startWsDouble({ onFrame: acceptAll })
    const relay = useRelay(double.url)
    await Promise.all([relay.publish(event), relay.publish(event)])
    expect(double.countFrames('EVENT')).toBe(1)
  })

  it('is unanswered when it is interrupted', async () => {
    const double = await startWsDouble()
    const interruption = new AbortController()
    const answer = useRelay(double.url, { signal: interruption.signal }).publish(event)
    await waitFor(() => double.countFrames('EVENT') === 1)
    interruption.abort()
    expect(await answer).toEqual({ type: 'unanswered', reason: 'interrupted' })
  })
})

describe('a connection lost before the OK', () => {
  it('makes the event be sent again on the next one', async () => {
    const double = await startWsDouble({
      onFrame: (frame, visitor) => (visitor.number === 1 ? visitor.socket.close() : acceptAll(frame, visitor)),
    })
    expect(await useRelay(double.url).publish(event)).toMatchObject({ type: 'ok', accepted: true })
    expect(double.countFrames('EVENT')).toBe(2)
  })

  it('leaves the event unanswered the second time', async () => {
    const double = await startWsDouble({ onFrame: (_, { socket }) => socket.close(1011, 'broken') })
    const answer = await useRelay(double.url).publish(event)
    expect(answer).toEqual({ type: 'unanswered', reason: 'broken (1011)' })
    expect(double.countFrames('EVENT')).toBe(2)
  })

  it('leaves the event unanswered when no new one can be had', async () => {
    const double = await startWsDouble({ onFrame: () => void double.stop() })
    expect(await useRelay(double.url).publish(event)).toMatchObject({ type: 'unanswered' })
  })
})

describe('OK auth-required', () => {
  it('is answered with the key, and the event sent again', async () => {
    const double = await startWsDouble(authRelay())
    const answer = await useRelay(double.url, { key: keyOf('operator').secret }).publish(event)
    expect(answer).toMatchObject({ type: 'ok', accepted: true })
    expect(double.frames.map(([label]) => label)).toEqual(['EVENT', 'AUTH', 'EVENT'])
  })

  it('is the answer without a key', async () => {
    const double = await startWsDouble(authRelay())
    const answer = await useRelay(double.url).publish(event)
    expect(answer).toEqual({ type: 'ok', accepted: false, text: 'auth-required: members only' })
  })

  it('is the answer when it comes again', async () => {
    const double = await startWsDouble(authRelay({ isNeverContent: true }))
    const answer = await useRelay(double.url, { key: keyOf('operator').secret }).publish(event)
    expect(answer).toMatchObject({ accepted: false })
    expect(double.countFrames('EVENT')).toBe(2)
  })
})

function acceptAll([, subject]: readonly unknown[], { send }: Visitor): void {
  send('OK', idOf(subject), true, '')
}

function authRelay({ isNeverContent = false } = {}) {
  let isKnown = false
  return {
    onFrame: ([label, subject]: readonly unknown[], { send }: Visitor): void => {
      if (label === 'AUTH') isKnown = true
      else if (!isKnown) send('AUTH', 'challenge')
      const accepted = label === 'AUTH' || (isKnown && !isNeverContent)
      send('OK', idOf(subject), accepted, accepted ? '' : 'auth-required: members only')
    },
  }
}

function idOf(subject: unknown): string {
  return (subject as { id: string }).id
}
