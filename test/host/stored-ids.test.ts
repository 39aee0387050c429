import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import { createTemporaryDatabase } from '../../src/file/temporary-database.ts'
import { StoredIds } from '../../src/host/stored-ids.ts'
import { IdCollector, type IdSet } from '../../src/relay/negentropy/id-set.ts'
import { END, START, type Bound } from '../../src/relay/negentropy/negentropy-message.ts'

type Stamp = { readonly createdAt: number; readonly id: string }

const EVENTS = 40_000
const SETS = 4
const SCHEMA = 'CREATE TABLE events (created_at INTEGER, id BLOB)'

/** Few seconds and few first bytes: many events share one, and blocks begin within a second. */
const stamp = fc.record({
  createdAt: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.maxSafeNat()),
  id: fc
    .tuple(fc.constantFrom('00', '01', 'ff'), fc.uint8Array({ minLength: 31, maxLength: 31 }))
    .map(([first, rest]) => first + Buffer.from(rest).toString('hex')),
})
const stamps = fc.uniqueArray(stamp, { selector: ({ id }) => id, maxLength: 200, size: 'max' })

function store(events: Iterable<Stamp>): StoredIds {
  const { db, close } = createTemporaryDatabase(tmpdir(), SCHEMA)
  onTestFinished(close)
  const insert = db.prepare('INSERT INTO events VALUES (?, ?)')
  db.transaction(() => {
    for (const { createdAt, id } of events) insert.run(createdAt, Buffer.from(id, 'hex'))
  })()
  return new StoredIds(db, 'ids', { sql: 'SELECT created_at, id FROM events', parameters: [] })
}

function collect(events: Iterable<Stamp>): IdSet {
  const collector = new IdCollector()
  for (const { createdAt, id } of events) collector.add(createdAt, id)
  return collector.seal()
}

function boundsOf(events: readonly Stamp[]): Bound[] {
  const around = events.flatMap(({ createdAt: timestamp, id }) => [
    { timestamp, id: '' },
    { timestamp, id },
    { timestamp, id: id.slice(0, 4) },
    { timestamp: timestamp + 1, id: '' },
  ])
  return [START, END, ...around]
}

describe('ids on disk', () => {
  it('are at the same positions, with the same fingerprints, as in memory', () => {
    fc.assert(
      fc.property(stamps, (events) => {
        const [stored, known] = [store(events), collect(events)]
        const places = Array.from({ length: known.size }, (_, place) => place)
        expect(places.map((place) => [stored.time(place), stored.id(place)])).toEqual(
          places.map((place) => [known.time(place), known.id(place)]),
        )
        const bounds = boundsOf(events)
        const ends = bounds.map((bound) => known.lowerBound(bound))
        expect([stored.size, ...bounds.map((bound) => stored.lowerBound(bound))]).toEqual([known.size, ...ends])
        const ranges = [[0, known.size] as const, ...ends.map((end) => [Math.min(end, 70), end] as const)]
        expect(ranges.map(([from, to]) => stored.fingerprint(from, to))).toEqual(
          ranges.map(([from, to]) => known.fingerprint(from, to)),
        )
      }),
      { numRuns: 12 },
    )
  })

  it('take less than a byte each of memory', async () => {
    // A process of its own: nothing else that happens here counts.
    const program = `
      import { tmpdir } from 'node:os'
      import { createTemporaryDatabase } from ${JSON.stringify(new URL('../../dist/file/temporary-database.js', import.meta.url))}
      import { StoredIds } from ${JSON.stringify(new URL('../../dist/host/stored-ids.js', import.meta.url))}
      const { db, close } = createTemporaryDatabase(tmpdir(), '${SCHEMA}')
      const insert = db.prepare('INSERT INTO events VALUES (?, ?)')
      db.transaction(() => {
        for (let number = 0; number < ${EVENTS}; number += 1)
          insert.run(number, Buffer.from((number * 7_919).toString(16).padStart(64, '0'), 'hex'))
      })()
      const store = (table) => new StoredIds(db, table, { sql: 'SELECT created_at, id FROM events', parameters: [] })
      const used = () => {
        gc()
        gc()
        const { heapUsed, arrayBuffers } = process.memoryUsage()
        return heapUsed + arrayBuffers
      }
      // What is loaded and compiled for the first sets is none of the others.
      const sets = ['first', 'second'].map(store)
      const before = used()
      for (let number = 0; number < ${SETS}; number += 1) sets.push(store('set' + number))
      console.log(JSON.stringify({ bytes: used() - before, sizes: sets.map(({ size }) => size) }))
      close()`
    // Code that is compiled in the background, or thrown away, would count as well.
    const args = ['--expose-gc', '--no-opt', '--no-flush-bytecode', '--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { bytes, sizes } = JSON.parse(stdout) as { bytes: number; sizes: readonly number[] }
    expect(sizes).toEqual(Array.from({ length: 2 + SETS }, () => EVENTS))
    expect(bytes / SETS).toBeLessThan(EVENTS)
  })
})
