import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { fetchByIds } from '../../src/relay/paging/fetch-by-ids.ts'
import { readRefusal } from '../../src/relay/socket/refusal.ts'
import { createWebSocketRelay, type WebSocketRelay } from '../../src/relay/websocket-relay.ts'
import { comment, issue } from '../support/builders.ts'
import { bob, carol } from '../support/scenes.ts'
import { idsOf } from '../support/workbench.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { connectTiny } from '../support/tiny-client.ts'
import { startGrasp, type Grasp } from './support/grasp.ts'
import {
  hostedRepository,
  NOTHING_TO_DO,
  pushGitData,
  summaryOf,
  type HostedRepository,
} from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

async function startHosting(): Promise<{ grasp: Grasp; repository: HostedRepository }> {
  const grasp = await startGrasp()
  const repository = await hostedRepository(grasp)
  await grasp.offer([repository.announced, repository.state])
  await pushGitData(grasp, repository)
  return { grasp, repository }
}

/** What the relay said against our haste, on its way through a proxy. */
function listenForComplaints(proxy: Awaited<ReturnType<typeof startTcpProxy>>): string[] {
  const complaints: string[] = []
  proxy.onFrame((frame, from) => {
    const text = JSON.stringify(frame)
    if (from === 'relay' && text.includes('rate-limited:')) complaints.push(text)
    return undefined
  })
  return complaints
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('the limits of ngit-grasp 3.0.10', () => {
  it('are known: 66 events go over one connection, and it never has to complain', async () => {
    const bench = createInteropBench()
    const { grasp, repository } = await startHosting()
    const issues = Array.from({ length: 64 }, (_, n) => issue(repository.address, bob, { content: `issue ${n}` }))
    const events = [...repository.events, ...issues]
    const source = await bench.real({ events })
    const proxy = await startTcpProxy(grasp.url)
    const complaints = listenForComplaints(proxy)
    const through = { url: proxy.url }
    const first = await bench.catchup(source, through, '--service', grasp.url)
    expect(summaryOf(first)).toEqual({ code: 0, published: 66, parked: 0, refused: 0 })
    expect(complaints).toEqual([])
    expect(idsOf(await grasp.events())).toEqual(idsOf(events))
    expect(summaryOf(await bench.catchup(source, through, '--service', grasp.url))).toEqual(NOTHING_TO_DO)
    await proxy.close()
  })

  it('are known: 1,400 questions go over one connection, and it never has to complain', async () => {
    const { grasp, repository } = await startHosting()
    const proxy = await startTcpProxy(grasp.url)
    const complaints = listenForComplaints(proxy)
    const relay = await openRelay(proxy.url)
    const pages = await Promise.all(
      Array.from({ length: 1_400 }, (_, n) => relay.request({ ids: [repository.issue.id], limit: 1 + (n % 7) })),
    )
    expect(new Set(pages.map(({ end }) => end.type))).toEqual(new Set(['eose']))
    expect(complaints).toEqual([])
    await relay.close()
    await proxy.close()
  }, 120_000)

  it('of 20 filters and of a message that it cannot read are told in words that are known', async () => {
    const { url } = await startGrasp()
    const client = await connectTiny(url)
    client.send('REQ', 'many', ...Array.from({ length: 21 }, (_, n) => ({ kinds: [n], limit: 1 })))
    const [, , reason] = await client.next('CLOSED', 'many')
    client.send('REQ', 'broken', { ids: ['short'] })
    const [, notice] = await client.next('NOTICE')
    client.close()
    expect([reason, readRefusal(String(reason))]).toEqual(['rate-limited: REQ exceeds max filter count 20', 'final'])
    expect([notice, readRefusal(String(notice))]).toEqual(['invalid client message', 'unreadable'])
  })

  it('are no matter for 600 ids at once, nor for twelve comparisons of 5,001 events', async () => {
    const { grasp, repository } = await startHosting()
    await grasp.offer(repository.events.slice(2))
    const replies = manyReplies(repository, 5_001)
    expect((await grasp.offer(replies)).filter(({ accepted }) => !accepted)).toEqual([])
    const relay = await openRelay(grasp.url)
    const ids = replies.slice(0, 600).map(({ id }) => id)
    const served: string[] = []
    const fetched = await fetchByIds(ids, {
      request: (filter) => relay.request(filter),
      sink: async (events) => void served.push(...events.map(({ id }) => id)),
    })
    expect([fetched.reason, fetched.unserved, served.sort()]).toEqual([null, [], [...ids].sort()])
    const sessions = Array.from({ length: 12 }, () => relay.openNegentropy({ kinds: [1111] }))
    const answers = await Promise.all(
      sessions.map(async (session) => {
        const answer = await session.send(EVERYTHING)
        session.close()
        return answer.type
      }),
    )
    expect(answers).toEqual(sessions.map(() => 'msg'))
    await relay.close()
  }, 240_000)
})

/** NIP-77: version 1, and one range over all times with a fingerprint that no set has. */
const EVERYTHING = `61${'00'.repeat(2)}01${'00'.repeat(16)}`

async function openRelay(url: string): Promise<WebSocketRelay> {
  const { signal } = new AbortController()
  const relay = createWebSocketRelay(url, { signal, now: Date.now, random: Math.random })
  await relay.open()
  return relay
}

function manyReplies({ issue: root }: HostedRepository, count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    comment(root, carol, { content: `reply ${n}`, createdAt: root.created_at + n }),
  )
}
