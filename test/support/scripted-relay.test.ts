import { nip77 } from 'nostr-tools'
import { afterEach, describe, expect, it } from 'vitest'

import { announcement, deletion, issue, repositoryAddress, state } from './builders.ts'
import { generateHistory } from './generate.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from './scripted-relay.ts'
import { forge, keyOf, signEvent } from './sign.ts'
import { connectTiny, type TinyClient } from './tiny-client.ts'
import { waitFor } from './wait-for.ts'

const alice = keyOf('alice')
const hello = announcement(alice, 'hello')
const bug = issue(repositoryAddress(alice, 'hello'), alice)
const notes = [5, 4, 3, 2, 1].map((at) => signEvent(alice, { kind: 1, created_at: at, tags: [], content: '' }))

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function start(options: ScriptedRelayOptions = {}): Promise<{ relay: ScriptedRelay; client: TinyClient }> {
  const relay = await startScriptedRelay(options)
  open.push(relay)
  const client = await connectTiny(relay.url)
  open.push(client)
  return { relay, client }
}

/** The labels of what answers one REQ, rows as their time, once `count` frames came. */
async function answers(client: TinyClient, count: number): Promise<unknown[]> {
  client.send('REQ', 'x', {})
  const isWhole = (): boolean => client.frames.length >= count || client.isClosed()
  await waitFor(isWhole)
  return client.frames.map(([label, , row]) => (label === 'EVENT' ? (row as { created_at: number }).created_at : label))
}

describe('a scripted relay without options', () => {
  it('stores, replaces, deletes and serves as NIP-01 and NIP-09 say', async () => {
    const { relay, client } = await start()
    const newer = state(alice, 'hello', { createdAt: 2 })
    expect(await client.publish(newer)).toEqual([true, ''])
    expect(await client.publish(newer)).toEqual([true, 'duplicate: have this event'])
    expect(await client.publish(state(alice, 'hello', { createdAt: 1 }))).toEqual([false, 'replaced: have newer event'])
    expect(await client.publish(forge(hello))).toEqual([false, 'invalid: bad signature'])
    expect(await client.publish(bug)).toEqual([true, ''])
    const gone = deletion({ ids: [bug.id] }, alice)
    expect(await client.publish(gone)).toEqual([true, ''])
    expect(await client.publish(bug)).toEqual([false, 'deleted: user requested deletion'])
    expect(await client.query({})).toEqual([gone, newer])
    expect(relay.countSends(newer.id)).toBe(2)
  })

  it('records what it received and sends new events to open subscriptions', async () => {
    const { relay, client } = await start()
    client.send('REQ', 'live', { kinds: [30617], since: 3 })
    await client.next('EOSE', 'live')
    await client.publish(hello)
    expect(await client.next('EVENT', 'live')).toEqual(['EVENT', 'live', hello])
    client.send('CLOSE', 'live')
    await waitFor(() => relay.received.closes.includes('live'))
    expect(relay.received).toMatchObject({
      connections: 1,
      reqs: [{ subId: 'live', filters: [{ kinds: [30617], since: 3 }] }],
      events: [hello],
    })
    expect(relay.received.frames).toHaveLength(3)
  })

  it('serves newest first, the lower id on a tie, cut by limit and time', async () => {
    const twins = ['a', 'b'].map((content) => signEvent(alice, { kind: 1, created_at: 9, tags: [], content }))
    const { client } = await start({ events: [...notes, ...twins] })
    const byId = twins.map(({ id }) => id).sort()
    expect((await client.query({ limit: 2 })).map(({ id }) => id)).toEqual(byId)
    expect((await client.query({ since: 2, until: 4 })).map((event) => event.created_at)).toEqual([4, 3, 2])
  })
})

describe('a scripted relay that is told to', () => {
  it.each<[string, ScriptedRelayOptions, unknown[]]>([
    ['pageCap', { pageCap: 2 }, [5, 4, 'EOSE']],
    ['unordered', { unordered: true }, [1, 2, 3, 4, 5, 'EOSE']],
    ['eoseEarly', { eoseEarly: 4 }, [5, 4, 3, 2, 'EOSE', 1]],
    ['neverEose', { neverEose: true }, [5, 4, 3, 2, 1]],
    ['closeReq', { closeReq: () => 'error: no' }, ['CLOSED']],
    ['noticeOnly', { noticeOnly: 'busy' }, ['NOTICE']],
    ['dropAfterRows', { dropAfterRows: 3 }, [5, 4, 3]],
    ['extraRows', { pageCap: 1, extraRows: () => [{ created_at: 'x' }] }, [5, 'x', 'EOSE']],
    ['sendAfterEose', { pageCap: 1, sendAfterEose: () => [notes[1]] }, [5, 'EOSE', 4]],
    ['hides', { hides: (event) => event.created_at > 2 }, [2, 1, 'EOSE']],
    ['onReq', { onReq: ({ answer }) => ({ ...answer, rows: [], end: { type: 'eose' } }) }, ['EOSE']],
  ])('misbehaves by %s', async (_, options, expected) => {
    const { client } = await start({ events: notes, ...options })
    expect(await answers(client, expected.length)).toEqual(expected)
  })

  it('serves the first page for ever with ignoreUntil and repeatPage', async () => {
    const { relay, client } = await start({ events: notes, pageCap: 2, ignoreUntil: true })
    const first = await client.query({})
    expect(await client.query({ until: 3 })).toEqual(first)
    Object.assign(relay.behaviour, { ignoreUntil: false, repeatPage: true })
    expect(await client.query({ until: 3 })).toEqual(first)
  })

  it('cuts and refuses connections', async () => {
    const { relay, client } = await start()
    relay.behaviour.connections = 'refuse'
    relay.dropConnections()
    await waitFor(() => client.isClosed())
    await expect(connectTiny(relay.url)).rejects.toThrow()
  })

  it('answers an EVENT with any mix of OK, storage and silence', async () => {
    const { relay, client } = await start({ onEvent: () => ({ ok: true, text: 'purgatory: wait', store: false }) })
    expect(await client.publish(hello)).toEqual([true, 'purgatory: wait'])
    expect(relay.events.size).toBe(0)
    relay.behaviour.onEvent = () => ({ store: true })
    client.send('EVENT', hello)
    await waitFor(() => relay.events.has(hello.id))
    relay.behaviour.onEvent = () => 'drop-connection'
    client.send('EVENT', bug)
    await waitFor(() => client.isClosed())
    expect(relay.countSends(bug.id)).toBe(1)
  })

  it('asks for authentication (NIP-42)', async () => {
    const { relay, client } = await start({ events: notes, requireAuth: ['read', 'write'] })
    const [, challenge] = await client.next('AUTH')
    expect(await client.publish(hello)).toEqual([false, 'auth-required: you must auth'])
    client.send('REQ', 'a', {})
    expect((await client.next('CLOSED', 'a'))[2]).toMatch(/^auth-required:/)
    const tags = [
      ['relay', relay.url],
      ['challenge', String(challenge)],
    ]
    const auth = signEvent(alice, { kind: 22_242, created_at: 1, tags, content: '' })
    client.send('AUTH', auth)
    expect(await client.next('OK', auth.id)).toEqual(['OK', auth.id, true, ''])
    expect(await client.query({})).toHaveLength(5)
  })

  it('serves the NIP-11 document it is told to, with its own clock', async () => {
    const { relay } = await start({ document: { supported_grasps: ['GRASP-01'] }, dateOffsetSeconds: -3_600 })
    const headers = { accept: 'application/nostr+json' }
    const response = await fetch(relay.url.replace('ws', 'http'), { headers })
    expect(await response.json()).toMatchObject({ software: 'scripted-relay', supported_grasps: ['GRASP-01'] })
    expect(Date.now() - Date.parse(response.headers.get('date') ?? '')).toBeGreaterThan(3_590_000)
    relay.behaviour.onDocument = () => ({ status: 301, body: '', headers: { location: '/elsewhere' } })
    expect((await fetch(relay.url.replace('ws', 'http'), { headers, redirect: 'manual' })).status).toBe(301)
  })
})

describe('a scripted relay with negentropy', () => {
  it('finds the difference together with the client of nostr-tools', async () => {
    const events = [...generateHistory({ repositories: 4, rootsPerRepository: 25 })]
    const every = (remainder: number) => events.filter((_, index) => index % 10 === remainder)
    const [onlyOurs, onlyTheirs] = [every(3), every(7)]
    const theirs = events.filter((event) => !onlyOurs.includes(event))
    const { relay, client } = await start({ events: theirs, negentropy: true })
    const { have, need, rounds } = await reconcile(
      client,
      events.filter((event) => !onlyTheirs.includes(event)),
    )
    expect(have.sort()).toEqual(onlyOurs.map(({ id }) => id).sort())
    expect(need.sort()).toEqual(onlyTheirs.map(({ id }) => id).sort())
    expect(rounds).toBeGreaterThan(1)
    await waitFor(() => relay.received.negs.at(-1)?.label === 'NEG-CLOSE')
  })

  it('blocks sets above its maximum, and without it answers with a NOTICE', async () => {
    const { relay, client } = await start({ events: notes, negentropy: true, negentropyMax: 4 })
    client.send('NEG-OPEN', 'n', {}, '6100000200')
    expect(await client.next('NEG-ERR')).toEqual(['NEG-ERR', 'n', 'blocked: too many query results', 4])
    relay.behaviour.negentropy = false
    client.send('NEG-OPEN', 'n', {}, '6100000200')
    expect(await client.next('NOTICE')).toEqual(['NOTICE', 'failed to parse envelope: unknown envelope label'])
  })
})

type Difference = { readonly have: string[]; readonly need: string[]; readonly rounds: number }

async function reconcile(client: TinyClient, own: Iterable<{ id: string; created_at: number }>): Promise<Difference> {
  const storage = new nip77.NegentropyStorageVector()
  for (const { id, created_at: at } of own) storage.insert(at, id)
  storage.seal()
  const negentropy = new nip77.Negentropy(storage, 60_000)
  const difference = { have: [] as string[], need: [] as string[] }
  let message: string | null = negentropy.initiate()
  let rounds = 0
  for (; message !== null; rounds += 1) {
    if (rounds === 0) client.send('NEG-OPEN', 'neg', {}, message)
    else client.send('NEG-MSG', 'neg', message)
    await waitFor(() => client.frames.length > rounds)
    const [label, , answer] = client.frames[rounds] ?? []
    expect(label).toBe('NEG-MSG')
    message = negentropy.reconcile(
      String(answer),
      (id) => difference.have.push(id),
      (id) => difference.need.push(id),
    )
  }
  client.send('NEG-CLOSE', 'neg')
  return { ...difference, rounds }
}
