import { describe, expect, it, onTestFinished } from 'vitest'

import type { ScriptedRelay } from './scripted-relay.ts'
import { startScriptedRelay } from './scripted-relay.ts'
import { smallRepository } from './scenes.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { connectTiny, type TinyClient } from './tiny-client.ts'
import { waitFor } from './wait-for.ts'

const { events } = smallRepository()

/** A relay, a proxy in front of it and a client behind that. */
async function start(): Promise<{ relay: ScriptedRelay; proxy: TcpProxy; client: TinyClient }> {
  const relay = await startScriptedRelay({ events })
  onTestFinished(() => relay.close())
  const proxy = await startTcpProxy(relay.url)
  onTestFinished(() => proxy.close())
  return { relay, proxy, client: await connect(proxy) }
}

async function connect(proxy: TcpProxy): Promise<TinyClient> {
  const client = await connectTiny(proxy.url)
  onTestFinished(() => client.close())
  return client
}

describe('startTcpProxy', () => {
  it('passes everything both ways, documents included', async () => {
    const { proxy, client } = await start()
    expect(await client.query({ kinds: [30617] })).toEqual([events[0]])
    const response = await fetch(proxy.url.replace('ws', 'http'), { headers: { accept: 'application/nostr+json' } })
    expect(await response.json()).toMatchObject({ name: 'scripted' })
    expect(proxy.countConnections()).toBe(1)
  })

  it('passes messages of any length', async () => {
    const { relay, client } = await start()
    const long = { ...events[0], content: 'x'.repeat(200_000) }
    relay.behaviour.extraRows = () => [long]
    const rows = await client.query({ kinds: [30617] })
    expect(rows.map(({ content }) => content.length)).toEqual([0, 200_000])
  })

  it('refuses connections until it is healed', async () => {
    const { proxy, client } = await start()
    proxy.strike({ type: 'refuse' })
    await waitFor(() => client.isClosed())
    await expect(connect(proxy)).rejects.toThrow('ECONNREFUSED')
    await proxy.heal()
    expect(await (await connect(proxy)).query({ kinds: [30617] })).toHaveLength(1)
  })

  it('drops connections, new ones too', async () => {
    const { proxy, client } = await start()
    proxy.strike({ type: 'drop' })
    await waitFor(() => client.isClosed())
    await expect(connect(proxy)).rejects.toThrow(/hang up|ECONNRESET/)
  })

  it('stalls: the connection stays open and nothing comes', async () => {
    const { relay, proxy, client } = await start()
    proxy.strike({ type: 'stall' })
    client.send('REQ', 'a', {})
    const direct = await connectTiny(relay.url)
    onTestFinished(() => direct.close())
    expect(await direct.query({})).toHaveLength(4)
    expect([client.frames, client.isClosed(), relay.received.reqs.length]).toEqual([[], false, 1])
  })

  it('drips: whole messages arrive late', async () => {
    const { proxy, client } = await start()
    proxy.strike({ type: 'drip', bytes: 400, everyMs: 5 })
    expect(await client.query({})).toHaveLength(4)
  })

  it('cuts after so many bytes of the relay', async () => {
    const { proxy, client } = await start()
    proxy.onFrame(([label]) => (label === 'REQ' ? { type: 'cut', afterBytes: 1_000 } : undefined))
    client.send('REQ', 'a', {})
    await waitFor(() => client.isClosed())
    expect(client.frames.length).toBeGreaterThan(0)
    expect(client.frames.length).toBeLessThan(4)
  })

  it('cuts in the middle of a message', async () => {
    const { proxy, client } = await start()
    proxy.onFrame(([label], from) => (from === 'relay' && label === 'EOSE' ? { type: 'cut-in-frame' } : undefined))
    client.send('REQ', 'a', {})
    await waitFor(() => client.isClosed())
    expect(client.frames.map(([label]) => label)).toEqual(['EVENT', 'EVENT', 'EVENT', 'EVENT'])
  })

  it('strikes at the message that its trigger waits for, and only on that connection', async () => {
    const { relay, proxy, client } = await start()
    const other = await connect(proxy)
    let count = 0
    proxy.onFrame(([label]) => (label === 'REQ' && (count += 1) === 2 ? { type: 'drop' } : undefined))
    await client.query({})
    client.send('REQ', 'b', {})
    await waitFor(() => client.isClosed())
    expect(relay.received.reqs).toHaveLength(1)
    expect(await other.query({})).toHaveLength(4)
  })
})
