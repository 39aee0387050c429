import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startEmbeddedRelay, type EmbeddedRelay } from '../../src/demo/embedded-relay.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, deletion, issue, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { forge, keyOf, signEvent } from '../support/sign.ts'
import { connectTiny, type TinyClient } from '../support/tiny-client.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const hello = announcement(alice, 'hello')
const newer = announcement(alice, 'hello', { createdAt: SOME_TIME + 1 })
const address = repositoryAddress(alice, 'hello')
const bug = issue(address, bob)

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function start(): Promise<{ file: string; relay: EmbeddedRelay; client: TinyClient }> {
  const directory = mkdtempSync(join(tmpdir(), 'embedded-relay-'))
  open.push({ close: () => rmSync(directory, { recursive: true, force: true }) })
  const file = join(directory, 'relay.db')
  const relay = await startEmbeddedRelay({ file })
  open.push(relay)
  return { file, relay, client: await connect(relay) }
}

async function connect(relay: EmbeddedRelay): Promise<TinyClient> {
  const client = await connectTiny(relay.url)
  open.push(client)
  return client
}

async function publishAll(client: TinyClient, ...events: readonly NostrEvent[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const event of events) answers.push(await client.publish(event))
  return answers
}

function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id)
}

describe('the relay of the demo', () => {
  it('serves what it accepted after a restart on the same port', async () => {
    const { file, relay, client } = await start()
    expect(await publishAll(client, hello, bug)).toEqual([
      [true, ''],
      [true, ''],
    ])
    await relay.close()
    const again = await startEmbeddedRelay({ file, port: relay.port })
    open.push(again)
    expect(idsOf(await (await connect(again)).query({}))).toEqual(idsOf([hello, bug].toSorted(byId)))
  })

  it('finds by ids, authors, kinds, tags and time, newest first, up to a limit', async () => {
    const { client } = await start()
    const late = issue(address, alice, { createdAt: SOME_TIME + 9 })
    await publishAll(client, hello, bug, late)
    const filters = [
      { ids: [bug.id] },
      { authors: [bob.pubkey] },
      { kinds: [30617] },
      { '#a': [address] },
      { since: SOME_TIME + 1 },
      { kinds: [1621], limit: 1 },
      { authors: [] },
      { until: 0 },
    ]
    const found = []
    for (const filter of filters) found.push(idsOf(await client.query(filter)))
    expect(found).toEqual([[bug.id], [bug.id], [hello.id], [late.id, bug.id], [late.id], [late.id], [], []])
  })

  it('gives an event once that matches two filters', async () => {
    const { client } = await start()
    await client.publish(bug)
    expect(idsOf(await client.query({ ids: [bug.id] }, { kinds: [1621] }))).toEqual([bug.id])
  })

  it('keeps the newest version of an address only', async () => {
    const { client } = await start()
    const duplicate = [true, 'duplicate: this or a newer version is stored']
    expect(await publishAll(client, newer, hello, newer)).toEqual([[true, ''], duplicate, duplicate])
    expect(idsOf(await client.query({}))).toEqual([newer.id])
  })

  it('applies deletions of the author, and refuses what was deleted', async () => {
    const { client } = await start()
    const ofVersion = deletion({ addresses: [address] }, alice, { createdAt: SOME_TIME })
    await publishAll(client, hello, bug, deletion({ ids: [bug.id] }, alice), ofVersion)
    expect(idsOf(await client.query({ kinds: [1621, 30617] }))).toEqual([bug.id])
    expect(await publishAll(client, hello, newer)).toEqual([
      [false, 'blocked: this event is deleted'],
      [true, ''],
    ])
  })

  it('refuses forged and expired events', async () => {
    const { client } = await start()
    const expired = signEvent(alice, { kind: 1, created_at: 1, tags: [['expiration', '2']], content: '' })
    expect(await publishAll(client, forge(bug), { ...bug, sig: hello.sig }, expired)).toEqual([
      [false, 'invalid: wrong id'],
      [false, 'invalid: wrong signature'],
      [false, 'invalid: the event has expired'],
    ])
  })

  it('sends new events to the subscriptions that they match, until these are closed', async () => {
    const { relay, client } = await start()
    const reader = await connect(relay)
    for (const name of ['kept', 'closed']) reader.send('REQ', name, { kinds: [1621] })
    await Promise.all(['kept', 'closed'].map((name) => reader.next('EOSE', name)))
    reader.send('CLOSE', 'closed')
    await reader.query({ limit: 0 })
    await publishAll(client, hello, bug)
    expect(await reader.next('EVENT')).toMatchObject(['EVENT', 'kept', { id: bug.id }])
    expect(reader.frames.filter(([label]) => label === 'EVENT')).toHaveLength(1)
  })

  it.each([
    ['no JSON', '{', 'NOTICE'],
    ['no list', '{}', 'NOTICE'],
    ['an unknown word', '["DANCE"]', 'NOTICE'],
    ['an event of another shape', '["EVENT",{"id":1}]', 'NOTICE'],
    ['a request without a name', '["REQ",null,{}]', 'NOTICE'],
    ['a request without a filter', '["REQ","r"]', 'CLOSED'],
    ['a filter that is none', '["REQ","r",[]]', 'CLOSED'],
    ['a filter with a wrong list', '["REQ","r",{"ids":"x"}]', 'CLOSED'],
    ['a filter with a wrong time', '["REQ","r",{"since":-1}]', 'CLOSED'],
  ])('answers %s in words, and goes on', async (_, text, label) => {
    const { client } = await start()
    client.sendText(text)
    expect((await client.next(label)).at(-1)).toMatch(/^invalid: /)
    expect(await client.query({})).toEqual([])
  })

  it('says by NIP-11 what it is', async () => {
    const { relay } = await start()
    const answer = await fetch(relay.url.replace('ws:', 'http:'), { headers: { accept: 'application/nostr+json' } })
    expect(await answer.json()).toMatchObject({ software: 'ngit-sync demo', supported_nips: [1, 9, 11, 40] })
  })

  it('does not start on a port that is taken', async () => {
    const { file, relay } = await start()
    await expect(startEmbeddedRelay({ file, port: relay.port })).rejects.toThrow('EADDRINUSE')
  })
})

function byId(a: NostrEvent, b: NostrEvent): number {
  return a.id < b.id ? -1 : 1
}
