import { statSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { findDeletions } from '../../src/relay/find-removals.ts'
import { createPeer } from '../../src/relay/peer.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, deletion } from '../support/builders.ts'
import { longHistory } from '../support/long-history.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'
import { watchPeak } from '../support/peak-memory.ts'
import { alice } from '../support/scenes.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, differenceOf, endArguments, idsOf } from '../support/workbench.ts'

/*
 * Rule 8. Memory does not grow with history: paging, selecting and publishing are bounded; ids are kept as bytes or on
 * disk.
 */

/** Twice what the heap may hold. */
const EVENTS = 20_000
const CHARACTERS = 2_000
const HEAP_MIB = 64
const RESIDENT_MIB = 250

describe('a history that is larger than the heap', () => {
  it('is backfilled whole, with a heap of 64 MiB', { timeout: 300_000 }, async () => {
    const bench = createWorkbench()
    const history = [...longHistory(EVENTS, CHARACTERS)]
    const source = await bench.scripted({ events: history })
    const target = await bench.scripted({ verify: false, deletions: false })
    const args = ['backfill', '--json', '--since', '20Y', ...endArguments(source, target)]
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` }
    const cli = bench.start(args, { env, timeoutMs: 290_000 })
    const [{ code, stderr, json }, peakMib] = await Promise.all([cli.finished, watchPeak(cli)])
    expect([code, stderr]).toEqual([0, ''])
    expect(json<Report>().totals).toMatchObject({ unique: EVENTS, published: EVENTS, accepted: EVENTS, parked: 0 })
    expect(idsOf(target.events.values())).toEqual(idsOf(history))
    expect(peakMib).toBeLessThan(RESIDENT_MIB)
  })
})

describe('announcements of 70 kB by strangers who are all in scope', () => {
  it(
    'are copied with a heap of 64 MiB, twice, and remembered in outline (no false green #33)',
    { timeout: 120_000 },
    async () => {
      const bench = createWorkbench()
      const clone = Array.from({ length: 35 }, (_, index) => `https://host${index}.example/${'x'.repeat(1_950)}`)
      const events = Array.from({ length: 700 }, (_, index) => {
        const createdAt = 1_700_000_000 + Math.floor(index / 40)
        return announcement(keyOf(`stranger ${index}`), 'repo', { createdAt, clone })
      })
      const source = await bench.scripted({ events, negentropy: false })
      const target = await bench.scripted({ negentropy: false })
      for (const published of [events.length, 0]) {
        const args = ['catchup', '--json', '--full', ...endArguments(source, target), '--scope', 'all']
        const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` }
        const { code, stderr, json } = await bench.start(args, { env, timeoutMs: 110_000 }).finished
        expect([code, stderr]).toEqual([0, ''])
        expect(json<Report>().totals.published).toBe(published)
        expect(statSync(bench.stateFile).size).toBeLessThan(15_000_000)
      }
      expect(differenceOf(target.events.values(), events)).toEqual({ missing: [], extra: [] })
    },
  )
})

describe('what a source says of deletions', () => {
  it('is taken page by page, however much it is', async () => {
    const target = '0'.repeat(64)
    const [sample] = [deletion({ ids: [target] }, alice)]
    const deletions = Array.from({ length: 3_000 }, (_, index) => ({
      ...sample,
      id: index.toString(16).padStart(64, '0'),
      created_at: index,
    }))
    const peer = createPeer(createMemoryEndpoint({ events: deletions }), { supportedNips: [], supportedGrasps: [] })
    const sizes: number[] = []
    await findDeletions(peer, { ids: new Map([[target, alice.pubkey]]), addresses: [] }, (page) =>
      sizes.push(page.length),
    )
    expect(sizes.reduce((sum, size) => sum + size)).toBe(3_000)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(peer.pageLimit)
  })
})
