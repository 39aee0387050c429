import { describe, expect, it } from 'vitest'

import { waitFor } from '../support/wait-for.ts'
import { serveRows, startWsDouble, useRelay, type WsScript } from '../support/ws-double.ts'
import type { WebSocketRelayOptions } from '../../src/relay/socket-options.ts'

/** The page of one REQ at a double with this script. */
async function requestAt(script: WsScript, options: Partial<WebSocketRelayOptions> = {}) {
  const double = await startWsDouble(script)
  const relay = useRelay(double.url, { retries: 0, ...options })
  return { page: await relay.request({ kinds: [1621] }), double, relay }
}

describe('the rows of a page', () => {
  it('are handed over as they came', async () => {
    const { page } = await requestAt({ onFrame: serveRows({ id: 'x' }, 7, null, ['nested']) })
    expect(page.rows).toEqual([{ id: 'x' }, 7, null, ['nested']])
  })

  it('count their frames and the last one in bytes', async () => {
    const { page, double } = await requestAt({ onFrame: serveRows('é') })
    const id = double.frames[0]?.[1]
    const frames = [
      ['EVENT', id, 'é'],
      ['EOSE', id],
    ].map((frame) => Buffer.byteLength(JSON.stringify(frame)))
    expect(page.bytes).toBe(frames.reduce((sum, bytes) => sum + bytes))
  })

  it('do not include what comes after EOSE or for another subscription', async () => {
    const { page, relay } = await requestAt({
      onFrame: ([label, id], { send }) => {
        if (label === 'REQ') for (const sub of ['other', id]) send('EVENT', sub, 'row')
        if (label === 'REQ') send('EOSE', id)
        if (label === 'REQ') send('EVENT', id, 'late')
      },
    })
    expect(page.rows).toEqual(['row'])
    await waitFor(() => relay.ignoredFrames() === 2)
  })
})

describe('a REQ', () => {
  it('carries the filter as it is and a short id', async () => {
    const { double } = await requestAt({ onFrame: serveRows() })
    expect(double.frames[0]).toEqual(['REQ', expect.stringMatching(/^\w{1,64}$/), { kinds: [1621] }])
  })

  it('never uses an id twice', async () => {
    const { double, relay } = await requestAt({ onFrame: serveRows() })
    await relay.request({})
    const ids = double.frames.filter(([label]) => label === 'REQ').map(([, id]) => id)
    expect(new Set(ids).size).toBe(2)
  })

  it('is closed after EOSE', async () => {
    const { double } = await requestAt({ onFrame: serveRows() })
    await waitFor(() => double.countFrames('CLOSE') === 1)
    expect(double.frames[1]).toEqual(['CLOSE', double.frames[0]?.[1]])
  })
})

describe('the end of a page', () => {
  it('is eose when the relay says so', async () => {
    const { page } = await requestAt({ onFrame: serveRows('row') })
    expect(page.end).toEqual({ type: 'eose' })
  })

  it.each(['error: shutting down', 'auth-required: who are you', ''])(
    'is closed with the reason %j',
    async (reason) => {
      const { page } = await requestAt({
        onFrame: ([label, id], { send }) => label === 'REQ' && send('CLOSED', id, reason),
      })
      expect(page.end).toEqual({ type: 'closed', reason })
    },
  )

  it('is closed with an empty reason when none is given', async () => {
    const { page } = await requestAt({ onFrame: ([, id], { send }) => send('CLOSED', id) })
    expect(page.end).toEqual({ type: 'closed', reason: '' })
  })

  it('is idle after silence, with the rows so far', async () => {
    const { page } = await requestAt(
      { onFrame: ([label, id], { send }) => label === 'REQ' && send('EVENT', id, 'row') },
      { idleTimeoutMs: 1_000 },
    )
    expect(page).toMatchObject({ end: { type: 'idle', afterMs: 1_000 }, rows: ['row'] })
  })

  it('is not idle while rows drip in', async () => {
    const { page } = await requestAt({ onFrame: dripRows }, { idleTimeoutMs: 400 })
    expect(page).toMatchObject({ end: { type: 'eose' }, rows: Array(8).fill('drop') })
  })

  it('is idle although another subscription is busy', async () => {
    const { page } = await requestAt({ onFrame: createChatter() }, { idleTimeoutMs: 100 })
    expect(page.end.type).toBe('idle')
  })

  it('is idle when only a NOTICE came', async () => {
    const notices: string[] = []
    const { page } = await requestAt(
      { onFrame: ([label], { send }) => label === 'REQ' && send('NOTICE', 'could not parse filter') },
      { idleTimeoutMs: 1_000, onNotice: (text) => notices.push(text) },
    )
    expect(page.end.type).toBe('idle')
    expect(notices).toEqual(['could not parse filter'])
  })

  it('is disconnected when the socket is closed', async () => {
    const { page } = await requestAt({ onFrame: (_, { socket }) => socket.close(1001, 'going away') })
    expect(page.end).toEqual({ type: 'disconnected', reason: 'going away (1001)' })
  })

  it('is disconnected when a message is larger than allowed', async () => {
    const { page } = await requestAt({ onFrame: serveRows('x'.repeat(2_000)) }, { maxMessageBytes: 1_000 })
    expect(page.end).toEqual({ type: 'disconnected', reason: 'Max payload size exceeded' })
  })

  it('is aborted by one row more than a page may have', async () => {
    const { page, double } = await requestAt({ onFrame: serveRows(1, 2, 3, 4) }, { maxPageRows: 3 })
    expect(page).toMatchObject({ end: { type: 'aborted', reason: 'page over 3 rows' }, rows: [1, 2, 3] })
    await waitFor(() => double.countFrames('CLOSE') === 1)
  })

  it('is eose with as many rows as a page may have', async () => {
    const { page } = await requestAt({ onFrame: serveRows(1, 2, 3) }, { maxPageRows: 3 })
    expect(page).toMatchObject({ end: { type: 'eose' }, rows: [1, 2, 3] })
  })

  it('is aborted by more bytes than a page may have', async () => {
    const { page } = await requestAt({ onFrame: serveRows('x'.repeat(600), 'y'.repeat(600)) }, { maxPageBytes: 1_000 })
    expect(page).toMatchObject({ end: { type: 'aborted', reason: 'page over 1000 bytes' }, rows: ['x'.repeat(600)] })
  })

  it('is not touched by frames that nobody can read', async () => {
    const { page, relay } = await requestAt({
      onFrame: ([label, id], { send, socket }) => {
        if (label !== 'REQ') return
        for (const frame of GARBAGE) socket.send(frame)
        send('EOSE', id)
      },
    })
    expect(page).toMatchObject({ end: { type: 'eose' }, rows: [] })
    expect(relay.ignoredFrames()).toBe(GARBAGE.length)
  })
})

const GARBAGE: readonly (string | Buffer)[] = [
  '',
  'not json',
  '{}',
  'null',
  '[]',
  '[1]',
  '["EOSE"]',
  '["EOSE",{}]',
  '["EVENT","r1"]',
  '["toString","r1"]',
  '["OK","x","true"]',
  '['.repeat(100_000),
  '['.repeat(100_000) + ']'.repeat(100_000),
  Buffer.from('["EOSE","r1"]'),
]

function dripRows([label, id]: readonly unknown[], { send }: Parameters<NonNullable<WsScript['onFrame']>>[1]): void {
  if (label !== 'REQ') return
  let drops = 0
  const timer = setInterval(() => {
    drops += 1
    if (drops <= 8) return send('EVENT', id, 'drop')
    clearInterval(timer)
    send('EOSE', id)
  }, 70)
}

/** Rows of another subscription, one after the other until the one that was asked for is closed. */
function createChatter(): NonNullable<WsScript['onFrame']> {
  let timer: NodeJS.Timeout | undefined
  return ([label], { send }) => {
    if (label === 'REQ') timer = setInterval(() => send('EVENT', 'other', 'row'), 10)
    else if (label === 'CLOSE') clearInterval(timer)
  }
}
