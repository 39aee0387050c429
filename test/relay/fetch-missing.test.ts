import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { createLocalSet, createRelaySet, type ComparedSet } from '../../src/relay/negentropy/compared-set.ts'
import { fetchMissing, type MissingContext } from '../../src/relay/negentropy/fetch-missing.ts'
import { createCapacity } from '../../src/relay/paging/capacity.ts'
import { idsWithout, makeItems, toEvent, toIdSet, type IdItem } from '../support/id-items.ts'
import { usePeer } from '../support/negentropy-peer.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'

const FILTER: Filter = { kinds: [1621] }
const items = makeItems(1_500)
const day = items.filter((_, index) => index < 400 || index >= 900)

async function startRelay(held: readonly IdItem[], options: ScriptedRelayOptions = {}): Promise<ScriptedRelay> {
  const relay = await startScriptedRelay({ negentropy: true, events: held.map(toEvent), ...options })
  onTestFinished(() => relay.close())
  return relay
}

/** Reads at a source what a target of these items lacks, over sockets. */
async function fetchFrom(
  source: ScriptedRelay,
  held: readonly IdItem[],
  options: Partial<MissingContext> & { readonly filter?: Filter } = {},
) {
  const peer = usePeer(source)
  const filter = options.filter ?? FILTER
  const target = options.target ?? setOf(await startRelay(held), filter)
  const events: NostrEvent[] = []
  const read = await fetchMissing(filter, {
    source: setOf(source, filter),
    target,
    now: 1_750_000_000,
    request: (filter) => peer.endpoint.request(filter),
    sink: async (batch) => void events.push(...batch),
    capacity: createCapacity(),
    limit: 500,
    ...options,
  })
  return { read, ids: [...new Set(events.map(({ id }) => id))].sort(), events }
}

function setOf(relay: ScriptedRelay, filter: Filter): ComparedSet {
  const set = createRelaySet(usePeer(relay), filter)
  if (set === undefined) throw new Error('not tried')
  return set
}

describe('fetchMissing', () => {
  it.each<[string, readonly IdItem[]]>([
    ['everything', []],
    ['nothing', items],
    ['one', items.slice(1)],
    ['scattered ones', items.filter((_, index) => index % 3 !== 0)],
    ['a contiguous block', day],
    ['the newest', items.slice(0, -100)],
  ])('brings what the target lacks: %s', async (_, held) => {
    const { read, ids, events } = await fetchFrom(await startRelay(items), held)
    const lacking = idsWithout(items, held)
    expect(ids).toEqual(expect.arrayContaining(lacking))
    // Beside the oldest second, which is read once to learn how many events a page holds.
    expect(events.length).toBeLessThanOrEqual(lacking.length + 1)
    expect(read).toMatchObject({ type: 'read', missing: lacking.length, vanished: 0, drain: { reason: null } })
  })

  it('brings what a local set lacks', async () => {
    const target = createLocalSet(toIdSet(day))
    const { read, ids } = await fetchFrom(await startRelay(items), [], { target })
    expect(ids).toEqual(expect.arrayContaining(idsWithout(items, day)))
    expect(read).toMatchObject({ type: 'read', drain: { reason: null } })
  })

  it('reads on in pages where the source compares its newest events only', async () => {
    const { read, ids } = await fetchFrom(await startRelay(items, { negentropyCut: 500, pageCap: 50 }), day)
    expect(ids).toEqual(expect.arrayContaining(idsWithout(items, day)))
    expect(read).toMatchObject({ type: 'read', missing: 0, drain: { reason: null, malformed: 0 } })
  })

  it('reads on where the set of the source is cut off within its oldest second', async () => {
    const crowded = makeItems(300, { perSecond: 10 })
    const { read, ids } = await fetchFrom(await startRelay(crowded, { negentropyCut: 295 }), crowded.slice(10))
    expect(ids).toEqual(expect.arrayContaining(idsWithout(crowded, crowded.slice(10))))
    expect(read).toMatchObject({ type: 'read', drain: { reason: null } })
  })

  it('splits the time at a source with a cap, and proves each window', async () => {
    const { read, ids } = await fetchFrom(await startRelay(items, { negentropyMax: 400 }), day)
    expect(ids).toEqual(expect.arrayContaining(idsWithout(items, day)))
    expect(read).toMatchObject({ type: 'read', missing: 500, drain: { reason: null } })
  })

  it('is not drained while ids are listed and not served', async () => {
    const hidden = new Set(items.slice(500, 503).map(({ id }) => id))
    const { read, ids } = await fetchFrom(await startRelay(items, { hides: ({ id }) => hidden.has(id) }), day)
    expect(ids).toEqual(expect.arrayContaining(idsWithout(items.slice(503), day)))
    expect(read).toMatchObject({ drain: { reason: '3 listed by NIP-77 but not served' }, vanished: 0 })
  })

  it('counts what vanished', async () => {
    const source = await startRelay(items)
    const gone = items.slice(600, 605)
    const hidden = new Set(gone.map(({ id }) => id))
    source.behaviour.hides = ({ id }) => hidden.has(id)
    source.behaviour.onNegOpen = () => {
      if (source.received.negs.length > 2) for (const id of hidden) source.events.delete(id)
      return 'default'
    }
    const { read } = await fetchFrom(source, day)
    expect(read).toMatchObject({ type: 'read', vanished: 5, drain: { reason: null } })
  })

  it('fails when REQs by id are refused, for the caller to read pages', async () => {
    const source = await startRelay(items, {
      closeReq: ({ ids }) => (ids === undefined ? undefined : 'blocked: no ids'),
    })
    const { read } = await fetchFrom(source, day)
    expect(read).toMatchObject({ type: 'failed', kind: 'stopped', reason: 'closed: blocked: no ids on a page of ids' })
  })

  it('fails when the source has no NIP-77', async () => {
    const { read } = await fetchFrom(await startRelay(items, { negentropy: false }), day)
    expect(read).toMatchObject({ type: 'failed', kind: 'refused', side: 'source', drain: { rows: 0 } })
  })

  it('ends when it is told to', async () => {
    const { read } = await fetchFrom(await startRelay(items), day, { shouldStop: () => 'too much' })
    expect(read).toMatchObject({ type: 'failed', kind: 'stopped', reason: 'too much' })
  })

  it('compares a single second, as an open second of a drain needs', async () => {
    const crowd = makeItems(300, { perSecond: 300 })
    const filter = { ...FILTER, since: 1_700_000_000, until: 1_700_000_000 }
    const source = await startRelay(crowd, { pageCap: 20 })
    const { read, events } = await fetchFrom(source, crowd.slice(0, 100), { filter })
    expect(events).toHaveLength(200)
    expect(read).toMatchObject({ type: 'read', missing: 200, drain: { reason: null, rows: 200 } })
  })

  it('finds an empty source empty', async () => {
    const { read } = await fetchFrom(await startRelay([]), day)
    expect(read).toMatchObject({ type: 'read', missing: 0, drain: { reason: null, rows: 0 } })
  })
})
