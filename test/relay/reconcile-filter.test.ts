import { tmpdir } from 'node:os'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createFileEndpoint } from '../../src/file/file-endpoint.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { createLocalSet, createRelaySet, type ComparedSet } from '../../src/relay/negentropy/compared-set.ts'
import { reconcileFilter, type ReconcileFilterOptions } from '../../src/relay/negentropy/reconcile-filter.ts'
import { splitWindow } from '../../src/relay/negentropy/split-window.ts'
import { idsWithout, makeItems, toEvent, toIdSet, type IdItem } from '../support/id-items.ts'
import { usePeer } from '../support/negentropy-peer.ts'
import type { NegDecision } from '../support/scripted-behaviour.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'

const NOW = 1_750_000_000
const FILTER: Filter = { kinds: [1621] }

async function startRelay(items: readonly IdItem[], options: ScriptedRelayOptions = {}): Promise<ScriptedRelay> {
  const relay = await startScriptedRelay({ negentropy: true, events: items.map(toEvent), ...options })
  onTestFinished(() => relay.close())
  return relay
}

function setOf(relay: ScriptedRelay, filter: Filter = FILTER): ComparedSet {
  const set = createRelaySet(usePeer(relay), filter)
  if (set === undefined) throw new Error('the relay may be tried')
  return set
}

/** Compares two sets and collects what is missing, sorted. */
async function compare(source: ComparedSet, target: ComparedSet, options: Partial<ReconcileFilterOptions> = {}) {
  const missing: string[] = []
  const onMissing = async (ids: readonly string[]): Promise<void> => void missing.push(...ids)
  const result = await reconcileFilter({ source, target, filter: FILTER, now: NOW, onMissing, ...options })
  return { result, missing: missing.sort() }
}

function openings(relay: ScriptedRelay): readonly (Filter | undefined)[] {
  return relay.received.negs.flatMap(({ label, filter }) => (label === 'NEG-OPEN' ? [filter] : []))
}

describe('reconcileFilter', () => {
  const items = makeItems(600)
  const some = items.filter((_, index) => index % 7 !== 0)

  it('finds what one relay has and the other has not', async () => {
    const [source, target] = [await startRelay(items), await startRelay(some)]
    const { result, missing } = await compare(setOf(source), setOf(target))
    expect(missing).toEqual(idsWithout(items, some))
    expect(result).toMatchObject({ type: 'done', missing: missing.length })
    expect([openings(source), openings(target)]).toEqual([[FILTER], [FILTER]])
  })

  it('compares what the filter asks for and nothing else', async () => {
    const source = await startRelay(items)
    const filter = { kinds: [1621], since: 1_700_000_100, until: 1_700_000_199 }
    const { missing } = await compare(setOf(source, filter), setOf(await startRelay([])), { filter })
    expect(missing).toEqual(idsWithout(items.slice(100, 200), []))
    expect(openings(source)).toEqual([filter])
  })

  it('compares a relay with a local set, either way', async () => {
    const [all, few] = [await startRelay(items), await startRelay(some)]
    const [allHere, fewHere] = [createLocalSet(toIdSet(items)), createLocalSet(toIdSet(some))]
    expect((await compare(setOf(all), fewHere)).missing).toEqual(idsWithout(items, some))
    expect((await compare(allHere, setOf(few))).missing).toEqual(idsWithout(items, some))
  })

  it('works with small frames on both sides', async () => {
    const [source, target] = [
      await startRelay(items, { negentropyFrameBytes: 4_096 }),
      await startRelay(some, { negentropyFrameBytes: 4_096 }),
    ]
    expect((await compare(setOf(source), setOf(target))).missing).toEqual(idsWithout(items, some))
  })

  it('closes its sessions', async () => {
    const [source, target] = [await startRelay(items), await startRelay(some)]
    await compare(setOf(source), setOf(target))
    await expect.poll(() => source.received.negs.at(-1)?.label).toBe('NEG-CLOSE')
    await expect.poll(() => target.received.negs.at(-1)?.label).toBe('NEG-CLOSE')
  })

  it('counts the bytes that went over the wire', async () => {
    const [source, target] = [await startRelay(items), await startRelay(some)]
    const { result } = await compare(setOf(source), setOf(target))
    await expect.poll(() => source.received.negs.at(-1)?.label).toBe('NEG-CLOSE')
    const sent = source.received.frames.reduce<number>((sum, frame) => sum + JSON.stringify(frame).length, 0)
    const perFrame = Math.abs(result.traffic.source.sent - sent) / source.received.frames.length
    expect(perFrame).toBeLessThan(10)
    expect(result.traffic.source.received).toBeGreaterThan(500)
  })

  it('knows the oldest ids of the source when they are wanted', async () => {
    const source = await startRelay(items)
    const { result } = await compare(setOf(source), setOf(await startRelay(items)), { findsOldest: true })
    const windows = result.type === 'done' ? result.windows : []
    expect(windows).toHaveLength(1)
    const oldest = windows[0]?.oldest ?? []
    expect(oldest).toEqual(items.slice(0, oldest.length).map(({ id }) => id))
    expect(oldest.length).toBeGreaterThan(0)
  })

  it('knows that a source has nothing', async () => {
    const { result } = await compare(setOf(await startRelay([])), setOf(await startRelay(items)), { findsOldest: true })
    expect(result).toMatchObject({ type: 'done', windows: [{ oldest: [] }] })
  })
})

describe('reconcileFilter at a relay that compares only so many events', () => {
  const history = makeItems(300, { startAt: NOW - 300 * 86_400 }).map((item, index) => ({
    ...item,
    createdAt: item.createdAt + index * 86_400,
  }))
  const ancient = makeItems(20, { first: 10_000, startAt: 1_000 })
  const future = makeItems(40, { first: 20_000, startAt: NOW + 1_000, perSecond: 2 })
  const items = [...ancient, ...history, ...future]
  const some = items.filter((_, index) => index % 4 !== 0)

  it.each([
    ['source', 25, Infinity],
    ['target', Infinity, 40],
    ['both', 20, 30],
  ])('splits the time until it fits (%s)', async (_, sourceMax, targetMax) => {
    const source = await startRelay(items, { negentropyMax: sourceMax })
    const target = await startRelay(some, { negentropyMax: targetMax })
    const { result, missing } = await compare(setOf(source), setOf(target), { findsOldest: true })
    expect(missing).toEqual(idsWithout(items, some))
    expect(result.type === 'done' && result.windows.length).toBeGreaterThan(5)
    expect(openings(source).length).toBeLessThan(150)
  })

  it('leaves the newest window open, and the windows without a gap', async () => {
    const source = await startRelay(items, { negentropyMax: 25 })
    const { result } = await compare(setOf(source), setOf(await startRelay(some)))
    const windows = result.type === 'done' ? result.windows.map(({ window }) => window) : []
    expect(windows[0]?.until).toBeUndefined()
    expect(windows.at(-1)?.since).toBeUndefined()
    for (const [index, { since }] of windows.slice(0, -1).entries()) {
      expect(windows[index + 1]?.until).toBe((since ?? 0) - 1)
    }
  })

  it('fails when one second alone has too many', async () => {
    const crowd = makeItems(60, { startAt: NOW - 5_000, perSecond: 60 })
    const source = await startRelay(crowd, { negentropyMax: 50 })
    const { result } = await compare(setOf(source), setOf(await startRelay([])))
    const reason = `blocked: too many query results (in second ${NOW - 5_000} alone)`
    expect(result).toMatchObject({ type: 'failed', kind: 'too-many', side: 'source', cap: 50, reason })
  })

  it('does not ask for ever when everything is too much', async () => {
    const source = await startRelay(items, { onNegOpen: () => ({ error: 'blocked: too many query results' }) })
    const { result } = await compare(setOf(source), setOf(await startRelay(some)))
    expect(result).toMatchObject({ type: 'failed', kind: 'too-many' })
    expect(openings(source).length).toBeLessThan(80)
  })
})

describe('reconcileFilter at a relay without NIP-77', () => {
  const items = makeItems(50)

  it.each<[NegDecision, string]>([
    [
      { notice: 'failed to parse envelope: unknown envelope label' },
      'failed to parse envelope: unknown envelope label',
    ],
    [{ error: 'blocked: negentropy disabled' }, 'blocked: negentropy disabled'],
    ['silent', 'no answer to NEG-OPEN within 0.3 s'],
  ])('fails at once and is not tried again (%j)', async (decision, reason) => {
    const relay = await startRelay(items, { onNegOpen: () => decision })
    const peer = usePeer(relay)
    const source = createRelaySet(peer, FILTER)
    if (source === undefined) throw new Error('not tried')
    const { result } = await compare(source, setOf(await startRelay([])))
    expect(result).toMatchObject({ type: 'failed', kind: 'refused', side: 'source', reason })
    expect(createRelaySet(peer, FILTER)).toBeUndefined()
    expect(openings(relay)).toHaveLength(1)
  })

  it('names the target when that is the one', async () => {
    const target = await startRelay(items, { negentropy: false })
    const { result } = await compare(setOf(await startRelay(items)), setOf(target))
    expect(result).toMatchObject({ type: 'failed', kind: 'refused', side: 'target' })
  })

  it('tries several filters at once only once', async () => {
    const relay = await startRelay(items, { onNegOpen: () => 'silent' })
    const peer = usePeer(relay)
    const filters = [1, 2, 3, 4].map((kind) => ({ kinds: [kind] }))
    const target = createLocalSet(toIdSet([]))
    const results = await Promise.all(
      filters.flatMap((filter) => createRelaySet(peer, filter) ?? []).map((source) => compare(source, target)),
    )
    expect(results.map(({ result }) => result.type)).toEqual(['failed', 'failed', 'failed', 'failed'])
    expect(openings(relay)).toHaveLength(1)
  })

  it('is lost with its connection, and is not tried again in this run', async () => {
    const relay = await startRelay(items, {
      onNegOpen: () => {
        relay.dropConnections()
        return 'silent'
      },
    })
    const peer = usePeer(relay)
    const source = createRelaySet(peer, FILTER)
    if (source === undefined) throw new Error('not tried')
    const { result } = await compare(source, createLocalSet(toIdSet([])))
    expect(result).toMatchObject({ type: 'failed', kind: 'lost', side: 'source' })
    expect(peer.support.refusal).toContain('hung up at NEG-OPEN')
  })

  it('does not compare again with one that broke the protocol', async () => {
    const peer = usePeer(await startRelay(items))
    const set = createRelaySet(peer, FILTER)
    set?.distrust('it answers nothing')
    expect(createRelaySet(peer, FILTER)).toBeUndefined()
    expect(peer.support.refusal).toBe('it answers nothing')
  })

  it('has nothing to try at a file', () => {
    const file = {
      ...usePeer({ url: 'ws://127.0.0.1:9' }),
      endpoint: createFileEndpoint('-', {
        role: 'source',
        temporaryDirectory: tmpdir(),
        signal: new AbortController().signal,
      }),
    }
    expect(createRelaySet(file, FILTER)).toBeUndefined()
  })
})

describe('splitWindow', () => {
  it('halves what is closed, newer half first', () => {
    expect(splitWindow({ since: NOW - 10, until: NOW }, NOW)).toEqual([
      { since: NOW - 4, until: NOW },
      { since: NOW - 10, until: NOW - 5 },
    ])
  })

  it('keeps open ends open', () => {
    const [newer, older] = splitWindow({}, NOW) ?? []
    expect(newer?.until).toBeUndefined()
    expect(older?.since).toBeUndefined()
    expect(newer?.since).toBe((older?.until ?? 0) + 1)
  })

  it('ends at single seconds, also in the future', () => {
    expect(splitWindow({ since: 5, until: 5 }, NOW)).toBeUndefined()
    expect(splitWindow({ until: 0 }, NOW)).toBeUndefined()
    let [window, count] = [splitWindow({ since: NOW + 5 }, NOW)?.[0], 0]
    for (; window !== undefined; count += 1) window = splitWindow(window, NOW)?.[0]
    expect(count).toBeLessThan(60)
  })

  it('reaches every second', () => {
    const seconds = (window: { since?: number | undefined; until?: number | undefined }): number[] => {
      const halves = splitWindow(window, NOW)
      return halves === undefined ? [window.since ?? 0] : halves.flatMap(seconds)
    }
    expect(seconds({ until: 40 })).toEqual(Array.from({ length: 41 }, (_, index) => 40 - index))
    const around = { since: 1_604_707_190, until: 1_604_707_210 }
    expect(seconds(around)).toEqual(Array.from({ length: 21 }, (_, index) => around.until - index))
  })
})
