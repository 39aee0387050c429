import type { RequestListener } from 'node:http'

import { describe, expect, it } from 'vitest'

import { fetchRelayDocument, parseRelayDocument } from '../../src/relay/socket/relay-document.ts'
import { startWsDouble } from '../support/ws-double.ts'

const EMPTY = { supportedNips: [], supportedGrasps: [] }
const NOW = 1_700_000_000_000

/** The profile read from a server that answers like this, without a `Date` of its own. */
async function fetchAt(onDocument: RequestListener, timeoutMs = 2_000) {
  const double = await startWsDouble({
    onDocument: (request, response) => {
      response.sendDate = false
      onDocument(request, response)
    },
  })
  return fetchRelayDocument(double.url, { signal: new AbortController().signal, now: () => NOW, timeoutMs })
}

describe('fetchRelayDocument', () => {
  it('asks for application/nostr+json', async () => {
    const profile = await fetchAt((request, response) => response.end(JSON.stringify({ name: request.headers.accept })))
    expect(profile.name).toBe('application/nostr+json')
  })

  it('takes the clock offset from the Date header', async () => {
    const profile = await fetchAt((_, response) => {
      response.setHeader('date', new Date(NOW - 7_000).toUTCString()).end('{}')
    })
    expect(profile).toEqual({ ...EMPTY, clockOffsetSeconds: -7 })
  })

  it('takes the clock offset although the document is missing', async () => {
    const profile = await fetchAt((_, response) => {
      response.writeHead(404, { date: new Date(NOW).toUTCString() }).end()
    })
    expect(profile).toEqual({ ...EMPTY, clockOffsetSeconds: 0, documentError: 'HTTP 404' })
  })

  it('ignores a Date header that is none', async () => {
    const profile = await fetchAt((_, response) => response.setHeader('date', 'yesterday').end('{}'))
    expect(profile).toEqual(EMPTY)
  })

  it('does not follow redirects', async () => {
    const profile = await fetchAt((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end())
    expect(profile).toEqual({ ...EMPTY, documentError: 'redirect not followed (HTTP 302)' })
  })

  it('reads no more than 64 KiB', async () => {
    const profile = await fetchAt((_, response) => response.end(JSON.stringify({ name: 'x'.repeat(65_536) })))
    expect(profile).toEqual({ ...EMPTY, documentError: 'larger than 65536 bytes' })
  })

  it('reads no more than 64 KiB of a document that never ends', async () => {
    const profile = await fetchAt((_, response) => {
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 1)
      response.on('close', () => clearInterval(timer))
    })
    expect(profile.documentError).toBe('larger than 65536 bytes')
  })

  it('waits no longer than the timeout', async () => {
    const profile = await fetchAt(() => undefined, 50)
    expect(profile).toEqual({ ...EMPTY, documentError: expect.stringContaining('timeout') })
  })

  it('waits no longer than the timeout for a body that drips', async () => {
    const profile = await fetchAt((_, response) => void response.write('{'), 50)
    expect(profile.documentError).toContain('timeout')
  })

  it.each(['<html>', '[]', '"text"', 'null', ''])('reports %j as no document', async (body) => {
    const profile = await fetchAt((_, response) => response.end(body))
    expect(profile).toEqual({ ...EMPTY, documentError: 'not a JSON object' })
  })

  it('names the cause when nobody listens', async () => {
    const double = await startWsDouble()
    await double.stop()
    const profile = await fetchRelayDocument(double.url, { signal: new AbortController().signal, now: () => NOW })
    expect(profile.documentError).toContain('ECONNREFUSED')
  })
})

describe('parseRelayDocument', () => {
  it('reads the fields that we use', () => {
    const document = {
      name: 'relay',
      software: 'https://example.org/relay',
      version: '1.2',
      supported_nips: [1, 77],
      supported_grasps: ['GRASP-01'],
      limitation: { max_message_length: 131_072, max_subscriptions: 20, max_limit: 500 },
    }
    expect(parseRelayDocument(document)).toEqual({
      name: 'relay',
      software: 'https://example.org/relay',
      version: '1.2',
      supportedNips: [1, 77],
      supportedGrasps: ['GRASP-01'],
      maxMessageBytes: 131_072,
      maxSubscriptions: 20,
      maxLimit: 500,
    })
  })

  it('ignores each field of a wrong type alone', () => {
    const document = {
      name: 7,
      version: '1.2',
      supported_nips: [1, '42', null, 1.5, -1],
      supported_grasps: 'GRASP-01',
      limitation: { max_message_length: '131072', max_subscriptions: 20, max_limit: 0 },
    }
    expect(parseRelayDocument(document)).toEqual({
      version: '1.2',
      supportedNips: [1],
      supportedGrasps: [],
      maxSubscriptions: 20,
    })
  })

  it.each([null, 'none', [], 7])('ignores the limitation %j', (limitation) => {
    expect(parseRelayDocument({ limitation })).toEqual(EMPTY)
  })

  it('cuts long texts', () => {
    expect(parseRelayDocument({ name: 'x'.repeat(1_000) }).name).toHaveLength(200)
  })
})
