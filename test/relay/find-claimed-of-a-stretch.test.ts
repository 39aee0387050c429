import { describe, expect, it, onTestFinished } from 'vitest'

import { findClaimed } from '../../src/relay/find-claimed.ts'
import { createPeer } from '../../src/relay/peer.ts'
import { comparedAt } from '../support/alike-relays.ts'
import { makeItems, toEvent } from '../support/id-items.ts'
import { startScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { useRelay } from '../support/ws-double.ts'

const NOW = 1_750_000_000
const ITEMS = makeItems(101).toSorted((a, b) => a.createdAt - b.createdAt)
const OTHER = ITEMS[50]
const SENT = ITEMS.filter((item) => item !== OTHER)
const IDS = new Set(SENT.map(({ id }) => id))
const BETWEEN = { since: SENT[0]?.createdAt, until: SENT.at(-1)?.createdAt }

/** What is found of 100 events at a relay that holds just these, how it was asked to compare, and for how many ids. */
async function findAt(options: ScriptedRelayOptions = {}, areAlone = true) {
  const relay = await startScriptedRelay({ negentropy: true, events: SENT.map(toEvent), ...options })
  onTestFinished(() => relay.close())
  const peer = createPeer(useRelay(relay.url), { supportedNips: [1, 77], supportedGrasps: [] })
  const found = await findClaimed(peer, SENT, NOW, { areAlone })
  const asked = relay.received.reqs.flatMap(({ filters }) => filters.flatMap(({ ids = [] }) => ids)).length
  const kinds = comparedAt(relay).map((filter) => Object.keys(filter as object).join())
  return { found, compared: comparedAt(relay), kinds, asked }
}

describe('events that may be all of their time at a relay', () => {
  it('are listed by their time, if the relay holds no other', async () => {
    const { found, compared, asked } = await findAt()
    expect([found, compared, asked]).toEqual([IDS, [BETWEEN], 6])
  })

  it('are listed by id, if it holds another between them', async () => {
    const { found, kinds, asked } = await findAt({ events: ITEMS.map(toEvent) })
    expect([found, kinds, asked]).toEqual([IDS, ['since,until', 'ids'], 6])
  })

  it('are looked for by id, if it lacks one of them', async () => {
    const [lost] = SENT
    const { found, kinds } = await findAt({ events: SENT.slice(1).map(toEvent) })
    expect([found.size, found.has(lost?.id ?? ''), kinds]).toEqual([99, false, ['since,until', 'ids']])
  })

  it('are not found by what it lists, if it does not serve all of the sample', async () => {
    const hidden = new Set(SENT.slice(0, 60).map(({ id }) => id))
    const { found } = await findAt({ hides: ({ id }) => hidden.has(id) })
    expect(found).toEqual(new Set(SENT.slice(60).map(({ id }) => id)))
  })

  it('are listed by id where nobody expects that', async () => {
    expect((await findAt({}, false)).kinds).toEqual(['ids'])
  })
})
