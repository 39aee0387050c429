import { afterEach, describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { announcement, comment, deletion, graspList, issue, repositoryAddress, SOME_TIME, state } from './builders.ts'
import { generateHistory } from './generate.ts'
import { readFixture } from './make-signed-fixture.ts'
import { startRealRelay, type RealRelay, type RealRelayOptions } from './real-relay.ts'
import { forge, keyOf, signEvent } from './sign.ts'
import { connectTiny, type TinyClient } from './tiny-client.ts'
import { waitFor } from './wait-for.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const hello = announcement(alice, 'hello')
const address = repositoryAddress(alice, 'hello')
const bug = issue(address, bob)

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function start(options: RealRelayOptions = {}): Promise<{ relay: RealRelay; client: TinyClient }> {
  const relay = await startRealRelay({ ...options, ownProcess: true })
  open.push(relay)
  return { relay, client: await connect(relay) }
}

async function connect(relay: RealRelay): Promise<TinyClient> {
  const client = await connectTiny(relay.url)
  open.push(client)
  return client
}

function ids(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id)
}

describe('startRealRelay', () => {
  it('keeps what it accepted through kill -9 and a restart on the same port', async () => {
    const { relay, client } = await start()
    expect(await client.publish(hello)).toEqual([true, ''])
    await relay.kill()
    expect(ids(relay.events())).toEqual([hello.id])
    await relay.restart()
    expect(ids(await (await connect(relay)).query({ kinds: [30617] }))).toEqual([hello.id])
  })

  it('has every event that it said OK to, when it is killed in the middle', async () => {
    const { relay, client } = await start()
    const events = [...generateHistory({ repositories: 2, rootsPerRepository: 10 })]
    for (const event of events) client.send('EVENT', event)
    await waitFor(() => client.frames.length >= 20)
    await relay.kill()
    const promised = client.frames.map(([, id]) => id)
    expect(promised.length).toBeLessThan(events.length)
    expect(ids(relay.events())).toEqual(expect.arrayContaining(promised))
  })

  it('ends with 0 on SIGTERM', async () => {
    const { relay } = await start()
    expect(await relay.stop()).toBe(0)
  })

  it('describes itself (NIP-11)', async () => {
    const { relay } = await start({ pageCap: 7, supportedGrasps: ['GRASP-01'], software: 'ngit-grasp' })
    const response = await fetch(relay.url.replace('ws', 'http'), { headers: { accept: 'application/nostr+json' } })
    expect(await response.json()).toMatchObject({
      software: 'ngit-grasp',
      supported_grasps: ['GRASP-01'],
      limitation: { max_limit: 7 },
    })
  })

  it('never sends more rows than the page cap', async () => {
    const { client } = await start({ pageCap: 10, events: generateHistory({ repositories: 2, rootsPerRepository: 2 }) })
    expect(await client.query({})).toHaveLength(10)
    expect(await client.query({ limit: 5_000 })).toHaveLength(10)
    expect(await client.query({ limit: 3 })).toHaveLength(3)
  })

  it('sends newest first, with inclusive bounds, and takes until 0 at its word', async () => {
    const notes = [5, 3, 4].map((at) => signEvent(alice, { kind: 1, created_at: at, tags: [], content: '' }))
    const { client } = await start({ events: notes })
    const times = async (filter: Filter): Promise<number[]> => (await client.query(filter)).map((e) => e.created_at)
    expect(await times({ kinds: [1] })).toEqual([5, 4, 3])
    expect(await times({ since: 4, until: 4 })).toEqual([4])
    expect(await times({ until: 0 })).toEqual([])
  })

  it('indexes single-letter tags in both cases', async () => {
    const onRepository = comment(hello, bob)
    const onIssue = comment(bug, bob)
    const quote = signEvent(bob, { kind: 1, created_at: 9, tags: [['q', address]], content: '' })
    const { client } = await start()
    for (const event of [hello, bug, onRepository, onIssue, quote]) await client.publish(event)
    const found = async (filter: Filter): Promise<string[]> => ids(await client.query(filter)).sort()
    expect(await found({ '#A': [address] })).toEqual([onRepository.id])
    expect(await found({ '#a': [address] })).toEqual([bug.id, onRepository.id].sort())
    expect(await found({ '#E': [bug.id] })).toEqual([onIssue.id])
    expect(await found({ '#e': [bug.id] })).toEqual([onIssue.id])
    expect(await found({ '#q': [address] })).toEqual([quote.id])
  })

  it('takes filters as large as ours', async () => {
    const { client } = await start({ events: [hello, bug] })
    const many = Array.from({ length: 250 }, (_, index) => keyOf(`nobody ${index}`).pubkey)
    expect(ids(await client.query({ ids: [...many, bug.id] }))).toEqual([bug.id])
    expect(ids(await client.query({ '#a': [...many.slice(0, 99), address] }))).toEqual([bug.id])
    const authors = [...many.slice(0, 99), alice.pubkey]
    const kinds = [30617, ...Array.from({ length: 19 }, (_, kind) => kind)]
    expect(ids(await client.query({ authors, kinds, '#d': ['hello'] }))).toEqual([hello.id])
  })

  it('keeps the newest replaceable, in whatever order they come', async () => {
    const [older, newer] = [1, 2].map((at) => state(alice, 'hello', { createdAt: at })) as [NostrEvent, NostrEvent]
    const list = graspList(alice, ['wss://a.example.com'])
    const { client } = await start()
    for (const event of [newer, older, list]) await client.publish(event)
    expect(ids(await client.query({ kinds: [30618, 10317] })).sort()).toEqual([newer.id, list.id].sort())
  })

  it('follows, keeps and serves deletions (NIP-09), through a restart', async () => {
    const gone = deletion({ ids: [bug.id, hello.id] }, bob)
    const { relay, client } = await start()
    for (const event of [hello, bug, gone]) expect(await client.publish(event)).toEqual([true, ''])
    expect(ids(await client.query({})).sort()).toEqual([hello.id, gone.id].sort())
    await relay.restart()
    expect(await (await connect(relay)).publish(bug)).toEqual([false, 'blocked: this event is deleted'])
  })

  it('deletes by address only what is not newer than the deletion', async () => {
    const later = announcement(alice, 'hello', { createdAt: SOME_TIME + 1 })
    const { client } = await start()
    await client.publish(hello)
    await client.publish(deletion({ addresses: [address] }, alice))
    expect(await client.query({ kinds: [30617] })).toEqual([])
    expect(await client.publish(hello)).toEqual([false, 'blocked: this event is deleted'])
    expect(await client.publish(later)).toEqual([true, ''])
  })

  it('answers duplicates, forgeries and unwelcome kinds', async () => {
    const { client } = await start({ acceptsOnly: [30617], events: [hello] })
    expect(await client.publish(hello)).toEqual([true, 'duplicate: the event already exists'])
    expect(await client.publish(forge(announcement(alice, 'other')))).toEqual([false, 'invalid: id is wrong'])
    expect(await client.publish(bug)).toEqual([false, 'blocked: kind 1621 not accepted'])
  })

  it('accepts every event of nip34.jsonl, published or seeded', async () => {
    const events = readFixture('nip34')
    const { relay, client } = await start({ pageCap: 500 })
    const texts = new Set<unknown>()
    for (const event of events) texts.add((await client.publish(event)).join(' '))
    expect([...texts]).toEqual(['true '])
    const seeded = await start({ events })
    expect(seeded.relay.events()).toEqual(relay.events())
  })
})
