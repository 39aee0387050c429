import fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EventIndex } from '../../src/file/event-index.ts'
import { formatEventLine } from '../../src/file/event-line.ts'
import { buildIndexQuery, INDEX_SCHEMA } from '../../src/file/index-query.ts'
import { parseEvent, type NostrEvent } from '../../src/nostr/event.ts'
import { createMatcher, type Filter } from '../../src/nostr/filter.ts'
import { Sqlite } from '../../src/sqlite.ts'
import { buildEvent, buildEvents } from './build-event.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'

const HEX = ['1', '2', '3', 'a', 'f'].map((digit) => digit.repeat(64))
const KINDS = [1, 5, 1621, 30617, 65_535]
const LETTERS = ['a', 'A', 'e', 'q']
const VALUES = ['', 'x', 'X', '30617:x:y', 'ü', '\ud800', '\ufffd', 'nul\0', '"\\']

const tagArbitrary = fc.oneof(
  fc.tuple(fc.constantFrom(...LETTERS), fc.constantFrom(...VALUES)),
  fc.tuple(fc.constantFrom(...LETTERS), fc.constantFrom(...VALUES), fc.string()),
  fc.tuple(fc.constantFrom(...LETTERS)),
)

const eventArbitrary: fc.Arbitrary<NostrEvent> = fc.record({
  id: fc.constantFrom(...HEX),
  pubkey: fc.constantFrom(...HEX),
  created_at: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom(2 ** 31, 2 ** 40)),
  kind: fc.constantFrom(...KINDS),
  tags: fc.array(tagArbitrary, { maxLength: 3 }),
  content: fc.constantFrom('', 'one', '\ud800'),
  sig: fc.constant('0'.repeat(128)),
})

const someOf = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 })

const filterArbitrary: fc.Arbitrary<Filter> = fc.record(
  {
    ids: someOf([...HEX, HEX[3]?.toUpperCase() ?? '', 'no hex']),
    authors: someOf(HEX),
    kinds: someOf(KINDS),
    since: fc.constantFrom(0, 2, 2 ** 31),
    until: fc.constantFrom(0, 3, 2 ** 40),
    limit: fc.integer({ min: 0, max: 5 }),
    '#a': someOf(VALUES),
    '#A': someOf(VALUES),
    '#e': someOf(VALUES),
  },
  { requiredKeys: [] },
)

/** What NIP-01 asks for, the simple way. */
function findNaively(events: readonly NostrEvent[], filter: Filter): unknown[] {
  const unique = [...new Map(events.map((event) => [formatEventLine(event), event])).values()]
  const matches = unique.filter(createMatcher(filter)).sort(byNewest)
  return matches.slice(0, filter.limit ?? matches.length)
}

function byNewest(a: NostrEvent, b: NostrEvent): number {
  if (a.created_at !== b.created_at) return b.created_at - a.created_at
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

function withIndex<T>(events: readonly NostrEvent[], use: (index: EventIndex) => T): T {
  const index = new EventIndex(temporaryDirectory())
  try {
    for (const event of events) index.add(event)
    return use(index)
  } finally {
    index.close()
  }
}

const scanned = (index: EventIndex, filter: Filter) => [...index.scan(filter)].flatMap((batch) => batch.rows)

describe('EventIndex', () => {
  it('answers every filter as a naive matcher does, by find and by scan', () => {
    const filters = fc.array(filterArbitrary, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 20 }), filters, (events, asked) =>
        withIndex(events, (index) => {
          for (const filter of asked) {
            expect(index.find(filter).rows).toEqual(findNaively(events, filter))
            expect(scanned(index, filter)).toEqual(findNaively(events, filter))
          }
        }),
      ),
      { numRuns: 60 },
    )
  })

  it('keeps two events with one id and different content, and each of them once', () => {
    const event = buildEvent('one')
    const forged = { ...event, content: 'forged' }
    const rows = withIndex([forged, event, event, forged], (index) => index.find({ ids: [event.id] }).rows)
    expect(rows).toEqual([forged, event])
  })

  it('knows an event only by all of it', () => {
    const event = buildEvent('one')
    withIndex([event], (index) => {
      expect(index.has(event)).toBe(true)
      expect(index.has({ ...event, sig: 'f'.repeat(128) })).toBe(false)
    })
  })

  it('counts the bytes of the JSON', () => {
    const event = buildEvent('one', { content: 'ü' })
    expect(withIndex([event], (index) => index.find({}).bytes)).toBe(Buffer.byteLength(JSON.stringify(event)))
  })

  it('takes thousands of ids and values in one filter', () => {
    const events = buildEvents(3000).map((event) => ({ ...event, tags: [['e', event.id]] }))
    const ids = events.map((event) => event.id)
    withIndex(events, (index) => {
      expect(index.find({ ids }).rows).toHaveLength(3000)
      expect(index.find({ '#e': ids }).rows).toHaveLength(3000)
    })
  })

  it('scans in batches of at most 500 rows', () => {
    const sizes = withIndex(buildEvents(1100), (index) => [...index.scan({})].map((batch) => batch.rows.length))
    expect(sizes).toEqual([500, 500, 100])
  })

  it('scans large events in smaller batches', () => {
    const events = buildEvents(5).map((event) => ({ ...event, content: 'x'.repeat(3_000_000) }))
    const sizes = withIndex(events, (index) => [...index.scan({})].map((batch) => batch.rows.length))
    expect(sizes).toEqual([2, 2, 1])
  })

  it('lets others add, find and scan in the middle of a scan, which shows what was there at its start', () => {
    withIndex(buildEvents(1200), (index) => {
      let count = 0
      for (const batch of index.scan({})) {
        index.add(buildEvent(`late ${count}`, { created_at: 1 }))
        expect(scanned(index, { limit: 3 })).toHaveLength(3)
        count += batch.rows.length
      }
      expect(count).toBe(1200)
      expect(index.find({ until: 1 }).rows).toHaveLength(3)
    })
  })

  it('has no name on disk while it is open, and leaves nothing behind', () => {
    const directory = temporaryDirectory()
    const index = new EventIndex(directory)
    index.add(buildEvent('one'))
    expect(readdirSync(directory)).toEqual([])
    index.close()
    expect(readdirSync(directory)).toEqual([])
  })

  it('says that the index failed, and where, when SQLite fails while events are loaded', async () => {
    const directory = temporaryDirectory()
    const index = new EventIndex(directory)
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    await expect(index.load(() => Promise.reject(full))).rejects.toMatchObject({
      name: 'SyncError',
      message: `index events in ${directory}: database or disk is full`,
    })
    index.close()
  })

  it('names the directory that cannot hold it', () => {
    const directory = join(temporaryDirectory(), 'missing')
    expect(() => new EventIndex(directory)).toThrow(`create a temporary index in ${directory}: no such file`)
  })
})

describe('buildIndexQuery', () => {
  it.each<Filter>([
    { ids: HEX },
    { ids: HEX, '#e': HEX, kinds: KINDS },
    { '#a': VALUES },
    { '#a': VALUES, '#e': HEX, kinds: KINDS, authors: HEX, since: 5 },
    { authors: HEX },
    { authors: HEX, kinds: KINDS, until: 5, limit: 10 },
    { kinds: [30617] },
    { kinds: KINDS, since: 5 },
    { since: 5 },
    {},
  ])('searches for %j without reading every event', (filter) => {
    const db = new Sqlite(':memory:')
    db.exec(INDEX_SCHEMA)
    const { sql, parameters } = buildIndexQuery(filter)
    const plan = db.prepare<(string | number)[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
    const details = plan.map((step) => step.detail)
    expect(details.find((detail) => detail.startsWith('SEARCH events'))).toBeDefined()
    expect(details.filter((detail) => /^SCAN (?!json_each)/.test(detail))).toEqual([])
    db.close()
  })

  it('needs no sorting for the newest of one kind', () => {
    const db = new Sqlite(':memory:')
    db.exec(INDEX_SCHEMA)
    const { sql, parameters } = buildIndexQuery({ kinds: [30617], limit: 500 })
    const plan = db.prepare<(string | number)[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
    expect(plan.map((step) => step.detail)).not.toContainEqual(expect.stringContaining('TEMP B-TREE'))
    db.close()
  })

  it('matches nothing by tags whose names no relay indexes', () => {
    const event = buildEvent('one', { tags: [['clone', 'x']] })
    expect(withIndex([event], (index) => index.find({ '#clone': ['x'] }).rows)).toEqual([])
  })

  it('gives back events that parse', () => {
    const event = buildEvent('one')
    expect(withIndex([event], (index) => index.find({}).rows.map(parseEvent))).toEqual([event])
  })
})
