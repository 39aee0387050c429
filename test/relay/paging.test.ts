import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { End, Page } from '../../src/relay/endpoint.ts'
import { createCapacity, type Capacity } from '../../src/relay/paging/capacity.ts'
import { describeEnd } from '../../src/relay/describe-end.ts'
import { drain, type Drain } from '../../src/relay/paging/drain.ts'
import { createMemoryEndpoint, pageOf, type MemoryEndpointOptions } from '../support/memory-endpoint.ts'
import { matchesNaively } from '../support/naive-filter.ts'

const AUTHORS = ['a', 'b'].map((digit) => digit.repeat(64))
const SIG = 'f'.repeat(128)

type Draft = Partial<Pick<NostrEvent, 'kind' | 'created_at' | 'pubkey' | 'sig'>> & {
  readonly refers?: readonly string[]
}

/** An unsigned event, for paging verifies nothing; `number` makes its id. */
function eventOf(number: number, { refers = ['x'], ...draft }: Draft = {}): NostrEvent {
  return {
    id: number.toString(16).padStart(64, '0'),
    pubkey: AUTHORS[0] ?? '',
    created_at: 10,
    kind: 1621,
    tags: refers.map((value) => ['a', value]),
    content: '',
    sig: SIG,
    ...draft,
  }
}

/** As many events as there are seconds, one in each. */
function eventsAt(...seconds: readonly number[]): NostrEvent[] {
  return seconds.map((created_at, index) => eventOf(index + 1, { created_at }))
}

type Reading = { readonly drain: Drain; readonly got: ReadonlySet<string>; readonly handed: readonly NostrEvent[] }
type ReadOptions = MemoryEndpointOptions & { readonly limit?: number; readonly capacity?: Capacity }

const ALL: Filter = { '#a': ['x'] }

async function read(filter: Filter, { limit = 500, capacity = createCapacity(), ...options }: ReadOptions) {
  const endpoint = createMemoryEndpoint(options)
  return { ...(await readAt(endpoint, filter, { limit, capacity })), filters: endpoint.filters }
}

async function readAt(
  endpoint: { request(filter: Filter): Promise<Page> },
  filter: Filter,
  { limit, capacity }: { limit: number; capacity: Capacity },
): Promise<Reading> {
  const handed: NostrEvent[] = []
  const sink = async (events: readonly NostrEvent[]): Promise<void> => void handed.push(...events)
  const result = await drain(filter, { request: (asked) => endpoint.request(asked), sink, capacity, limit })
  return { drain: result, got: new Set(handed.map(({ id }) => id)), handed }
}

const idsOf = (events: Iterable<NostrEvent>): Set<string> => new Set([...events].map(({ id }) => id))

/** Answers page after page from a list, and the last one for ever. */
function playing(...pages: readonly Page[]): MemoryEndpointOptions {
  let asked = 0
  return { onRequest: () => pages[Math.min((asked += 1), pages.length) - 1] ?? pageOf([]) }
}

describe('drain', () => {
  it('ends with an eose on an empty page below the oldest second', async () => {
    const { drain: result, filters } = await read(ALL, { events: eventsAt(30, 20, 10) })
    expect(result.reason).toBeNull()
    expect(filters.map(({ until }) => until)).toEqual([undefined, 10, 9])
  })

  it('asks the first page without `until`, so that events of the future come too', async () => {
    const future = eventsAt(4_000_000_000)
    const { got } = await read(ALL, { events: future })
    expect(got).toEqual(idsOf(future))
  })

  it('asks the oldest second again inclusively, so that a second cut in two is read on', async () => {
    const { drain: result, got } = await read(ALL, { events: eventsAt(30, 20, 20, 20, 10), cap: 4 })
    expect([result.reason, got.size]).toEqual([null, 5])
  })

  it('never takes a page that is shorter than its limit for the end', async () => {
    const { drain: result, got } = await read(ALL, { events: eventsAt(50, 40, 30, 20, 10), cap: 2, limit: 500 })
    expect([result.reason, got.size]).toEqual([null, 5])
  })

  it('ends behind its sink, also when a page cannot be had', async () => {
    const endpoint = createMemoryEndpoint({ events: eventsAt(30, 20, 10) })
    let [asked, taken] = [0, 0]
    const request = (filter: Filter): Promise<Page> => {
      asked += 1
      return asked === 1 ? endpoint.request(filter) : Promise.reject(new Error('the relay is lost'))
    }
    const sink = async (events: readonly NostrEvent[]): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      taken += events.length
    }
    const reading = drain(ALL, { request, sink, capacity: createCapacity(), limit: 500 })
    await expect(reading).rejects.toThrow('the relay is lost')
    expect(taken).toBe(3)
  })

  it('rejects with the error of its sink, also of a page that is said to be the last', async () => {
    const last: Page = { ...pageOf(eventsAt(30)), end: { type: 'eose', hint: 'finish' } }
    const sink = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error('no room')
    }
    const reading = drain(ALL, { request: async () => last, sink, capacity: createCapacity(), limit: 500 })
    await expect(reading).rejects.toThrow('no room')
  })

  it('takes an empty answer to the first page for empty', async () => {
    const { drain: result } = await read(ALL, {})
    expect(result).toEqual({ reason: null, pages: 1, rows: 0, bytes: 2, malformed: 0, foreign: 0 })
  })

  it('sends limit with each REQ, and the bounds of the filter', async () => {
    const { filters } = await read({ ...ALL, since: 5, until: 40 }, { events: eventsAt(50, 40, 30, 4), limit: 7 })
    expect(filters[0]).toEqual({ ...ALL, since: 5, until: 40, limit: 7 })
    expect(filters.slice(1).map(({ since, until }) => [since, until])).toEqual([
      [5, 30],
      [5, 29],
    ])
  })

  it('reads on in the second that a page has cut in two where `until` is exclusive, as at nostr-relay 1.14', async () => {
    const events = eventsAt(31, 30, 20, 20, 20, 10)
    const { drain: result, got, filters } = await read(ALL, { events, cap: 4, untilIsExclusive: true })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
    expect(filters.map(({ until }) => until)).toEqual([undefined, 20, 21, 11, 10])
  })

  it('reads the second of `until` itself where `until` is exclusive', async () => {
    const { got } = await read({ ...ALL, until: 20 }, { events: eventsAt(30, 21, 20), untilIsExclusive: true })
    expect(got).toEqual(idsOf(eventsAt(30, 21, 20).slice(2)))
  })

  it('asks no more than once how a relay takes `until`', async () => {
    const endpoint = createMemoryEndpoint({ events: eventsAt(30, 20), untilIsExclusive: true })
    const capacity = createCapacity()
    await readAt(endpoint, ALL, { limit: 500, capacity })
    await readAt(endpoint, ALL, { limit: 500, capacity })
    expect(endpoint.filters.map(({ until }) => until)).toEqual([undefined, 20, 21, 20, undefined, 21, 20])
  })

  it('asks again when nothing of the second in which a page ended comes, goes on when it is gone, and is not drained', async () => {
    const [newest, oldest] = eventsAt(30, 20)
    const { drain: result, filters } = await read(ALL, playing(pageOf([newest, oldest]), pageOf([]), pageOf([])))
    expect(filters.map(({ until }) => until)).toEqual([undefined, 20, 21, 19, 20])
    expect(result.reason).toBe('page 2 lacks the second in which the page before it ended')
  })

  it('does not miss a row again that was no event', async () => {
    const [newest] = eventsAt(30)
    const rows = [newest, { ...eventOf(2, { created_at: 20 }), sig: 'none' }]
    const { drain: result } = await read(ALL, playing(pageOf(rows), pageOf([]), pageOf([])))
    expect([result.reason, result.malformed]).toEqual([null, 1])
  })

  it('reads events with created_at 0 and never asks below 0', async () => {
    const events = [...eventsAt(5, 0), eventOf(9, { created_at: 0 })]
    const { drain: result, got, filters } = await read(ALL, { events })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
    expect(Math.min(...filters.map(({ until = 0 }) => until))).toBe(0)
  })

  it('reads timestamps in milliseconds like any others', async () => {
    const events = eventsAt(1_750_000_000_000, 1_750_000_000)
    const { drain: result, got } = await read(ALL, { events })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
  })

  it('hands each event over once although pages overlap', async () => {
    const { handed } = await read(ALL, { events: eventsAt(30, 20, 20, 20, 10, 10), cap: 4 })
    expect(handed.map(({ id }) => id)).toHaveLength(6)
  })

  it('counts rows once, pages and bytes as often as they came', async () => {
    const events = eventsAt(30, 20)
    const { drain: result } = await read(ALL, { events })
    const bytes = [events, events.slice(1), []].map((rows) => Buffer.byteLength(JSON.stringify(rows)))
    expect(result).toMatchObject({ pages: 3, rows: 2, bytes: bytes.reduce((a, b) => a + b) })
  })

  it('hands over the true event although a forged copy of the same id stood on the page before', async () => {
    const forged = eventOf(2, { created_at: 20, sig: 'e'.repeat(128) })
    const genuine = eventOf(2, { created_at: 20 })
    const { handed } = await read(
      ALL,
      playing(pageOf([eventOf(1, { created_at: 30 }), forged]), pageOf([genuine]), pageOf([])),
    )
    expect(handed).toContainEqual(genuine)
  })
})

describe('drain says why a filter was not read to its bottom', () => {
  const ends: readonly [End, string][] = [
    [{ type: 'closed', reason: 'error: shutting down' }, 'closed: error: shutting down on page 2'],
    [{ type: 'idle', afterMs: 30_000 }, 'idle 30 s on page 2'],
    [{ type: 'disconnected', reason: 'connection closed (1006)' }, 'disconnected: connection closed (1006) on page 2'],
    [{ type: 'aborted', reason: 'interrupted' }, 'interrupted on page 2'],
  ]

  it.each(ends)('when a page ends %j', async (end, reason) => {
    const second = { ...pageOf([]), end }
    expect((await read(ALL, playing(pageOf(eventsAt(30, 20)), second))).drain.reason).toBe(reason)
  })

  it.each(ends)('when the empty page at the bottom ends %j', async (end) => {
    const pages = [pageOf(eventsAt(30, 20)), pageOf(eventsAt(30, 20).slice(1)), { ...pageOf([]), end }]
    expect((await read(ALL, playing(...pages))).drain.reason).toBe(`${describeEnd(end)} on page 3`)
  })

  it.each(ends)('and still hands over the rows of the page that ends %j', async (end) => {
    const events = eventsAt(30, 20)
    expect((await read(ALL, playing({ ...pageOf(events), end }))).got).toEqual(idsOf(events))
  })

  it.each(ends)('when a part of a split second ends %j', async (end) => {
    const events = [eventOf(1), eventOf(2, { refers: ['y'] }), eventOf(3)]
    const { drain: result } = await read(
      { '#a': ['x', 'y'] },
      {
        events,
        cap: 2,
        onRequest: (filter, page) => (filter['#a']?.length === 1 ? { ...page, end } : page),
      },
    )
    expect(result.reason).toBe(describeEnd(end))
  })
})

describe('drain at a relay that misbehaves', () => {
  it('does not take a second for whole because an exclusive `since` shows nothing of it', async () => {
    const events = Array.from({ length: 10 }, (_, n) => eventOf(n + 1, { created_at: 20 }))
    const { drain: result } = await read({ '#a': ['x', 'y'] }, { events, cap: 5, sinceIsExclusive: true })
    expect(result.reason).toMatch(/^more events in second 20 than a page holds \(5\)/)
  })

  it('does not take a second for whole because pages hold more when less is asked for', async () => {
    const events = Array.from({ length: 10 }, (_, n) => eventOf(n + 1, { created_at: 20 }))
    const isOverCap = (filter: Filter): boolean => (filter.limit ?? Infinity) > 20
    const { drain: result } = await read(ALL, {
      events,
      // khatru above badger with MaxLimit 20
      onRequest: (filter, { rows }) => pageOf(rows.slice(0, isOverCap(filter) ? 5 : 20)),
    })
    expect(result.reason).toMatch(/^more events in second 20 than a page holds \(5\)/)
  })

  it('reads what values that begin alike disturb, by one value at a time where a page does not hold them', async () => {
    // khatru above badger: an index entry is found by the beginning of its value, in the order of the values.
    const events = ['x', 'x-y', 'xz'].flatMap((value, v) =>
      Array.from({ length: 6 }, (_, n) => eventOf(v * 10 + n + 1, { created_at: 100 - n * 5 - v, refers: [value] })),
    )
    const entriesOf = (asked: string, until: number): NostrEvent[] =>
      ['xz', 'x', 'x-y'].flatMap((value) =>
        events.filter(({ tags, created_at }) => {
          const isFound = value === asked ? created_at <= until : value === 'x-y' && asked === 'x'
          return tags[0]?.[1] === value && (isFound || (value === 'xz' && asked === 'x' && until === Infinity))
        }),
      )
    const anything = Array.from({ length: 40 }, (_, n) => eventOf(100 + n, { created_at: 500 - n }))
    const withCap = (cap: number): ReadOptions => ({
      onRequest: ({ '#a': values, until = Infinity, limit = 500 }) => {
        const found = values?.flatMap((value) => entriesOf(value, until)) ?? anything
        return pageOf(found.slice(0, Math.min(limit, cap)))
      },
    })
    const whole = await read({ '#a': ['x', 'x-y'] }, withCap(20))
    expect([whole.drain.reason, whole.got]).toEqual([null, idsOf(events.slice(0, 12))])
    const cut = await read({ '#a': ['x', 'x-y'] }, withCap(13))
    expect([cut.drain.foreign, cut.drain.reason]).toEqual([0, expect.stringContaining('may be cut off')])
  })

  it('takes no page of identifiers for whole that brings what begins alike', async () => {
    // khatru above badger gives as many rows as addresses are named: the newer `x-y` takes the place of `x`.
    const [asked, other] = ['x', 'x-y'].map((d, n) => ({ ...eventOf(n, { created_at: 10 + n }), tags: [['d', d]] }))
    const { drain: result, got } = await read(
      { kinds: [1621], '#d': ['x'] },
      { onRequest: (filter) => pageOf(filter['#d'] === undefined ? [other, asked] : [other]) },
    )
    expect([result.reason, got.size]).toEqual([expect.stringContaining('may be cut off'), 0])
  })

  it('reads on past rows whose value stands under another tag, and drops them', async () => {
    const events = [30, 20, 10].map((created_at, n) => eventOf(n + 1, { created_at }))
    const wanted = { ...eventOf(9, { created_at: 15 }), tags: [['A', 'x']] }
    const { drain: result, got } = await read(
      { '#A': ['x'] },
      {
        // khatru above badger does not look at the names of tags.
        onRequest: ({ until = Infinity }) =>
          pageOf([...events.slice(0, 2), wanted, ...events.slice(2)].filter((event) => event.created_at <= until)),
      },
    )
    expect([result.reason, result.foreign, got]).toEqual([null, 0, new Set([wanted.id])])
  })

  it('ends when `until` is ignored', async () => {
    const { drain: result } = await read(ALL, playing(pageOf(eventsAt(30, 20, 10))))
    expect(result.reason).toBe('page 3 brought only what was not asked for')
  })

  it('ends when one page of one second is repeated for ever', async () => {
    const { drain: result } = await read(ALL, playing(pageOf(eventsAt(10, 10))))
    expect(result.reason).toMatch(/brought only what was not asked for$/)
  })

  it('ends when pages are not in descending order', async () => {
    const { drain: result } = await read(ALL, playing(pageOf(eventsAt(10, 30)), pageOf([])))
    expect(result.reason).toBe('page 1 is not in descending order')
  })

  it('does not end early when rows that were not asked for hide behind a full page', async () => {
    const newer = eventsAt(30)
    const foreign = [eventOf(8, { refers: ['other'] }), eventOf(9, { refers: ['other'] })]
    const pages = [pageOf([...newer, ...foreign]), pageOf([...newer, ...foreign]), pageOf(foreign)]
    expect((await read(ALL, playing(...pages))).drain.reason).toBe('page 3 brought only what was not asked for')
  })

  it('drops and counts what was not asked for', async () => {
    const foreign = eventOf(9, { refers: ['other'], created_at: 30 })
    const { drain: result, got } = await read(ALL, {
      events: eventsAt(30, 20),
      onRequest: (_, page) => (page.rows.length > 0 ? pageOf([foreign, ...page.rows]) : page),
    })
    expect([result.reason, result.foreign, got.has(foreign.id)]).toEqual([null, 3, false])
  })

  it('drops and counts rows that are no events', async () => {
    const { drain: result, got } = await read(ALL, {
      events: eventsAt(30, 29, 28, 27, 20),
      onRequest: (_, page) => (page.rows.length > 0 ? pageOf([...page.rows, null, { id: 'x' }]) : page),
    })
    expect([result.reason, result.malformed, got.size]).toEqual([null, 4, 5])
  })

  it('does not take a page of nothing but broken rows for the end', async () => {
    const { drain: result } = await read(ALL, playing(pageOf(eventsAt(30, 20)), pageOf([null, 7]), pageOf([])))
    expect(result.reason).toBe('page 2 brought only what was not asked for')
  })

  it('counts broken rows as rows when it asks whether a second was cut off', async () => {
    const rows = (...events: readonly NostrEvent[]): Page => pageOf([...events, null, null])
    const [first, second] = [eventOf(1), eventOf(2)]
    // Four rows a page, two of them broken: the third event of the second never shows.
    const { drain: result } = await read(ALL, {
      onRequest: ({ until = 10, since }) => (until < 10 || since === 11 ? pageOf([]) : rows(first, second)),
    })
    expect(result.reason).toMatch(/^more events in second 10 than a page holds/)
  })

  it('does not believe in larger pages because rows that were not asked for made one large', async () => {
    const foreign = [5, 6, 7].map((number) => eventOf(number, { refers: ['other'], created_at: 30 }))
    const events = [eventOf(1, { created_at: 30 }), eventOf(2), eventOf(3), eventOf(4)]
    const { drain: result } = await read(ALL, {
      events,
      cap: 2,
      onRequest: (filter, page) =>
        filter['#a'] !== undefined && filter.until === undefined ? pageOf([...page.rows, ...foreign]) : page,
    })
    expect(result.reason).toMatch(/^more events in second 10 than a page holds/)
  })

  it('takes more rows than the limit for what they are', async () => {
    const { drain: result, got } = await read(ALL, {
      events: eventsAt(30, 20, 10),
      limit: 2,
      onRequest: ({ until = 30 }) => pageOf(eventsAt(30, 20, 10).filter(({ created_at: at }) => at <= until)),
    })
    expect([result.reason, got.size]).toEqual([null, 3])
  })
})

describe('pages that become smaller during a run', () => {
  const crowd = Array.from({ length: 8 }, () => 20)

  it('prove no second whole by what they held before', async () => {
    const capacity = createCapacity()
    const events = eventsAt(60, 50, 40, 30, ...crowd)
    expect((await read(ALL, { events, cap: 12, capacity })).drain.reason).toBeNull()
    for (const below of [[], [10]]) {
      const { drain: result } = await read(ALL, { events: [...events, ...eventsAt(...below)], cap: 3, capacity })
      expect(result.reason).toMatch(/^more events in (?:second 20 than a page holds|one second than a page may hold)/)
    }
  })

  it('are no reason to doubt a second with fewer events than they hold', async () => {
    const capacity = createCapacity()
    await read(ALL, { events: eventsAt(60, 50, 40, 30, 20), cap: 5, capacity })
    const events = eventsAt(60, 50, 40, 30, 20, 20)
    const { drain: result, got } = await read(ALL, { events, cap: 3, capacity })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
  })

  it('are not seen where an event only came below one in between', async () => {
    const capacity = createCapacity()
    await read(ALL, { events: eventsAt(60, 50, 40, 30, 20), cap: 5, capacity })
    const endpoint = createMemoryEndpoint({ events: eventsAt(60, 50) })
    const late = eventOf(9, { created_at: 5 })
    const request = async (filter: Filter): Promise<Page> => {
      const page = await endpoint.request(filter)
      endpoint.events.set(late.id, late)
      return page
    }
    const { drain: result, got } = await readAt({ request }, ALL, { limit: 500, capacity })
    expect([result.reason, got.size, capacity.cutAt]).toEqual([null, 3, Infinity])
  })
})

describe('a second with more events than a page holds', () => {
  const crowd = (count: number, draft: (index: number) => Draft = () => ({})): NostrEvent[] =>
    Array.from({ length: count }, (_, index) => eventOf(index + 1, draft(index)))

  it('is a gap when nothing can split it', async () => {
    const { drain: result } = await read({ kinds: [1621], '#a': ['x'] }, { events: crowd(8), cap: 5 })
    expect(result.reason).toMatch(
      /^more events in second 10 than a page holds \(5\), of #a x: NIP-77 there or larger pages/,
    )
  })

  it('is not the end: what lies below is read', async () => {
    const below = eventOf(99, { created_at: 5 })
    const { drain: result, got } = await read(ALL, { events: [...crowd(8), below], cap: 5 })
    expect([result.reason !== null, got.has(below.id)]).toEqual([true, true])
  })

  it('is read whole when tag values split it', async () => {
    const values = ['p', 'q', 'r', 's']
    const events = crowd(12, (index) => ({ refers: [values[index % 4] ?? ''] }))
    const { drain: result, got } = await read({ '#a': values }, { events, cap: 5 })
    expect([result.reason, got.size]).toEqual([null, 12])
  })

  it('is read whole when kinds split it', async () => {
    const kinds = [1617, 1618, 1621]
    const events = crowd(12, (index) => ({ kind: kinds[index % 3] ?? 0 }))
    const { drain: result, got } = await read({ kinds, '#a': ['x'] }, { events, cap: 5 })
    expect([result.reason, got.size]).toEqual([null, 12])
  })

  it('is read whole when authors split it', async () => {
    const events = crowd(8, (index) => ({ pubkey: AUTHORS[index % 2] ?? '' }))
    const { drain: result, got } = await read({ authors: AUTHORS }, { events, cap: 5 })
    expect([result.reason, got.size]).toEqual([null, 8])
  })

  it('is looked through kind by kind where any kind was asked, which proves nothing', async () => {
    const kinds = [1617, 1618, 1621, 1111]
    const events = crowd(12, (index) => ({ kind: kinds[index % 4] ?? 0 }))
    const { drain: result, got } = await read(ALL, { events, cap: 5 })
    expect(result.reason).toMatch(/^more events in second 10 than a page holds \(5\)/)
    expect(got.size).toBe(12)
  })

  it('is closed when the relay has shown a larger page', async () => {
    const events = [
      ...crowd(3),
      ...eventsAt(30, 31, 32, 33).map((event, index) => ({ ...event, id: `${index}`.repeat(64) })),
    ]
    const { drain: result, got } = await read(ALL, { events, cap: 5 })
    expect([result.reason, got.size]).toEqual([null, 7])
  })

  it('is closed when the relay, asked for anything, shows a larger page', async () => {
    const others = crowd(6, () => ({ kind: 1 })).map((event, index) => ({ ...event, id: `${index}`.repeat(64) }))
    const { drain: result, filters } = await read({ kinds: [1621] }, { events: [...crowd(3), ...others] })
    expect(result.reason).toBeNull()
    expect(filters).toContainEqual({ since: 0, limit: 4 })
  })

  it('is closed for filters that are read at the same time, by one and the same answer', async () => {
    const others = crowd(6, () => ({ kind: 1 })).map((event, index) => ({ ...event, id: `${index}`.repeat(64) }))
    const endpoint = createMemoryEndpoint({
      events: [...crowd(3), ...others],
      onRequest: (_, page) => new Promise((resolve) => setImmediate(resolve, page)),
    })
    const capacity = createCapacity()
    const readings = await Promise.all(
      [1, 2, 3].map(() => readAt(endpoint, { kinds: [1621] }, { limit: 500, capacity })),
    )
    expect(readings.map((reading) => reading.drain.reason)).toEqual([null, null, null])
    expect(endpoint.filters.filter(({ kinds }) => kinds === undefined)).toEqual([{ since: 0, limit: 4 }])
  })

  it('is not closed when it is our own limit that cuts it off', async () => {
    const { drain: result } = await read({ kinds: [1621] }, { events: crowd(8), cap: 100, limit: 5 })
    expect(result.reason).toMatch(/^more events in second 10 than a page holds/)
  })

  it('is closed at a relay that never showed more than one event', async () => {
    expect((await read(ALL, { events: crowd(1) })).drain.reason).toBeNull()
  })

  it('is open at a relay that shows one event a page, and more than one in all', async () => {
    const { drain: result } = await read(ALL, { events: [...crowd(2), eventOf(9, { created_at: 5 })], cap: 1 })
    expect(result.reason).not.toBeNull()
  })
})

describe('for any events, page cap and limit', () => {
  const event = fc.record({
    second: fc.constantFrom(0, 1, 2, 3, 4_000_000_000),
    kind: fc.constantFrom(1, 7, 1111, 1617, 1621),
    author: fc.constantFrom(...AUTHORS),
    refers: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
  })
  const events = fc
    .array(event, { maxLength: 24 })
    .map((drafts) =>
      drafts.map(({ second, kind, author, refers }, index) =>
        eventOf(index + 1, { created_at: second, kind, pubkey: author, refers }),
      ),
    )
  const values = fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { minLength: 1 })
  const bounds = fc.record(
    { since: fc.constantFrom(0, 1, 2), until: fc.constantFrom(2, 3, 4_000_000_000) },
    { requiredKeys: [] },
  )
  const condition = fc.oneof(
    values.map((a): Filter => ({ '#a': a })),
    fc.uniqueArray(fc.constantFrom(1, 1111, 1617, 1621), { minLength: 1 }).map((kinds): Filter => ({ kinds })),
    fc.tuple(values, fc.constantFrom(1111, 1621)).map(([a, kind]): Filter => ({ '#a': a, kinds: [kind] })),
    fc.uniqueArray(fc.constantFrom(...AUTHORS), { minLength: 1 }).map((authors): Filter => ({ authors })),
  )
  const filters = fc.array(
    fc.tuple(condition, bounds).map(([filter, window]): Filter => ({ ...filter, ...window })),
    { minLength: 1, maxLength: 4 },
  )
  const cap = fc.integer({ min: 1, max: 9 })
  const limit = fc.integer({ min: 1, max: 9 })
  const runs = { numRuns: 3_000 }

  it('a filter that is called drained was handed over whole, in a bounded number of pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        filters,
        cap,
        limit,
        fc.boolean(),
        async (held, asked, pageCap, pageLimit, exclusive) => {
          const endpoint = createMemoryEndpoint({ events: held, cap: pageCap, untilIsExclusive: exclusive })
          const capacity = createCapacity()
          for (const filter of asked) {
            const before = endpoint.filters.length
            const { drain: result, got } = await readAt(endpoint, filter, { limit: pageLimit, capacity })
            expect(endpoint.filters.length - before).toBeLessThan(400)
            // The one exception: nobody can tell a relay that holds four events from one that shows no more than four.
            if (result.reason !== null || capacity.shown.size <= capacity.assumed) continue
            const wanted = idsOf(held.filter((each) => matchesNaively(each, filter)))
            expect(got).toEqual(wanted)
          }
        },
      ),
      runs,
    )
  })

  it('nothing stays open at a relay whose pages hold more than any second has', async () => {
    await fc.assert(
      fc.asyncProperty(events, filters, async (held, asked) => {
        const others = Array.from({ length: held.length + 1 }, (_, index) => eventOf(1_000 + index, { kind: 30_000 }))
        const endpoint = createMemoryEndpoint({ events: [...held, ...others] })
        const capacity = createCapacity()
        for (const filter of asked) {
          expect((await readAt(endpoint, filter, { limit: 500, capacity })).drain.reason).toBeNull()
        }
      }),
      { numRuns: 500 },
    )
  })

  it('comes to an end at a relay that answers anything at all', async () => {
    const row = fc.oneof(
      event.map(({ second, kind, author, refers }) =>
        eventOf(second + kind, { created_at: second, kind, pubkey: author, refers }),
      ),
      fc.constantFrom<unknown>(null, 7, 'row', {}, { id: 'x' }),
    )
    const end = fc.constantFrom<End>({ type: 'eose' }, { type: 'idle', afterMs: 1 })
    const page = fc
      .tuple(fc.array(row, { maxLength: 6 }), end)
      .map(([rows, ended]): Page => ({ rows, end: ended, bytes: 1 }))
    await fc.assert(
      fc.asyncProperty(fc.array(page, { minLength: 1, maxLength: 5 }), filters, async (pages, [filter = {}]) => {
        let asked = 0
        const request = async (): Promise<Page> => pages[(asked += 1) % pages.length] ?? pageOf([])
        await readAt({ request }, filter, { limit: 5, capacity: createCapacity() })
        expect(asked).toBeLessThan(1_000)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('describeEnd', () => {
  it.each<[End, string]>([
    [{ type: 'eose' }, 'eose'],
    [{ type: 'closed', reason: 'auth-required: no' }, 'closed: auth-required: no'],
    [{ type: 'idle', afterMs: 1_500 }, 'idle 1.5 s'],
    [{ type: 'disconnected', reason: 'ECONNRESET' }, 'disconnected: ECONNRESET'],
    [{ type: 'aborted', reason: 'page over 10 rows' }, 'page over 10 rows'],
  ])('says %j', (end, text) => expect(describeEnd(end)).toBe(text))
})

describe('a relay that says whether its rows are the last (NIP-67)', () => {
  type Hint = 'finish' | 'more'

  /** Pages of three, each ended with what `hintOf` says of its rows. */
  async function readHinted(
    events: readonly NostrEvent[],
    hintOf: (rows: number, isLast: boolean) => Hint | undefined,
  ) {
    const endpoint = createMemoryEndpoint({ events, cap: 3 })
    const request = async (filter: Filter): Promise<Page> => {
      const page = await endpoint.request(filter)
      const below = events.filter(({ created_at }) => created_at <= (filter.until ?? Infinity))
      const hint = hintOf(page.rows.length, page.rows.length === below.length)
      return { ...page, end: { type: 'eose', ...(hint !== undefined && { hint }) } }
    }
    return readAt({ request }, ALL, { limit: 3, capacity: createCapacity() })
  }

  it('is believed: no page is asked for below its last rows', async () => {
    const { drain: whole, got } = await readHinted(eventsAt(5, 4, 3), () => 'finish')
    expect([whole.reason, whole.pages, got.size]).toEqual([null, 1, 3])
  })

  it('is read on while it says that there is more', async () => {
    const events = eventsAt(9, 8, 7, 6, 5)
    const { drain: whole, got } = await readHinted(events, (_, isLast) => (isLast ? 'finish' : 'more'))
    expect([whole.reason, got]).toEqual([null, idsOf(events)])
  })

  it('leaves a gap where it says so of an empty page', async () => {
    const { drain: whole } = await readHinted(eventsAt(5, 4), (rows) => (rows === 0 ? 'more' : undefined))
    expect(whole.reason).toMatch(/is empty, and the relay says that there is more/)
  })

  it('proves nothing by the end of a page without rows at the boundary', async () => {
    const { drain: whole } = await readHinted([], (rows) => (rows === 0 ? 'more' : 'finish'))
    expect(whole.reason).not.toBeNull()
  })

  it('closes a second that fills a page', async () => {
    const { drain: whole, got } = await readHinted(eventsAt(5, 5, 5), () => 'finish')
    expect([whole.reason, got.size]).toEqual([null, 3])
  })
})

/** Pages that are full after `room` rows: what is older is read over, and no second is torn. */
function cutting(options: MemoryEndpointOptions, room: number) {
  const endpoint = createMemoryEndpoint(options)
  const request = async (filter: Filter): Promise<Page> => {
    const page = await endpoint.request(filter)
    const rows = page.rows as readonly NostrEvent[]
    const oldest = rows[room - 1]?.created_at ?? -1
    const kept = rows.filter(({ created_at }) => created_at >= oldest)
    return kept.length === rows.length ? page : { ...page, rows: kept, readOver: rows.length - kept.length }
  }
  return { request, filters: endpoint.filters }
}

describe('a page that was cut for its bytes', () => {
  it('is followed by a smaller one below its last second, and pages grow again', async () => {
    const events = eventsAt(...Array.from({ length: 60 }, (_, index) => 1_000 - index))
    const { request, filters } = cutting({ events }, 10)
    const endpoint = { request: (filter: Filter) => request(filter) }
    const { drain: result, got } = await readAt(endpoint, ALL, { limit: 40, capacity: createCapacity() })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
    expect(filters.slice(0, 2)).toMatchObject([{ limit: 40 }, { limit: 10, until: 990 }])
    expect(filters.slice(2, 5).map(({ limit }) => limit)).toEqual([15, 10, 15])
  })

  it('is not the last one, although the relay says so of all that it sent (NIP-67)', async () => {
    const events = eventsAt(40, 30, 20, 10)
    const { request } = cutting({ events }, 2)
    const finished = async (filter: Filter): Promise<Page> => ({
      ...(await request(filter)),
      end: { type: 'eose', hint: 'finish' },
    })
    const { drain: result, got } = await readAt({ request: finished }, ALL, { limit: 40, capacity: createCapacity() })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
  })

  it('does not make a second that fills the small page after it a whole one', async () => {
    const events = [40, 39, 20, 20, 20, 20, 10].map((created_at, index) => eventOf(index + 1, { created_at }))
    const { request } = cutting({ events }, 2)
    const { drain: result, got } = await readAt({ request }, ALL, { limit: 6, capacity: createCapacity() })
    expect([result.reason, got]).toEqual([null, idsOf(events)])
  })

  it('loses nothing, wherever it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(12), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 2, max: 40 }),
        async (seconds, room, cap) => {
          const events = seconds.map((created_at, index) => eventOf(index + 1, { created_at }))
          const { request } = cutting({ events, cap }, room)
          const { drain: result, got } = await readAt({ request }, ALL, { limit: 40, capacity: createCapacity() })
          if (result.reason === null) expect(got).toEqual(idsOf(events))
          const most = Math.max(0, ...seconds.map((second) => seconds.filter((each) => each === second).length))
          if (most < cap) expect(result.reason).toBeNull()
        },
      ),
    )
  })
})
