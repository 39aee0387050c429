import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, deletion, issue, pullRequest, SOME_TIME, state } from './builders.ts'
import type { GraspRelay, GraspRelayOptions } from './grasp-relay.ts'
import { alice, bob, carol, smallRepository, type SmallRepository } from './scenes.ts'
import { signEvent } from './sign.ts'
import { connectTiny } from './tiny-client.ts'
import { createWorkbench, idsOf } from './workbench.ts'

const HELD_BACK = [true, "purgatory: won't be served until git data arrives"] as const
const STORED = [true, 'duplicate: event stored'] as const
const DAY = 86_400

function serviceOf({ url }: GraspRelay): { clone: string[]; relays: string[] } {
  return { clone: [`${url.replace('ws:', 'http:')}/x/hello.git`], relays: [url] }
}

async function start(options: GraspRelayOptions = {}): Promise<[GraspRelay, SmallRepository]> {
  const relay = await createWorkbench().grasp({ personality: '3.0.10', ...options })
  return [relay, smallRepository(serviceOf(relay))]
}

async function send({ url }: GraspRelay, ...events: readonly NostrEvent[]): Promise<(readonly [unknown, unknown])[]> {
  const client = await connectTiny(url)
  const answers: (readonly [unknown, unknown])[] = []
  for (const event of events) answers.push(await client.publish(event))
  client.close()
  return answers
}

describe('a scripted ngit-grasp 3.0.10', () => {
  it('serves an announcement and its state after the push; children are refused before and taken then', async () => {
    const [relay, { announced, state: pushed, issue: bug, address }] = await start()
    expect(await send(relay, announced, pushed)).toEqual([HELD_BACK, HELD_BACK])
    expect((await send(relay, bug))[0]?.[1]).toMatch(/^restricted: Event event must reference/)
    expect([relay.events.size, relay.pending().length]).toEqual([0, 2])
    relay.pushGitData(address)
    expect([relay.events.size, relay.pending().length]).toEqual([2, 0])
    expect(await send(relay, bug, pushed)).toEqual([STORED, [true, 'duplicate: already have this event']])
  })

  it('serves a second owner of the same identifier and commit without a push', async () => {
    const [relay, { announced, state: pushed, address }] = await start()
    await send(relay, announced, pushed)
    relay.pushGitData(address)
    const other = announcement(bob, 'hello', serviceOf(relay))
    expect(await send(relay, other, state(bob, 'hello'))).toEqual([HELD_BACK, STORED])
    expect(relay.events.has(other.id)).toBe(true)
  })

  it('holds a state back again when its commit is unknown', async () => {
    const [relay, { announced, state: pushed, address }] = await start()
    await send(relay, announced, pushed)
    relay.pushGitData(address)
    const next = state(alice, 'hello', { commit: '5'.repeat(40), createdAt: SOME_TIME + 90 })
    expect(await send(relay, next)).toEqual([HELD_BACK])
    relay.pushGitData(address)
    expect([relay.events.has(next.id), relay.events.has(pushed.id)]).toEqual([true, false])
  })

  it('holds a pull request back until its commit is pushed', async () => {
    const [relay, { announced, state: pushed, address }] = await start()
    const proposed = pullRequest(address, bob)
    await send(relay, announced, pushed)
    relay.pushGitData(address)
    expect((await send(relay, proposed))[0]?.[1]).toMatch(/^purgatory: PR event stored/)
    relay.pushGitData(address)
    expect(await send(relay, proposed)).toEqual([[true, 'duplicate: already have this event']])
  })

  it('takes a profile some seconds after its author wrote to a thread', async () => {
    const [relay, { announced, state: pushed, issue: bug, address }] = await start({ speed: 0 })
    const profile = signEvent(bob, { kind: 0, created_at: SOME_TIME, tags: [], content: '{}' })
    await send(relay, announced, pushed)
    relay.pushGitData(address)
    await send(relay, bug)
    expect((await send(relay, profile))[0]?.[0]).toBe(false)
    relay.letPass(5)
    expect(await send(relay, profile)).toEqual([STORED])
  })

  it('serves an unused deletion for 30 days, keeps it as a gate, then forgets it', async () => {
    const [relay, { issue: bug }] = await start()
    const withdrawn = deletion({ ids: [bug.id] }, bob)
    await send(relay, withdrawn)
    relay.letPass(31 * DAY)
    expect(relay.events.size).toBe(0)
    expect((await send(relay, withdrawn))[0]).toEqual([
      true,
      'duplicate: deletion request is no longer served; it will be re-served when used to reject an in-scope event',
    ])
    relay.letPass(180 * DAY)
    expect(await send(relay, withdrawn)).toEqual([STORED])
    expect(relay.events.size).toBe(1)
  })

  it('brings back what hung from a deleted announcement when a newer one comes', async () => {
    const relay = await createWorkbench().grasp({ personality: '3.0.10' })
    const mine = announcement(alice, 'hello', { ...serviceOf(relay), maintainers: [bob] })
    const listed = announcement(bob, 'hello', { createdAt: SOME_TIME })
    const address = `30617:${bob.pubkey}:hello`
    const bug = issue(address, carol)
    await send(relay, mine, listed, bug, deletion({ addresses: [address] }, bob))
    expect([relay.events.has(listed.id), relay.events.has(bug.id)]).toEqual([false, false])
    const newer = announcement(bob, 'hello', { createdAt: SOME_TIME + 10 })
    expect(await send(relay, newer)).toEqual([STORED])
    expect(idsOf(relay.events.values())).toEqual(expect.arrayContaining(idsOf([newer, bug])))
  })

  it('earns an event for each whole second of silence only', async () => {
    const [relay, { announced }] = await start({ burst: 2, speed: 0 })
    const client = await connectTiny(relay.url)
    const tries = async (...seconds: number[]): Promise<unknown[]> => {
      const answers: unknown[] = []
      for (const silence of seconds) {
        relay.letPass(silence)
        answers.push((await client.publish(announced))[0])
      }
      return answers
    }
    expect(await tries(0, 0, 0)).toEqual([true, true, false])
    expect(await tries(0.5, 0.5, 0.5, 0.5)).toEqual([false, false, false, false])
    expect(await tries(1.01, 1.01)).toEqual([true, true])
    expect(await tries(2.01, 0, 0)).toEqual([true, true, false])
    client.close()
  })

  it('says what it is', async () => {
    const [relay] = await start()
    const response = await fetch(relay.url.replace('ws:', 'http:'), { headers: { accept: 'application/nostr+json' } })
    expect(await response.json()).toMatchObject({ version: '3.0.10', supported_nips: [1, 5, 9, 11, 34, 62, 77] })
  })
})
