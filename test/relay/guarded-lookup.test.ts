import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'

import { createLookup, guardResolver, type Resolver } from '../../src/relay/socket/guarded-lookup.ts'
import { classifyAddress } from '../../src/relay/socket/public-address.ts'
import { fetchRelayDocument } from '../../src/relay/socket/relay-document.ts'
import { createWebSocketRelay } from '../../src/relay/websocket-relay.ts'
import { startScriptedRelay } from '../support/scripted-relay.ts'

const isPublic = (address: string): boolean => classifyAddress(address) === 'public'

/** A resolver with one answer for each time that it is asked; the last one stays. */
function answering(...answers: readonly (readonly string[])[]): Resolver {
  let asked = 0
  return async () => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    return addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
}

function settings(resolver: Resolver) {
  return {
    signal: new AbortController().signal,
    now: Date.now,
    random: Math.random,
    retries: 0,
    lookup: createLookup(resolver),
  }
}

describe('guardResolver', () => {
  it('returns every address of a name that leads to public ones only', async () => {
    const resolve = guardResolver(answering(['1.1.1.1', '2606:4700::1']), isPublic)
    expect(await resolve('relay.example.org')).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ])
  })

  it.each([
    ['loopback', ['127.0.0.1']],
    ['one private address among public ones', ['1.1.1.1', '10.0.0.1']],
    ['an IPv6 address that leads to loopback', ['::ffff:127.0.0.1']],
    ['the address of cloud metadata', ['169.254.169.254']],
  ])('refuses a name that resolves to %s', async (_what, addresses) => {
    const resolve = guardResolver(answering(addresses), isPublic)
    await expect(resolve('relay.example.org')).rejects.toThrow(
      /^relay\.example\.org resolves to .*, which is not allowed here$/,
    )
  })

  it('refuses an address that stands in the place of the name, without asking for it', async () => {
    const resolve = guardResolver(() => Promise.reject(new Error('asked')), isPublic)
    await expect(resolve('[::1]')).rejects.toThrow('[::1] resolves to ::1')
    expect(await resolve('1.1.1.1')).toEqual([{ address: '1.1.1.1', family: 4 }])
  })
})

describe('a relay behind a guarded lookup', () => {
  it('is never dialled where the name leads to loopback', async () => {
    const relay = await startScriptedRelay()
    const guarded = settings(guardResolver(answering(['127.0.0.1']), isPublic))
    const endpoint = createWebSocketRelay(`ws://relay.example.org:${relay.port}`, guarded)
    await expect(endpoint.open()).rejects.toThrow('relay.example.org resolves to 127.0.0.1')
    await endpoint.close()
    await relay.close()
    expect([relay.received.connections, relay.received.documents]).toEqual([0, 0])
  })

  it('is not dialled where the name leads elsewhere at the second time (DNS rebinding)', async () => {
    const relay = await startScriptedRelay()
    const resolve = guardResolver(answering(['1.1.1.1'], ['127.0.0.1']), isPublic)
    expect(await resolve('relay.example.org')).toHaveLength(1)
    const endpoint = createWebSocketRelay(`ws://relay.example.org:${relay.port}`, settings(resolve))
    await expect(endpoint.open()).rejects.toThrow('resolves to 127.0.0.1')
    await endpoint.close()
    await relay.close()
    expect(relay.received.connections).toBe(0)
  })

  it('gives its document only where the name leads', async () => {
    const relay = await startScriptedRelay()
    const url = `ws://relay.example.org:${relay.port}`
    const allowed = await fetchRelayDocument(url, settings(answering(['127.0.0.1'])))
    const refused = await fetchRelayDocument(url, settings(guardResolver(answering(['127.0.0.1']), isPublic)))
    await relay.close()
    expect(allowed.software).toBe('scripted-relay')
    expect(refused.documentError).toContain('resolves to 127.0.0.1')
    expect(relay.received.documents).toBe(1)
  })

  it('is dialled at the address that the lookup gave, and called by its name', async () => {
    const relay = await startScriptedRelay()
    const endpoint = createWebSocketRelay(`ws://relay.example.org:${relay.port}`, settings(answering(['127.0.0.1'])))
    const profile = await endpoint.open()
    await endpoint.close()
    await relay.close()
    expect([profile.software, relay.received.connections]).toEqual(['scripted-relay', 1])
  })
})
