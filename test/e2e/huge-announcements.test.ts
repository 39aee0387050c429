import { statSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const HEAP = { NODE_OPTIONS: '--max-old-space-size=64' }
const LISTED = ['--scope', 'listed', '--service', 'wss://git.example.org']
const alice = keyOf('alice')
const mine = announcement(alice, 'mine', {
  clone: ['https://git.example.org/a.git'],
  relays: ['wss://git.example.org'],
})

/**
 * Announcements of 70 kB by as many people, so that 500 of them are more bytes than a page may have; `perSecond` in
 * each second.
 */
function strangers(count: number, perSecond: number): NostrEvent[] {
  const urls = Array.from({ length: 35 }, (_, index) => `https://host${index}.example/${'x'.repeat(1_950)}`)
  return Array.from({ length: count }, (_, index) => {
    const createdAt = 1_700_000_000 + Math.floor(index / perSecond)
    return announcement(keyOf(`stranger ${index}`), 'repo', { createdAt, clone: urls })
  })
}

describe('announcements of 70 kB by strangers', () => {
  it.each([
    ['paged', false],
    ['by NIP-77', true],
  ])('are read with a heap of 64 MiB, %s, and leave nothing behind (no false green #33)', async (_, negentropy) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...strangers(700, 3), mine], negentropy })
    const target = await bench.scripted({ negentropy })
    for (const published of [1, 0]) {
      const args = ['catchup', '--json', ...endArguments(source, target), ...LISTED]
      const { code, stderr, json } = await bench.start(args, { env: HEAP }).finished
      expect([code, stderr, json<Report>().totals.published]).toEqual([0, '', published])
    }
    expect([...target.events.keys()]).toEqual([mine.id])
    expect(statSync(bench.stateFile).size).toBeLessThan(1_000_000)
  })
})
