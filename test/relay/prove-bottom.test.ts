import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import type { Page } from '../../src/relay/endpoint.ts'
import { createCapacity } from '../../src/relay/paging/capacity.ts'
import { drain } from '../../src/relay/paging/drain.ts'
import { proveBottom } from '../../src/relay/paging/prove-bottom.ts'
import { makeItems, toEvent, type IdItem } from '../support/id-items.ts'
import { createMemoryEndpoint, type MemoryEndpointOptions } from '../support/memory-endpoint.ts'

const FILTER: Filter = { kinds: [1621] }
const FIRST = 1_700_000_000
const items = makeItems(100, { perSecond: 4 })

/** The proof at a relay in memory whose pages were seen to hold 10 events, when it listed these items as its oldest. */
async function prove(oldest: readonly IdItem[], filter = FILTER, options: MemoryEndpointOptions = {}) {
  const relay = createMemoryEndpoint({ events: items.map(toEvent), ...options })
  const capacity = { ...createCapacity(), most: 10 }
  const request = (asked: Filter): Promise<Page> => relay.request(asked)
  const context = { request, capacity, limit: 500, sink: async () => undefined }
  const unproven = await proveBottom(
    filter,
    oldest.map(({ id }) => id),
    context,
  )
  return { unproven, filters: relay.filters, context }
}

describe('proveBottom', () => {
  it('is content when nothing is below the oldest, and no other in its second', async () => {
    const { unproven, filters } = await prove(items.slice(0, 20))
    expect(unproven).toBeUndefined()
    expect(filters).toHaveLength(3)
  })

  it('finds that a set was cut off', async () => {
    expect((await prove(items.slice(40, 60))).unproven).toEqual({ ...FILTER, until: FIRST + 10 })
  })

  it('finds that a set was cut off within the very oldest second', async () => {
    expect((await prove(items.slice(2, 20))).unproven).toEqual({ ...FILTER, until: FIRST })
  })

  it('does not need the oldest to be listed first', async () => {
    expect((await prove(items.slice(0, 20).toReversed())).unproven).toEqual({ ...FILTER, until: FIRST + 4 })
  })

  it('does not take a full page for all there is', async () => {
    expect((await prove(items.slice(0, 20), FILTER, { cap: 2 })).unproven).toBeUndefined()
    const crowd = makeItems(60, { perSecond: 60 })
    const { unproven } = await prove(crowd.slice(0, 31), FILTER, { events: crowd.slice(0, 31).map(toEvent), cap: 10 })
    expect(unproven).toEqual({ ...FILTER, until: FIRST })
  })

  it('asks for nothing below the window of the filter', async () => {
    const filter = { ...FILTER, since: FIRST + 5, until: FIRST + 20 }
    const { unproven, filters } = await prove(items.slice(20, 40), filter)
    expect(unproven).toBeUndefined()
    expect(filters).toEqual([
      { ids: [items[20]?.id], limit: 1 },
      { ...FILTER, since: FIRST + 5, until: FIRST + 5, limit: 500 },
    ])
  })

  it('takes the comparison of a single second for what it is', async () => {
    const { unproven, filters } = await prove(items.slice(0, 2), { ...FILTER, since: FIRST, until: FIRST })
    expect(unproven).toBeUndefined()
    expect(filters).toEqual([])
  })

  it('wants an empty page where nothing was listed', async () => {
    expect((await prove([])).unproven).toEqual(FILTER)
    expect((await prove([], FILTER, { events: [] })).unproven).toBeUndefined()
  })

  it('goes by what is served when the first of the oldest is not', async () => {
    const events = items.slice(1).map(toEvent)
    expect((await prove(items.slice(0, 20), FILTER, { events })).unproven).toBeUndefined()
  })

  it('leaves the whole filter when none of the oldest is served', async () => {
    const { unproven } = await prove(items.slice(0, 20), FILTER, { events: items.slice(50).map(toEvent) })
    expect(unproven).toEqual(FILTER)
  })

  it('proves nothing by a page that did not end with eose', async () => {
    const onRequest = (filter: Filter, page: Page): Page =>
      filter.ids === undefined ? { ...page, end: { type: 'idle', afterMs: 5 } } : page
    expect((await prove(items.slice(0, 20), FILTER, { onRequest })).unproven).toEqual({ ...FILTER, until: FIRST })
    expect((await prove([], FILTER, { events: [], onRequest })).unproven).toEqual(FILTER)
  })

  it('proves nothing by a relay that sends what was not asked for', async () => {
    const onRequest = (filter: Filter, page: Page): Page =>
      filter.ids === undefined ? { ...page, rows: [...page.rows, { id: 'x' }] } : page
    expect((await prove(items.slice(0, 20), FILTER, { onRequest })).unproven).toEqual({ ...FILTER, until: FIRST })
  })

  it('proves nothing by an empty page of the second in which something was listed', async () => {
    const { unproven } = await prove(items.slice(2, 20), FILTER, { sinceIsExclusive: true })
    expect(unproven).toEqual({ ...FILTER, until: FIRST })
  })

  it('learns the size of pages from the drain that it asks for', async () => {
    const { context } = await prove([])
    const fresh = { ...context, capacity: createCapacity() }
    const oldest = items.slice(0, 20).map(({ id }) => id)
    const unproven = await proveBottom(FILTER, oldest, fresh)
    expect(unproven).toEqual({ ...FILTER, until: FIRST })
    expect(await drain({ ...FILTER, until: FIRST }, fresh)).toMatchObject({ reason: null })
    expect(await proveBottom(FILTER, oldest, fresh)).toBeUndefined()
  })
})
