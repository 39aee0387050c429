import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'

const { pubkey } = keyOf('alice')
const MIB = 2 ** 20

function eventWith(id: string): NostrEvent {
  return { id, pubkey, kind: 1621, created_at: 1, tags: [], content: '', sig: '' }
}

function idOf(number: number): string {
  return number.toString(16).padStart(64, '0')
}

describe('the table of copies', () => {
  it('yields once each event with fewer copies than wanted, in pieces, whatever is written between them', () => {
    const { copies } = openTemporaryState().state
    const ids = Array.from({ length: 10 }, (_, number) => idOf(number))
    for (const id of ids) copies.add(eventWith(id), { address: undefined, repository: undefined, counts: true })
    copies.hold(ids, 0)
    copies.hold(ids.slice(0, 3), 1)
    const pieces: string[][] = []
    for (const piece of copies.unasked(2, 3)) {
      pieces.push(piece.map(({ id }) => id))
      copies.remove(ids[9] ?? '')
      copies.hold([ids[4] ?? ''], 1)
    }
    expect(pieces).toEqual([ids.slice(3, 6), ids.slice(6, 9)])
    expect([...copies.unasked(2, 3)]).toEqual([])
    copies.add(eventWith(idOf(0xabc)), { address: undefined, repository: undefined, counts: true })
    expect([...copies.unasked(2, 3)].flat().map(({ id }) => id)).toEqual([idOf(0xabc)])
  })

  it('lies on disk: 60,000 events more take no more memory', async () => {
    // A small cache is full before.
    const program = `
      import { createHash } from 'node:crypto'
      import { CopyTable } from ${JSON.stringify(new URL('../../dist/store/copy-table.js', import.meta.url))}
      import { openStateFile } from ${JSON.stringify(new URL('../../dist/store/state-file.js', import.meta.url))}
      const db = openStateFile(process.argv[1])
      db.pragma('temp.cache_size = -1000')
      const copies = new CopyTable(db)
      const met = { address: undefined, repository: '30617:${pubkey}:hello', counts: true }
      const add = (number) => {
        const id = createHash('sha256').update(String(number)).digest('hex')
        copies.add({ id, pubkey: '${pubkey}', kind: 1621, created_at: number, tags: [], content: '', sig: '' }, met)
        copies.hold([id], 0)
      }
      const fill = (from, to) => {
        for (let first = from; first < to; first += 500)
          db.transaction(() => { for (let number = first; number < first + 500; number += 1) add(number) })()
        return process.memoryUsage.rss()
      }
      const before = fill(0, 20_000)
      console.log(fill(20_000, 80_000) - before)`
    const args = ['--max-semi-space-size=1', '--max-old-space-size=32', '--input-type=module', '--eval', program]
    const file = join(temporaryDirectory(), 'state.db')
    const { stdout } = await promisify(execFile)(process.execPath, [...args, file])
    expect(Number(stdout)).toBeLessThan(6 * MIB)
  })
})
