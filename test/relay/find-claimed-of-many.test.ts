import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { findClaimed } from '../../src/relay/find-claimed.ts'
import { createPeer } from '../../src/relay/peer.ts'
import { issue, SOME_TIME } from '../support/builders.ts'
import { alice } from '../support/scenes.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { useRelay } from '../support/ws-double.ts'

const EVENTS = Array.from({ length: 600 }, (_, n) => issue('30617:x:y', alice, { createdAt: SOME_TIME + n }))
const IDS = EVENTS.map(({ id }) => id)
const [ABSENT, ALSO_ABSENT, ...HELD] = EVENTS

type Asking = { readonly relay: ScriptedRelay; readonly find: (events: readonly NostrEvent[]) => Promise<Set<string>> }

async function askingOf(options: ScriptedRelayOptions): Promise<Asking> {
  const relay = await startScriptedRelay({ negentropy: true, ...options })
  onTestFinished(() => relay.close())
  const endpoint = useRelay(relay.url)
  const peer = createPeer(endpoint, await endpoint.open())
  const find = (events: readonly NostrEvent[]): Promise<Set<string>> =>
    findClaimed(
      peer,
      events.map(({ id, created_at: createdAt }) => ({ id, createdAt })),
      SOME_TIME + 1_000,
      { drawn: 16 },
    )
  return { relay, find }
}

/** The ids that the relay was asked for by REQ. */
function idsAsked({ received }: ScriptedRelay): readonly string[] {
  return received.reqs.flatMap(({ filters }) => filters.flatMap(({ ids = [] }) => ids))
}

describe('which of many events a relay holds', () => {
  it('is learnt by comparison: few of those that it lists are read back', async () => {
    const { relay, find } = await askingOf({ events: EVENTS })
    expect(await find(EVENTS)).toEqual(new Set(IDS))
    expect(idsAsked(relay).length).toBeLessThan(IDS.length / 10)
    expect(idsAsked(relay).length).toBeGreaterThan(IDS.length / 20)
  })

  it('leaves out those that it neither lists nor serves, which are asked for by id', async () => {
    const { relay, find } = await askingOf({ events: HELD })
    expect(await find(EVENTS)).toEqual(new Set(HELD.map(({ id }) => id)))
    expect(idsAsked(relay)).toEqual(expect.arrayContaining([ABSENT?.id, ALSO_ABSENT?.id]))
  })

  it('does not count what a relay lists and does not serve: then every event is asked for', async () => {
    const { relay, find } = await askingOf({ events: EVENTS, hides: ({ created_at }) => created_at % 2 === 0 })
    const odd = EVENTS.filter(({ created_at }) => created_at % 2 === 1)
    expect(await find(EVENTS)).toEqual(new Set(odd.map(({ id }) => id)))
    expect(new Set(idsAsked(relay))).toEqual(new Set(IDS))
  })

  it('is asked by id where the relay refuses to compare, and it is not asked to compare again', async () => {
    const { relay, find } = await askingOf({ events: HELD, onNegOpen: () => ({ error: 'blocked: no' }) })
    await find(EVENTS)
    const asked = relay.received.negs.length
    expect(await find(EVENTS)).toEqual(new Set(HELD.map(({ id }) => id)))
    expect(relay.received.negs.length).toBe(asked)
  })

  it('is asked by id where the relay does not speak NIP-77, or where there are few', async () => {
    const { relay, find } = await askingOf({ events: HELD, negentropy: false })
    expect((await find(EVENTS)).size).toBe(HELD.length)
    expect(relay.received.negs).toEqual([])
    const other = await askingOf({ events: EVENTS })
    expect((await other.find(EVENTS.slice(0, 16))).size).toBe(16)
    expect(other.relay.received.negs).toEqual([])
  })
})
