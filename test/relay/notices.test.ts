import { describe, expect, it } from 'vitest'

import { Notices } from '../../src/relay/notices.ts'
import { waitFor } from '../support/wait-for.ts'
import { serveRows, startWsDouble, useRelay } from '../support/ws-double.ts'

describe('Notices', () => {
  it('keeps each text with how often it came, in the order of coming', () => {
    const notices = new Notices()
    for (const text of ['b', 'a', 'b']) notices.add(text)
    expect(notices.list()).toEqual([
      { text: 'b', count: 2 },
      { text: 'a', count: 1 },
    ])
  })

  it('counts further texts without keeping them', () => {
    const notices = new Notices()
    for (let number = 1; number <= 100; number += 1) notices.add(`notice ${number}`)
    expect(notices.list()).toHaveLength(21)
    expect(notices.list().at(-1)).toEqual({ text: 'further notices', count: 80 })
  })
})

describe('a relay', () => {
  it('tells what it said beside its answers', async () => {
    const double = await startWsDouble({
      onConnection: ({ send }) => send('NOTICE', 'maintenance tonight'),
      onFrame: serveRows(),
    })
    const relay = useRelay(double.url)
    await relay.request({})
    await waitFor(() => relay.notices?.().length === 1)
    expect(relay.notices?.()).toEqual([{ text: 'maintenance tonight', count: 1 }])
  })

  it('does not tell again what ended a reconciliation', async () => {
    const double = await startWsDouble({ onFrame: (_, { send }) => send('NOTICE', 'unknown message') })
    const relay = useRelay(double.url)
    expect(await relay.openNegentropy({}).send('61')).toMatchObject({ type: 'refused', reason: 'unknown message' })
    expect(relay.notices?.()).toEqual([])
  })
})
