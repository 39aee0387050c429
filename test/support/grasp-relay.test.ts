import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, deletion, issue, pullRequest, SOME_TIME, state } from './builders.ts'
import type { GraspRelay, GraspRelayOptions } from './grasp-relay.ts'
import { alice, bob, smallRepository, type SmallRepository } from './scenes.ts'
import { connectTiny } from './tiny-client.ts'
import { createWorkbench } from './workbench.ts'

const HELD_BACK = "purgatory: won't be served until git data arrives"
const ORPHAN = 'Event event must reference an accepted repository or accepted event'

/** What an announcement must name to be taken. */
function serviceOf({ url }: GraspRelay): { clone: string[]; relays: string[] } {
  return { clone: [`${url.replace('ws:', 'http:')}/x/hello.git`], relays: [url] }
}

async function start(options: GraspRelayOptions = {}): Promise<[GraspRelay, SmallRepository]> {
  const relay = await createWorkbench().grasp(options)
  return [relay, smallRepository(serviceOf(relay))]
}

/** The answers to these events, sent over one connection, each after the answer to the one before. */
async function send({ url }: GraspRelay, ...events: readonly NostrEvent[]): Promise<(readonly [unknown, unknown])[]> {
  const client = await connectTiny(url)
  const answers: (readonly [unknown, unknown])[] = []
  for (const event of events) answers.push(await client.publish(event))
  client.close()
  return answers
}

async function served({ url }: GraspRelay): Promise<string[]> {
  const client = await connectTiny(url)
  const found = await client.query({ since: 1 })
  client.close()
  return found.map(({ id }) => id).sort()
}

describe('a scripted GRASP relay', () => {
  it('holds announcements and states back, unseen, until their git data arrives', async () => {
    const [relay, { announced, state: pushed, issue: bug, address }] = await start()
    expect(await send(relay, announced, announced, pushed, bug)).toEqual([
      [true, HELD_BACK],
      [true, 'duplicate: in purgatory'],
      [true, HELD_BACK],
      [false, ORPHAN],
    ])
    expect([await served(relay), relay.pending().length]).toEqual([[], 2])
    relay.pushGitData(address)
    expect(await send(relay, announced, bug)).toEqual([
      [true, 'duplicate: already have this event'],
      [true, ''],
    ])
    expect(await served(relay)).toEqual([announced.id, pushed.id, bug.id].sort())
  })

  it('forgets after 30 minutes what it held back; to send it again starts that time anew', async () => {
    const [relay, { announced, address }] = await start()
    await send(relay, announced)
    relay.letPass(29 * 60)
    await send(relay, announced)
    relay.letPass(29 * 60)
    expect(relay.pending()).toEqual([announced])
    relay.letPass(60)
    expect(relay.pending()).toEqual([])
    relay.pushGitData(address)
    expect(await served(relay)).toEqual([])
  })

  it('lets an older announcement take the place of a newer one that is pending', async () => {
    const [relay, { announced }] = await start()
    const older = announcement(alice, 'hello', { ...serviceOf(relay), createdAt: SOME_TIME - 10 })
    await send(relay, announced, older)
    expect(relay.pending()).toEqual([older])
  })

  it('drops older versions of what it serves without a reason', async () => {
    const [relay, { announced, address }] = await start()
    await send(relay, announced)
    relay.pushGitData(address)
    const older = announcement(alice, 'hello', { ...serviceOf(relay), createdAt: SOME_TIME - 10 })
    expect(await send(relay, older)).toEqual([[false, 'error: unknown']])
  })

  it('refuses what names no repository of its own', async () => {
    const [relay] = await start()
    const [answer] = await send(relay, announcement(alice, 'hello'))
    expect(answer).toEqual([false, expect.stringMatching(/^Announcement must list service in both/)])
    expect(await send(relay, state(alice, 'hello'))).toEqual([
      [false, 'invalid: no announcement exists for this repository'],
    ])
  })

  it('holds pull requests back until their commits arrive', async () => {
    const [relay, { announced, address }] = await start()
    await send(relay, announced)
    relay.pushGitData(address)
    const proposed = pullRequest(address, bob)
    const [answer] = await send(relay, proposed)
    expect(answer).toEqual([
      true,
      expect.stringMatching(/^purgatory: PR event stored, waiting for git push with commit 3/),
    ])
    relay.pushGitData(address)
    expect(await served(relay)).toEqual([announced.id, proposed.id].sort())
  })

  it('deletes what it holds, and lets in what comes after its deletion', async () => {
    const [relay, { announced, address, issue: bug }] = await start()
    const late = issue(address, bob, { content: 'late' })
    const both = deletion({ ids: [bug.id, late.id] }, bob)
    await send(relay, announced)
    relay.pushGitData(address)
    expect(await send(relay, bug, both, bug, late)).toEqual([
      [true, ''],
      [true, ''],
      [false, 'blocked: this event is deleted'],
      [true, ''],
    ])
  })

  it('takes a burst, then an event a second, before it looks at any', async () => {
    const [relay, { announced }] = await start({ burst: 2, speed: 0 })
    const slow = [false, 'rate-limited: slow down']
    expect((await send(relay, announced, announced, announced)).slice(2)).toEqual([slow])
    const client = await connectTiny(relay.url)
    const again = async (): Promise<unknown> => (await client.publish(announced))[0]
    const answers = [await again(), await again(), await again()]
    relay.letPass(0.9)
    answers.push(await again())
    relay.letPass(0.1)
    answers.push(await again(), await again())
    client.close()
    expect(answers).toEqual([true, true, false, false, true, false])
  })
})
