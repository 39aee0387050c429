import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { Fate } from '../src/run/fate.ts'
import { Ledger } from '../src/run/ledger.ts'
import { Doorkeeper } from '../src/publish/door.ts'
import { publishReady, type SendingRun } from '../src/publish/publish.ts'
import { SendWindow } from '../src/publish/send-window.ts'
import type { Answer } from '../src/relay/endpoint.ts'
import { createPacer } from '../src/relay/pace/pacing.ts'
import type { Rate } from '../src/time.ts'
import { createPeer } from '../src/relay/peer.ts'
import { issue, SOME_TIME } from './support/builders.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from './support/memory-endpoint.ts'
import { alice } from './support/scenes.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const PROFILE = { supportedNips: [], supportedGrasps: [] }

/** Publishing of so many issues to a target that answers like this, in virtual time. */
function publishing(count: number, answer: (event: NostrEvent) => Answer | undefined, rate?: Rate) {
  const { state } = openTemporaryState()
  for (let n = 0; n < count; n += 1) {
    const event = issue(`30617:${alice.pubkey}:x`, alice, { createdAt: SOME_TIME + n })
    state.spoolRows.insert(event, { layer: 'repositories', source: 'ws://s', isLate: false, isOutside: false })
    state.spoolRows.makeReady(event.id, 1, undefined)
  }
  const clock = { nowMs: 0 }
  const endpoint: MemoryEndpoint = createMemoryEndpoint({ onPublish: answer })
  const deadline = new AbortController()
  const signal = new AbortController().signal
  const sleep = async (ms: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    clock.nowMs += ms
  }
  const pacer = createPacer({ rate, nowMs: () => clock.nowMs, sleep, signal })
  const ledger = new Ledger(['repositories'])
  const context: SendingRun = {
    door: new Doorkeeper({
      announcements: Infinity,
      hasAccepted: false,
      onAccepted: () => undefined,
      onEnd: () => pacer.stop(),
    }),
    target: createPeer(endpoint, PROFILE),
    window: new SendWindow(),
    world: { state, clock: () => SOME_TIME, nowMs: () => clock.nowMs, signal, deadline: deadline.signal },
    ledger,
    fate: new Fate({ state, ledger, now: SOME_TIME, software: undefined }),
    pacer,
    blocked: new Map(),
    awaitsOwner: () => false,
    isHosted: () => false,
    onSent: () => undefined,
  }
  return { context, state, endpoint, deadline, clock }
}

const ok = (accepted: boolean, text: string): Answer => ({ type: 'ok', accepted, text })

describe('an event that is larger than the software of the target is known to take', () => {
  it('is not sent: the number is in its reason', async () => {
    const { context, state, endpoint } = publishing(0, () => undefined)
    const content = 'x'.repeat(196_608)
    const event = issue(`30617:${alice.pubkey}:x`, alice, { createdAt: SOME_TIME, content })
    state.spoolRows.insert(event, { layer: 'repositories', source: 'ws://s', isLate: false, isOutside: false })
    state.spoolRows.makeReady(event.id, 1, undefined)
    const target = createPeer(endpoint, { ...PROFILE, software: 'ngit-grasp', version: '3.0.10' })
    expect(await publishReady({ ...context, target })).toEqual({ type: 'sent' })
    expect(endpoint.published).toEqual([])
    const [refused] = [...state.spool.inState('refused', 10)].flat()
    expect(refused).toMatchObject({ outcome: 'too-large', reason: expect.stringContaining('196608') as string })
  })
})

describe('publishReady', () => {
  it('sends what the target hosts without a parent although its repository is blocked', async () => {
    const { context, state, endpoint } = publishing(0, () => ok(true, ''))
    const repository = `30617:${alice.pubkey}:x`
    const event = issue(repository, alice, { createdAt: SOME_TIME })
    state.spoolRows.insert(event, { layer: 'repositories', source: 'ws://s', isLate: false, isOutside: false })
    state.spoolRows.makeReady(event.id, 1, undefined)
    await publishReady({ ...context, blocked: new Map([[repository, 'no']]), isHosted: ({ id }) => id === event.id })
    expect(endpoint.published.length).toBe(1)
  })

  it('goes on sending while the answer to an early event is out, through all events of a step', async () => {
    const { context, state, endpoint } = publishing(600, () => undefined)
    // The first has been answered by then: of events with one parent, one goes ahead.
    let answerSecond = (): void => undefined
    const publish = async (event: NostrEvent): Promise<Answer> => {
      const answer = await endpoint.publish(event)
      if (endpoint.published.length === 600) answerSecond()
      else if (endpoint.published.length === 2) await new Promise<void>((resolve) => (answerSecond = resolve))
      return answer
    }
    const target = createPeer({ ...endpoint, publish }, PROFILE)
    expect(await publishReady({ ...context, target })).toEqual({ type: 'sent' })
    expect(state.spool.count('confirming')).toBe(600)
  })

  it('gives up a target that says rate-limited at any pace, and parks everything', async () => {
    const { context, state, endpoint } = publishing(30, () => ok(false, 'rate-limited: slow down'))
    expect(await publishReady(context)).toEqual({ type: 'stopped', reason: 'rate-limited: slow down' })
    expect([state.spool.count('parked'), state.spool.count('ready')]).toEqual([30, 0])
    expect(endpoint.published.length).toBeLessThan(100)
  })

  it('goes on as long as some events are taken in between', async () => {
    let tries = 0
    const { context, state } = publishing(60, () =>
      (tries += 1) % 5 === 0 ? undefined : ok(false, 'rate-limited: no'),
    )
    expect(await publishReady(context)).toEqual({ type: 'sent' })
    expect(state.spool.count('confirming')).toBe(60)
  })

  it('does not wait for the turns of what is not sent any more', async () => {
    const rate = { burst: 1, intervalMs: 60_000 }
    const { context, state, clock, endpoint } = publishing(50, () => ok(false, 'you are banned'), rate)
    expect(await publishReady(context)).toEqual({ type: 'door', reason: 'you are banned' })
    expect([endpoint.published.length, state.spool.count('parked')]).toEqual([1, 50])
    expect(clock.nowMs).toBeLessThanOrEqual(60_000)
  })

  it('stops between two events when the time is up', async () => {
    const { context, state, endpoint, deadline } = publishing(
      10,
      () => {
        if (endpoint.published.length === 4) deadline.abort(new Error('out of time'))
        return undefined
      },
      { burst: 1, intervalMs: 10 },
    )
    expect(await publishReady(context)).toEqual({ type: 'deadline', reason: 'out of time' })
    expect(endpoint.published).toHaveLength(4)
    expect([state.spool.count('confirming'), state.spool.count('parked')]).toEqual([4, 6])
  })
})

describe('an event whose time has passed', () => {
  it('is not sent again after the target asked for patience, and is settled as expired (no false green #39)', async () => {
    const { context, state, endpoint } = publishing(0, () => ok(false, 'rate-limited: slow down'))
    const tags = [['expiration', String(SOME_TIME + 10)]]
    const event = issue(`30617:${alice.pubkey}:x`, alice, { createdAt: SOME_TIME, tags })
    state.spoolRows.insert(event, { layer: 'repositories', source: 'ws://s', isLate: false, isOutside: false })
    state.spoolRows.makeReady(event.id, 1, undefined)
    const clock = (): number => SOME_TIME + (endpoint.published.length === 0 ? 0 : 10)
    expect(await publishReady({ ...context, world: { ...context.world, clock } })).toEqual({ type: 'sent' })
    expect([endpoint.published.length, state.spool.find(event.id)]).toEqual([1, undefined])
    expect(context.ledger.layers()[0]?.outcomes).toEqual({ expired: 1 })
  })
})
