import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { SyncError } from '../../src/errors.ts'
import { createWebSocketRelay } from '../../src/relay/websocket-relay.ts'
import type { RunEvent } from '../../src/run-event.ts'
import { startScriptedRelay } from '../support/scripted-relay.ts'
import { waitFor } from '../support/wait-for.ts'
import { serveRows, startWsDouble, useRelay } from '../support/ws-double.ts'

describe('createWebSocketRelay', () => {
  it('names the relay by its normalised URL', () => {
    expect(useRelay('WS://Relay.Example:80/').url).toBe('ws://relay.example')
  })

  it('throws SyncError for a URL that is not a WebSocket', () => {
    const options = { signal: new AbortController().signal, now: () => 0, random: () => 0 }
    expect(() => createWebSocketRelay('https://relay.example', options)).toThrow(SyncError)
  })
})

describe('tell', () => {
  it('hears of connections made and lost, documents, notices, and tries in between', async () => {
    const double = await startWsDouble({ onDocument: (_, response) => response.end('{"software":"x","version":"1"}') })
    const told: RunEvent[] = []
    const tell = (event: RunEvent): void => void told.push(event)
    const relay = useRelay(double.url, { retries: 1, tell })
    await relay.open()
    expect(told.map(({ type }) => type)).toEqual(['connecting', 'connected', 'document'])
    expect(told[2]).toMatchObject({ relay: double.url, software: 'x', version: '1', problem: undefined })
    await double.stop()
    await relay.request({ kinds: [1] })
    const types = told.map(({ type }) => type)
    expect(types).toEqual(expect.arrayContaining(['disconnected', 'reconnecting']))
    expect(types.filter((type) => type === 'connected')).toHaveLength(1)
  })

  it('does not hear of a connection that we close', async () => {
    const double = await startWsDouble()
    const told: RunEvent[] = []
    const relay = useRelay(double.url, { tell: (event) => told.push(event) })
    await relay.open()
    await relay.close()
    expect(told.map(({ type }) => type)).not.toContain('disconnected')
  })
})

describe('open', () => {
  it('returns what the document says', async () => {
    const double = await startWsDouble({ onDocument: (_, response) => response.end('{"name":"a relay"}') })
    expect(await useRelay(double.url).open()).toMatchObject({ name: 'a relay' })
  })

  it('connects although the document is missing', async () => {
    const double = await startWsDouble()
    const profile = await useRelay(double.url).open()
    expect(profile).toEqual({ supportedNips: [], supportedGrasps: [], documentError: 'HTTP 404' })
  })

  it('asks for the document again when the first one came from a relay that was not up yet', async () => {
    const relay = await startScriptedRelay({ connections: 'refuse' })
    onTestFinished(() => relay.close())
    const { behaviour, received } = relay
    behaviour.onDocument = () => (received.documents === 1 ? { status: 503, body: '' } : { body: '{"name":"up now"}' })
    // Asked for after the first dial has failed.
    const random = (): number => {
      behaviour.connections = 'accept'
      return 0
    }
    expect(await useRelay(relay.url, { random }).open()).toMatchObject({ name: 'up now' })
  })

  it('takes the clock offset from the handshake when the document has no Date', async () => {
    const double = await startWsDouble({ upgradeHeaders: [`Date: ${new Date(1_700_000_042_000).toUTCString()}`] })
    expect(await useRelay(double.url).open()).toMatchObject({ clockOffsetSeconds: 42 })
  })

  it('throws SyncError with a hint when nobody listens', async () => {
    const double = await startWsDouble()
    await double.stop()
    const error = await useRelay(double.url, { retries: 1 })
      .open()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SyncError)
    expect(error).toMatchObject({ message: expect.stringMatching(`connect to ${double.url}: .*ECONNREFUSED`) })
    expect(error).toHaveProperty('hint', expect.stringContaining('URL'))
  })

  it('gives up a handshake that is never answered', async () => {
    const url = await startSilentServer()
    const opening = useRelay(url, { retries: 0, connectTimeoutMs: 50 }).open()
    await expect(opening).rejects.toThrow(`connect to ${url}: no connection within 50 ms`)
  })

  it('throws SyncError when it is interrupted on the way', async () => {
    const url = await startSilentServer()
    const interruption = new AbortController()
    const opening = useRelay(url, { signal: interruption.signal }).open()
    interruption.abort()
    await expect(opening).rejects.toThrow(`connect to ${url}: interrupted`)
  })
})

describe('abort', () => {
  it('ends every request with aborted, those that wait for a place too', async () => {
    const double = await startWsDouble()
    const interruption = new AbortController()
    const relay = useRelay(double.url, { signal: interruption.signal, maxOpenRequests: 1 })
    const pages = [relay.request({}), relay.request({}), relay.request({})]
    await waitFor(() => double.countFrames('REQ') === 1)
    interruption.abort()
    const end = { type: 'aborted', reason: 'interrupted' }
    expect(await Promise.all(pages)).toMatchObject([{ end }, { end }, { end }])
  })

  it('ends a request before it is sent when the signal has aborted already', async () => {
    const double = await startWsDouble({ onFrame: serveRows() })
    const page = await useRelay(double.url, { signal: AbortSignal.abort() }).request({})
    expect(page.end).toEqual({ type: 'aborted', reason: 'interrupted' })
    expect(double.countConnections()).toBe(0)
  })

  it('ends a wait between two dials', async () => {
    const double = await startWsDouble()
    await double.stop()
    const interruption = new AbortController()
    const relay = useRelay(double.url, { signal: interruption.signal, backoffBaseMs: 60_000 })
    const page = relay.request({})
    setTimeout(() => interruption.abort(), 50)
    expect((await page).end).toEqual({ type: 'aborted', reason: 'interrupted' })
  })
})

describe('close', () => {
  it('may be called before anything was dialled, and again', async () => {
    const relay = useRelay('ws://127.0.0.1:9')
    await relay.close()
    await expect(relay.close()).resolves.toBeUndefined()
  })

  it('ends what is pending', async () => {
    const double = await startWsDouble()
    const relay = useRelay(double.url)
    const page = relay.request({})
    await waitFor(() => double.countFrames('REQ') === 1)
    await relay.close()
    expect((await page).end).toEqual({ type: 'aborted', reason: 'closed' })
  })

  it('leaves within two seconds a relay that does not answer the closing handshake', async () => {
    const double = await startWsDouble({ onConnection: ({ socket }) => socket.pause() })
    const relay = useRelay(double.url)
    await relay.open()
    const startedAt = performance.now()
    await relay.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

/** A server that accepts connections and never says a word. */
async function startSilentServer(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}
