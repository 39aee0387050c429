import { describe, expect, it } from 'vitest'

import { LostRelayError } from '../../src/errors.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { End } from '../../src/relay/endpoint.ts'
import { findDeletions, findVanishRequests } from '../../src/relay/find-removals.ts'
import { findServed, findVersions } from '../../src/relay/holdings.ts'
import { readThrough } from '../../src/relay/read-through.ts'
import { createPeer } from '../../src/relay/peer.ts'
import { announcement, deletion, graspList, issue, state, vanishRequest } from '../support/builders.ts'
import { createMemoryEndpoint, pageOf, type MemoryEndpointOptions } from '../support/memory-endpoint.ts'
import { keyOf } from '../support/sign.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')

function peerWith(options: MemoryEndpointOptions) {
  const endpoint = createMemoryEndpoint(options)
  return { peer: createPeer(endpoint, { supportedNips: [], supportedGrasps: [] }), endpoint }
}

function crowd(count: number): NostrEvent[] {
  const event = issue('30617:x:y', alice)
  return Array.from({ length: count }, (_, index) => ({
    ...event,
    id: index.toString(16).padStart(64, '0'),
    created_at: index,
  }))
}

const ENDS: readonly End[] = [
  { type: 'closed', reason: 'error: busy' },
  { type: 'idle', afterMs: 30_000 },
  { type: 'disconnected', reason: 'connection closed (1006)' },
  { type: 'aborted', reason: 'interrupted' },
]

const failing = (end: End): MemoryEndpointOptions => ({ onRequest: (_, page) => ({ ...page, end }) })

describe('findServed', () => {
  it('knows which of these ids the relay serves', async () => {
    const events = crowd(10)
    const { peer } = peerWith({ events: events.slice(0, 4) })
    const served = await findServed(
      peer,
      events.map(({ id }) => id),
    )
    expect([...served].sort()).toEqual(events.slice(0, 4).map(({ id }) => id))
  })

  it('asks for nothing when there is nothing to ask for', async () => {
    const { peer, endpoint } = peerWith({})
    expect((await findServed(peer, [])).size).toBe(0)
    expect(endpoint.filters).toEqual([])
  })

  it('asks for at most 250 ids at a time', async () => {
    const { peer, endpoint } = peerWith({})
    await findServed(
      peer,
      crowd(600).map(({ id }) => id),
    )
    expect(endpoint.filters.map(({ ids = [] }) => ids.length)).toEqual([250, 250, 100])
  })

  it.each([1, 7, 100])('finds all of them at a relay with pages of %i', async (cap) => {
    const events = crowd(300)
    const { peer } = peerWith({ events, cap })
    expect(
      (
        await findServed(
          peer,
          events.map(({ id }) => id),
        )
      ).size,
    ).toBe(300)
  })

  it('comes to an end at a relay that always answers the same', async () => {
    const events = crowd(5)
    const { peer } = peerWith({ onRequest: () => pageOf(events.slice(0, 2)) })
    expect(
      (
        await findServed(
          peer,
          events.map(({ id }) => id),
        )
      ).size,
    ).toBe(2)
  })

  it('does not count what was not asked for, nor what is no event', async () => {
    const [asked, other] = crowd(2)
    const { peer } = peerWith({ onRequest: () => pageOf([other, { id: asked?.id }, null]) })
    expect((await findServed(peer, [asked?.id ?? ''])).size).toBe(0)
  })

  it.each(ENDS)('takes an answer that ends %j for no answer', async (end) => {
    const { peer } = peerWith(failing(end))
    await expect(findServed(peer, ['0'.repeat(64)])).rejects.toThrow(LostRelayError)
  })
})

describe('findVersions', () => {
  it('finds the newest version at each address', async () => {
    const versions = [10, 30, 20].map((createdAt) => announcement(alice, 'repo', { createdAt }))
    const { peer } = peerWith({ events: [...versions, announcement(bob, 'other')] })
    const addresses = [`30617:${alice.pubkey}:repo`, `30617:${bob.pubkey}:repo`]
    const found = await findVersions(peer, addresses)
    expect([...found]).toContainEqual([addresses[0], versions[1]])
    expect(found.has(addresses[1] ?? '')).toBe(false)
  })

  it('takes the lower id of one second', async () => {
    const versions = ['a', 'b', 'c'].map((content) => announcement(alice, 'repo', { content }))
    const { peer } = peerWith({ events: [...versions, ...crowd(4)] })
    const address = `30617:${alice.pubkey}:repo`
    const lowest = versions.map(({ id }) => id).sort()[0]
    expect((await findVersions(peer, [address])).get(address)?.id).toBe(lowest)
  })

  it('asks by kind: replaceable kinds without an identifier', async () => {
    const { peer, endpoint } = peerWith({ events: [graspList(alice, []), state(alice, 'a:b')] })
    const found = await findVersions(peer, [`10317:${alice.pubkey}:`, `30618:${alice.pubkey}:a:b`])
    expect(found.size).toBe(2)
    const [grasp, states] = endpoint.filters
    expect(grasp).toMatchObject({ kinds: [10317], authors: [alice.pubkey] })
    expect(grasp).not.toHaveProperty('#d')
    expect(endpoint.filters.concat(states ?? [])).toContainEqual(
      expect.objectContaining({ kinds: [30618], '#d': ['a:b'] }),
    )
  })

  it('asks for at most 100 addresses at a time', async () => {
    const { peer, endpoint } = peerWith({})
    await findVersions(
      peer,
      Array.from({ length: 250 }, (_, index) => `30617:${alice.pubkey}:${index}`),
    )
    expect(endpoint.filters.map((filter) => filter['#d']?.length)).toEqual([100, 100, 50])
  })

  it('reads to the bottom at a relay with small pages', async () => {
    const events = Array.from({ length: 30 }, (_, index) => announcement(alice, `r${index}`, { createdAt: index }))
    const { peer } = peerWith({ events, cap: 4 })
    const addresses = Array.from({ length: 30 }, (_, index) => `30617:${alice.pubkey}:r${index}`)
    expect((await findVersions(peer, addresses)).size).toBe(30)
  })

  it('passes over what is no address', async () => {
    const { peer, endpoint } = peerWith({})
    expect((await findVersions(peer, ['no address', '30617:short:x'])).size).toBe(0)
    expect(endpoint.filters).toEqual([])
  })

  it.each(ENDS)('takes an answer that ends %j for no answer', async (end) => {
    const { peer } = peerWith(failing(end))
    await expect(findVersions(peer, [`30617:${alice.pubkey}:x`])).rejects.toThrow(LostRelayError)
  })
})

describe('findDeletions', () => {
  it('finds what names any of the ids or addresses, by their authors only', async () => {
    const event = issue('30617:x:y', alice)
    const address = `30617:${alice.pubkey}:repo`
    const wanted = [deletion({ ids: [event.id] }, alice), deletion({ addresses: [address] }, alice)]
    const foreign = [deletion({ ids: [event.id] }, bob), deletion({ addresses: [address] }, bob)]
    const { peer } = peerWith({
      events: [...wanted, ...foreign, deletion({ ids: ['1'.repeat(64)] }, alice), event, ...crowd(4)],
    })
    const found: NostrEvent[] = []
    await findDeletions(peer, { ids: new Map([[event.id, alice.pubkey]]), addresses: [address] }, (page) =>
      found.push(...page),
    )
    expect(found.map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id).sort())
  })

  it('asks for nothing when nothing is named', async () => {
    const { peer, endpoint } = peerWith({})
    await findDeletions(peer, { ids: new Map(), addresses: [] }, () => undefined)
    expect(endpoint.filters).toEqual([])
  })

  it.each(ENDS)('takes an answer that ends %j for no answer', async (end) => {
    const { peer } = peerWith(failing(end))
    const asking = findDeletions(
      peer,
      { ids: new Map([['0'.repeat(64), alice.pubkey]]), addresses: [] },
      () => undefined,
    )
    await expect(asking).rejects.toThrow(LostRelayError)
  })
})

describe('findVanishRequests', () => {
  it('finds those of the authors, page by page, whatever relay they name', async () => {
    const wanted = Array.from({ length: 9 }, (_, index) =>
      vanishRequest([`wss://${index}.example`], alice, { createdAt: 1_000 + index }),
    )
    const { peer } = peerWith({ events: [...wanted, vanishRequest(['ALL_RELAYS'], bob), ...crowd(4)], cap: 4 })
    const found: NostrEvent[] = []
    await findVanishRequests(peer, [alice.pubkey], (page) => found.push(...page))
    expect(found.map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id).sort())
  })

  it('asks for nothing when there is no author', async () => {
    const { peer, endpoint } = peerWith({})
    await findVanishRequests(peer, [], () => undefined)
    expect(endpoint.filters).toEqual([])
  })

  it.each(ENDS)('takes an answer that ends %j for no answer', async (end) => {
    const { peer } = peerWith(failing(end))
    await expect(findVanishRequests(peer, [alice.pubkey], () => undefined)).rejects.toThrow(LostRelayError)
  })
})

describe('readThrough', () => {
  it('hands over every event, page by page', async () => {
    const events = crowd(50)
    const sizes: number[] = []
    const { peer } = peerWith({ events, cap: 20 })
    await readThrough(peer, { kinds: [1621] }, (page) => sizes.push(page.length))
    expect(sizes.reduce((sum, size) => sum + size)).toBe(50)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(20)
  })

  it('asks for one page more while the sink takes one, and then waits for it', async () => {
    const { peer, endpoint } = peerWith({ events: crowd(50), cap: 20 })
    const asked: number[] = []
    await readThrough(peer, { kinds: [1621] }, async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      asked.push(endpoint.filters.length)
    })
    expect(asked.slice(0, 3)).toEqual([2, 3, 4])
  })

  it('rejects with the error of the sink, also of the last page', async () => {
    const { peer } = peerWith({ events: crowd(3) })
    const fail = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error('no room')
    }
    await expect(readThrough(peer, { kinds: [1621] }, fail)).rejects.toThrow('no room')
  })

  it('names the relay and how it ended', async () => {
    const { peer } = peerWith(failing({ type: 'closed', reason: 'error: busy' }))
    await expect(readThrough(peer, {}, () => undefined)).rejects.toThrow(
      'read ws://memory.example: closed: error: busy on page 1',
    )
  })
})
