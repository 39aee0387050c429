import { describe, expect, it } from 'vitest'

import { Aftermath } from '../../src/relay/aftermath.ts'
import type { WebSocketRelayOptions } from '../../src/relay/socket-options.ts'
import { comment, issue, repositoryAddress } from '../support/builders.ts'
import { alice, bob } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { startWsDouble, useRelay, type Visitor } from '../support/ws-double.ts'

const bug = issue(repositoryAddress(alice, 'hello'), bob)
const remark = comment(bug, alice)

type Reaction = (id: unknown, visitor: Visitor) => void

/** A relay that says EOSE to each REQ and does this after the first one. */
async function startContradicting(after: Reaction, options: Partial<WebSocketRelayOptions> = {}) {
  let count = 0
  const double = await startWsDouble({
    onFrame: ([label, id], visitor) => {
      if (label !== 'REQ') return
      visitor.send('EOSE', id)
      if ((count += 1) === 1) after(id, visitor)
    },
  })
  return { double, relay: useRelay(double.url, options) }
}

describe('an end that is followed', () => {
  it('by CLOSED in the same packet is closed', async () => {
    const { relay } = await startContradicting((id, { send }) => send('CLOSED', id, 'error: no'))
    const aftermath = new Aftermath()
    const { end } = await relay.request({ kinds: [1621] }, aftermath)
    await relay.settleEnds()
    const isClosed = end.type === 'closed' && end.reason === 'error: no'
    // Two frames are no packet for sure.
    expect(isClosed || aftermath.contradiction === 'CLOSED after EOSE: error: no').toBe(true)
  })

  it('by CLOSED a moment later does not stand', async () => {
    const { relay } = await startContradicting((id, { send }) => setTimeout(() => send('CLOSED', id, 'error: no'), 50))
    const aftermath = new Aftermath()
    expect((await relay.request({ kinds: [1621] }, aftermath)).end).toEqual({ type: 'eose' })
    await relay.settleEnds()
    expect(aftermath.contradiction).toBe('CLOSED after EOSE: error: no')
  })

  it('by rows that match does not stand', async () => {
    const { relay } = await startContradicting((id, { send }) => {
      setTimeout(() => [bug, remark].forEach((row) => send('EVENT', id, row)), 50)
    })
    const aftermath = new Aftermath()
    await relay.request({ kinds: [1621] }, aftermath)
    await relay.settleEnds()
    expect(aftermath.contradiction).toBe('1 row came after its EOSE')
  })

  it('by rows for a question about anything stands', async () => {
    const { relay } = await startContradicting((id, { send }) => setTimeout(() => send('EVENT', id, bug), 50))
    const aftermath = new Aftermath()
    await relay.request({ since: 0, limit: 2 }, aftermath)
    await relay.settleEnds()
    expect(aftermath.contradiction).toBeUndefined()
  })

  it('by nothing stands after half a second and an answer to something later', async () => {
    const { relay, double } = await startContradicting(() => undefined)
    const aftermath = new Aftermath()
    await relay.request({ kinds: [1621] }, aftermath)
    const askedMs = performance.now()
    expect(aftermath.isOpen).toBe(true)
    await relay.settleEnds()
    expect(performance.now() - askedMs).toBeGreaterThan(400)
    expect(aftermath).toMatchObject({ isOpen: false, contradiction: undefined })
    expect(double.countFrames('REQ')).toBe(2)
  })

  it('by another question needs no probe', async () => {
    const { relay, double } = await startContradicting(() => undefined)
    await relay.request({ kinds: [1621] }, new Aftermath())
    await relay.request({ kinds: [1] })
    await relay.settleEnds()
    expect(double.countFrames('REQ')).toBe(2)
  })

  it('of a question that was asked while others were heard out stays open', async () => {
    let finish: (() => void) | undefined
    const double = await startWsDouble({
      onFrame: ([label, id, filter], { send }) => {
        if (label !== 'REQ') return
        const isSecond = JSON.stringify(filter).includes('1111')
        send('EOSE', id)
        if (isSecond) finish = () => send('CLOSED', id, 'error: no')
      },
    })
    const relay = useRelay(double.url)
    const [first, second] = [new Aftermath(), new Aftermath()]
    await relay.request({ kinds: [1621] }, first)
    const heard = relay.settleEnds()
    await waitFor(() => double.countFrames('REQ') === 2)
    await relay.request({ kinds: [1111] }, second)
    await heard
    expect([first, second].map(({ isOpen, contradiction }) => [isOpen, contradiction])).toEqual([
      [false, undefined],
      [true, undefined],
    ])
    finish?.()
    await waitFor(() => second.contradiction === 'CLOSED after EOSE: error: no')
    expect(second.isOpen).toBe(false)
  })

  it('by silence does not stand', async () => {
    let count = 0
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label === 'REQ' && (count += 1) === 1) send('EOSE', id)
      },
    })
    const relay = useRelay(double.url, { idleTimeoutMs: 100 })
    const aftermath = new Aftermath()
    await relay.request({ kinds: [1621] }, aftermath)
    await relay.settleEnds()
    expect(aftermath.contradiction).toBe('idle 0.1 s right after its EOSE')
  })

  it('by a connection that closes does not stand', async () => {
    const { relay } = await startContradicting((_, { socket }) => setTimeout(() => socket.close(1008, 'go away'), 50))
    const aftermath = new Aftermath()
    await relay.request({ kinds: [1621] }, aftermath)
    await relay.settleEnds()
    expect(aftermath.contradiction).toBe('go away (1008) right after its EOSE')
  })
})

describe('what was not asked for', () => {
  it('is counted with the next page, and the connection is dropped after 1 MiB (no false green #32)', async () => {
    const big = { ...bug, content: 'x'.repeat(300_000) }
    const { relay, double } = await startContradicting((id, { send }) => {
      for (let row = 0; row < 40; row += 1) send('EVENT', id, big)
    })
    const before = process.memoryUsage().rss
    const aftermath = new Aftermath()
    const first = await relay.request({ kinds: [1621] }, aftermath)
    await waitFor(() => aftermath.contradiction !== undefined)
    await waitFor(() => relay.ignoredFrames() >= 4)
    const next = await relay.request({ kinds: [1621] })
    expect(first.bytes + next.bytes).toBeGreaterThan(1024 * 1024)
    expect(double.countConnections()).toBe(2)
    expect(next.end).toEqual({ type: 'eose' })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})

describe('a relay that leaves questions unanswered', () => {
  it('is given up after three in a row (no false green #35)', async () => {
    const double = await startWsDouble({})
    const relay = useRelay(double.url, { idleTimeoutMs: 100 })
    const pages = await Promise.all(
      [{ kinds: [1] }, { kinds: [2] }, { kinds: [3] }].map((filter) => relay.request(filter)),
    )
    expect(pages.map(({ end }) => end.type)).toEqual(['idle', 'idle', 'idle'])
    const reason = 'given up: 3 questions in a row got no answer within 0.1 s'
    expect(relay.givenUp()).toBe(reason)
    expect((await relay.request({})).end).toEqual({ type: 'aborted', reason })
    expect(await relay.openNegentropy({}).send('61')).toEqual({ type: 'disconnected', reason })
    expect(double.countFrames('REQ')).toBe(3)
  })

  it('is not given up when it answers one in between (no false green #35)', async () => {
    let count = 0
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label === 'REQ' && (count += 1) % 3 === 0) send('EOSE', id)
      },
    })
    const relay = useRelay(double.url, { idleTimeoutMs: 100 })
    for (let round = 0; round < 6; round += 1) await relay.request({})
    expect(relay.givenUp()).toBeUndefined()
  })
})
