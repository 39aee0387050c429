import { tmpdir } from 'node:os'

import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

import { OwnRelay } from '../../src/host/own-relay.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { decodeMessage, encodeMessage, END, type Range } from '../../src/relay/negentropy/negentropy-message.ts'
import { issue, repositoryAddress } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { connectTiny, type TinyClient } from '../support/tiny-client.ts'
import { waitFor } from '../support/wait-for.ts'

const alice = keyOf('alice')
const address = repositoryAddress(alice, 'hello')
/** Any two bytes that are no fingerprint of anything. */
const ANYTHING: Range = { type: 'fingerprint', upper: END, fingerprint: '00'.repeat(16) }
const ASK = encodeMessage([ANYTHING])

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function start(events: readonly NostrEvent[], { host = '127.0.0.1' } = {}): Promise<OwnRelay> {
  const relay = await OwnRelay.open({ host, port: 0, machine: 'box.example', directory: tmpdir(), version: '0' })
  open.push(relay)
  relay.add(events)
  return relay
}

async function connect(relay: OwnRelay): Promise<TinyClient> {
  relay.letIn()
  const client = await connectTiny(relay.url)
  open.push(client)
  return client
}

function issues(count: number, content = ''): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    issue(address, alice, { createdAt: 1_000 + n, content: `${n}${content}` }),
  )
}

describe('our own relay', () => {
  it('turns clients away until it is let in, and knows whether anybody came', async () => {
    const relay = await start(issues(2))
    await expect(connectTiny(relay.url)).rejects.toThrow('503')
    expect(relay.wasVisited).toBe(false)
    await connect(relay)
    expect([relay.wasVisited, relay.size]).toEqual([true, 2])
  })

  it('hangs up on all when told to, and lets them come again', async () => {
    const relay = await start(issues(1))
    const clients = [await connect(relay), await connect(relay)]
    expect(relay.hangUp()).toBe(2)
    for (const client of clients) await waitFor(() => client.isClosed())
    expect(relay.hangUp()).toBe(0)
    expect(await (await connect(relay)).query({})).toHaveLength(1)
  })

  it('adds an event once', async () => {
    const [first] = issues(1)
    const relay = await start(issues(3))
    relay.add(issues(3))
    expect([relay.size, relay.has(first?.id ?? ''), relay.has('0'.repeat(64))]).toEqual([3, true, false])
  })

  it('names this machine when it listens at every address', async () => {
    expect((await start([], { host: '0.0.0.0' })).url).toMatch(/^ws:\/\/box\.example:\d+$/)
    expect((await start([], { host: '::1' })).url).toMatch(/^ws:\/\/\[::1\]:\d+$/)
  })

  it('compares what matches the filter (NIP-77)', async () => {
    const events = issues(5)
    const client = await connect(await start(events))
    client.send('NEG-OPEN', 'n', { kinds: [1621], since: 1_002, until: 1_003 }, ASK)
    const [, , hex] = await client.next('NEG-MSG', 'n')
    const listed = decodeMessage(String(hex)).flatMap((range) => (range.type === 'ids' ? range.ids : []))
    expect(listed.toSorted()).toEqual([events[2]?.id, events[3]?.id].toSorted())
    client.send('NEG-CLOSE', 'n')
    client.send('NEG-MSG', 'n', ASK)
    expect(await client.next('NEG-ERR', 'n')).toEqual(['NEG-ERR', 'n', 'closed: no such comparison is open'])
  })

  it('names its version of the protocol to who speaks another', async () => {
    const client = await connect(await start(issues(1)))
    client.send('NEG-OPEN', 'n', {}, `62${ASK.slice(2)}`)
    expect(await client.next('NEG-MSG', 'n')).toEqual(['NEG-MSG', 'n', '61'])
  })

  it.each([
    ['no hex', 'zz'],
    ['nothing', ''],
    ['a number', 7],
    ['a message that ends early', '6100000290'],
  ])('answers a comparison with %s in words', async (_, message) => {
    const client = await connect(await start(issues(1)))
    client.send('NEG-OPEN', 'n', {}, message)
    expect(await client.next('NEG-ERR', 'n')).toEqual(['NEG-ERR', 'n', expect.stringMatching(/^invalid: it sends /)])
  })

  it('bounds the comparisons of a client', async () => {
    const client = await connect(await start(issues(1)))
    for (let n = 0; n <= 20; n += 1) client.send('NEG-OPEN', `n${n}`, {}, ASK)
    expect(await client.next('NEG-ERR', 'n20')).toEqual([
      'NEG-ERR',
      'n20',
      'blocked: more than 20 comparisons are open',
    ])
  })

  it.each([
    ['no JSON', 'hello'],
    ['no list', '{}'],
    ['an unknown verb', '["FETCH","a"]'],
    ['a request without a name', '["REQ"]'],
    ['a long name', JSON.stringify(['REQ', 'x'.repeat(251), {}])],
    ['a comparison without a name', '["NEG-OPEN"]'],
    ['an event that is none', '["EVENT",null]'],
  ])('answers %s with a NOTICE', async (_, text) => {
    const client = await connect(await start(issues(1)))
    client.sendText(text)
    expect(await client.next('NOTICE')).toHaveLength(2)
    expect(await client.query({})).toHaveLength(1)
  })

  it.each([
    ['too many', Array.from({ length: 21 }, () => ({}))],
    ['none', []],
    ['a search', [{ search: 'everything' }]],
    ['ids that are numbers', [{ ids: [1] }]],
    ['a limit below 0', [{ limit: -1 }]],
    ['a time of half a second', [{ since: 0.5 }]],
  ])('closes a request with %s for a filter', async (_, filters) => {
    const client = await connect(await start(issues(1)))
    client.send('REQ', 'r', ...filters)
    expect(await client.next('CLOSED', 'r')).toEqual(['CLOSED', 'r', 'invalid: 1 to 20 filters of NIP-01 are needed'])
  })

  it('hangs up on a message of more than a mebibyte', async () => {
    const client = await connect(await start(issues(1)))
    client.sendText('x'.repeat(1_048_577))
    await waitFor(() => client.isClosed())
  })

  it('listens to a client that does not read no more, and to others all the same', async () => {
    const relay = await start(issues(500, 'x'.repeat(10_000)))
    const other = await connect(relay)
    const socket = new WebSocket(relay.url)
    open.push({ close: () => socket.terminate() })
    await new Promise((resolve) => socket.once('open', resolve))
    socket.pause()
    const before = process.memoryUsage().rss
    for (let n = 0; n < 200; n += 1) socket.send('["REQ","a",{}]')
    for (let n = 0; n < 20; n += 1) expect(await other.query({ limit: 1 })).toHaveLength(1)
    // 200 answers are a gigabyte.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
  })

  it('lets in no more than 64 clients at once', async () => {
    const relay = await start(issues(1))
    for (let n = 0; n < 64; n += 1) await connect(relay)
    await expect(connectTiny(relay.url)).rejects.toThrow('503')
  })
})
