import { describe, expect, it, onTestFinished } from 'vitest'

import { createPeer } from '../../src/relay/peer.ts'
import { ServedIds } from '../../src/relay/served-ids.ts'
import { issue, SOME_TIME } from '../support/builders.ts'
import { alice } from '../support/scenes.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { useRelay } from '../support/ws-double.ts'

const EVENTS = Array.from({ length: 600 }, (_, n) => issue('30617:x:y', alice, { createdAt: SOME_TIME + n }))
const IDS = EVENTS.map(({ id }) => id)
const [ABSENT, ALSO_ABSENT, ...HELD] = EVENTS

async function askingOf(options: ScriptedRelayOptions): Promise<{ relay: ScriptedRelay; served: ServedIds }> {
  const relay = await startScriptedRelay({ negentropy: true, ...options })
  onTestFinished(() => relay.close())
  const endpoint = useRelay(relay.url)
  const peer = createPeer(endpoint, await endpoint.open())
  return { relay, served: new ServedIds(peer, SOME_TIME + 1_000) }
}

/** The ids that the relay was asked for by REQ. */
function idsAsked({ received }: ScriptedRelay): readonly string[] {
  return received.reqs.flatMap(({ filters }) => filters.flatMap(({ ids = [] }) => ids))
}

describe('which of many events a relay serves', () => {
  it('is learnt by comparison: few of those that it lists are read back', async () => {
    const { relay, served } = await askingOf({ events: EVENTS })
    expect(await served.among(EVENTS)).toEqual(new Set(IDS))
    expect(idsAsked(relay).length).toBeLessThan(IDS.length / 10)
    expect(idsAsked(relay).length).toBeGreaterThan(IDS.length / 20)
  })

  it('leaves out those that it neither lists nor serves, which are asked for by id', async () => {
    const { relay, served } = await askingOf({ events: HELD })
    expect(await served.among(EVENTS)).toEqual(new Set(HELD.map(({ id }) => id)))
    expect(idsAsked(relay)).toEqual(expect.arrayContaining([ABSENT?.id, ALSO_ABSENT?.id]))
  })

  it('does not count what a relay lists and does not serve: then every event is asked for', async () => {
    const { relay, served } = await askingOf({ events: EVENTS, hides: ({ created_at }) => created_at % 2 === 0 })
    const odd = EVENTS.filter(({ created_at }) => created_at % 2 === 1)
    expect(await served.among(EVENTS)).toEqual(new Set(odd.map(({ id }) => id)))
    expect(new Set(idsAsked(relay))).toEqual(new Set(IDS))
  })

  it('is asked by id where the relay refuses to compare, and it is not asked to compare again', async () => {
    const { relay, served } = await askingOf({ events: HELD, onNegOpen: () => ({ error: 'blocked: no' }) })
    await served.among(EVENTS)
    const asked = relay.received.negs.length
    expect(await served.among(EVENTS)).toEqual(new Set(HELD.map(({ id }) => id)))
    expect(relay.received.negs.length).toBe(asked)
  })

  it('is asked by id where the relay does not speak NIP-77, or where there are few', async () => {
    const { relay, served } = await askingOf({ events: HELD, negentropy: false })
    expect((await served.among(EVENTS)).size).toBe(HELD.length)
    expect(relay.received.negs).toEqual([])
    const other = await askingOf({ events: EVENTS })
    expect((await other.served.among(EVENTS.slice(0, 50))).size).toBe(50)
    expect(other.relay.received.negs).toEqual([])
  })
})
