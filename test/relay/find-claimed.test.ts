import { describe, expect, it, onTestFinished } from 'vitest'

import { findClaimed } from '../../src/relay/find-claimed.ts'
import { createPeer } from '../../src/relay/peer.ts'
import { comparedAt } from '../support/alike-relays.ts'
import { makeItems, toEvent } from '../support/id-items.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { useRelay } from '../support/ws-double.ts'

const NOW = 1_750_000_000
const items = makeItems(50)
const ids = items.map(({ id }) => id)

/** A relay that holds all items, unless the options say otherwise. */
async function startHolder(options: ScriptedRelayOptions = {}): Promise<ScriptedRelay> {
  const relay = await startScriptedRelay({ negentropy: true, events: items.map(toEvent), ...options })
  onTestFinished(() => relay.close())
  return relay
}

/** What is found at the relay, and how many ids it was asked to serve. */
async function findAt(relay: ScriptedRelay, { supportedNips = [1, 77], now = NOW } = {}) {
  const peer = createPeer(useRelay(relay.url), { supportedNips, supportedGrasps: [] })
  const found = await findClaimed(peer, items, now)
  return { peer, found: ids.filter((id) => found.has(id)), asked: askedOf(relay) }
}

function askedOf({ received }: ScriptedRelay): string[] {
  return received.reqs.flatMap(({ filters }) => filters.flatMap((filter) => filter.ids ?? []))
}

describe('findClaimed', () => {
  it('has a few events served and the others listed', async () => {
    const relay = await startHolder()
    const { found, asked } = await findAt(relay)
    expect([found, asked.length]).toEqual([ids, 6])
  })

  it('draws others in another run', async () => {
    const [first, second] = [await startHolder(), await startHolder()]
    const drawn = [await findAt(first), await findAt(second, { now: NOW + 86_400 })]
    expect(drawn[0]?.asked).not.toEqual(drawn[1]?.asked)
  })

  it('asks for what is not listed, and finds it when it is served', async () => {
    const relay = await startHolder({ negentropyCut: 40 })
    expect((await findAt(relay)).found).toEqual(ids)
  })

  it('does not find what is neither listed nor served', async () => {
    const relay = await startHolder({ events: items.slice(0, 40).map(toEvent) })
    expect((await findAt(relay)).found).toEqual(ids.slice(0, 40))
  })

  it('believes no list of a relay that does not serve all of the sample', async () => {
    const hidden = new Set(ids.slice(20, 30))
    const relay = await startHolder({ hides: ({ id }) => hidden.has(id) })
    expect((await findAt(relay)).found).toEqual(ids.filter((id) => !hidden.has(id)))
  })

  it('asks a relay that does not announce NIP-77 for all of them', async () => {
    const relay = await startHolder()
    const { found, asked } = await findAt(relay, { supportedNips: [1] })
    expect([found, asked.length, comparedAt(relay)]).toEqual([ids, 50, []])
  })

  it('asks a relay that lists nothing by id for all of them, and still compares by kinds there', async () => {
    const relay = await startHolder({ onNegOpen: () => ({ error: 'blocked: ids are not supported' }) })
    const { peer, found, asked } = await findAt(relay)
    expect([found, asked.length, peer.support.refusal]).toEqual([ids, 50, undefined])
  })
})
