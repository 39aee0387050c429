import { describe, expect, it } from 'vitest'

import { issue } from '../support/builders.ts'
import { alice } from '../support/scenes.ts'
import { serveRows, startWsDouble, useRelay, type WsScript } from '../support/ws-double.ts'

const EXTENSION = 'sec-websocket-extensions'
const FILTER = { ids: Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(64, '0')), limit: 20 }
const REPETITIVE = issue('30617:x:y', alice, { content: 'x'.repeat(500_000) })

/** Asks a double once; also returns what was agreed on at its connections. */
async function ask(script: WsScript, options: Parameters<typeof useRelay>[1]) {
  const agreed: string[] = []
  const double = await startWsDouble({
    onFrame: serveRows(REPETITIVE),
    ...script,
    onConnection: ({ socket }) => agreed.push(socket.extensions),
  })
  const { rows, end } = await useRelay(double.url, options).request(FILTER)
  return { agreed, rows: rows.length, end, frames: double.frames }
}

describe('compression', () => {
  it('is not offered unless it is asked for', async () => {
    const { agreed, end } = await ask({ compresses: true }, {})
    expect([agreed, end.type]).toEqual([[''], 'eose'])
  })

  it('is agreed on with a relay that takes up the offer', async () => {
    const { agreed, rows, end, frames } = await ask({ compresses: true }, { perMessageDeflate: true })
    expect([agreed, rows, end.type]).toEqual([['permessage-deflate'], 1, 'eose'])
    expect(frames[0]?.[2]).toEqual(FILTER)
  })

  it('is done without where the relay ignores the offer', async () => {
    const { agreed, rows } = await ask({}, { perMessageDeflate: true })
    expect([agreed, rows]).toEqual([[''], 1])
  })

  it('lets no message through that is too large once it is inflated', async () => {
    const options = { perMessageDeflate: true, maxMessageBytes: 100_000, retries: 0 }
    const { rows, end } = await ask({ compresses: true }, options)
    expect([rows, end]).toEqual([0, { type: 'disconnected', reason: 'Max payload size exceeded' }])
  })

  it('is not offered again once a connection was lost: the relay may announce it and get it wrong', async () => {
    const { agreed, rows, end } = await ask(
      { upgradeHeaders: ({ headers }) => (EXTENSION in headers ? [`${EXTENSION}: permessage-deflate`] : []) },
      { perMessageDeflate: true, retries: 1 },
    )
    expect([agreed.length, rows, end.type]).toEqual([2, 1, 'eose'])
  })
})
