import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { Page } from '../../src/relay/endpoint.ts'
import { fetchByIds } from '../../src/relay/paging/fetch-by-ids.ts'
import { idOf, makeItems, toEvent } from '../support/id-items.ts'
import { createMemoryEndpoint, pageOf, type MemoryEndpointOptions } from '../support/memory-endpoint.ts'

const items = makeItems(1_000)
const ids = items.map(({ id }) => id)

/** Fetches ids from a relay in memory; what came, and what was asked. */
async function fetchAt(wanted: readonly string[], options: MemoryEndpointOptions = {}) {
  const relay = createMemoryEndpoint({ events: items.map(toEvent), ...options })
  const events: NostrEvent[] = []
  const request = (filter: Filter): Promise<Page> => relay.request(filter)
  const fetched = await fetchByIds(wanted, { request, sink: async (batch) => void events.push(...batch) })
  return { fetched, ids: events.map(({ id }) => id).sort(), filters: relay.filters }
}

describe('fetchByIds', () => {
  it('brings every event once, at most 250 a REQ', async () => {
    const { fetched, ids: came, filters } = await fetchAt([...ids, ...ids])
    expect(came).toEqual(ids.toSorted())
    expect(fetched).toMatchObject({ reason: null, pages: 4, rows: 1_000, unserved: [] })
    expect(Math.max(...filters.map((filter) => filter.ids?.length ?? 0))).toBe(250)
  })

  it('asks nothing for no ids', async () => {
    expect((await fetchAt([])).filters).toEqual([])
  })

  it('has several REQs in flight', async () => {
    let [open, most] = [0, 0]
    await fetchAt(ids, {
      onRequest: async (_, page) => {
        most = Math.max(most, (open += 1))
        await new Promise((resolve) => setTimeout(resolve, 5))
        open -= 1
        return page
      },
    })
    expect(most).toBe(4)
  })

  it('asks again for what a capped page left out', async () => {
    const { fetched, ids: came } = await fetchAt(ids, { cap: 60 })
    expect(came).toEqual(ids.toSorted())
    expect(fetched).toMatchObject({ reason: null, rows: 1_000, unserved: [] })
  })

  it('returns what is not served', async () => {
    const unknown = [idOf('a'), idOf('b')]
    const { fetched, ids: came } = await fetchAt([...ids.slice(0, 10), ...unknown])
    expect(came).toHaveLength(10)
    expect(fetched).toMatchObject({ reason: null, unserved: unknown })
  })

  it('stops at a page that did not end with eose, and keeps what came', async () => {
    const end = { type: 'closed', reason: 'error: shutting down' } as const
    const { fetched, ids: came } = await fetchAt(ids.slice(0, 100), {
      cap: 30,
      onRequest: (_, page) => ({ ...page, end }),
    })
    expect(came).toHaveLength(30)
    expect(fetched.reason).toBe('closed: error: shutting down on a page of ids')
    expect(fetched.unserved).toHaveLength(70)
  })

  it('counts rows that are no events or not asked for, and passes every copy on: one may be forged', async () => {
    const [first, second] = items.map(toEvent)
    const { fetched, ids: came } = await fetchAt(ids.slice(0, 1), {
      onRequest: () => pageOf([first, first, second, {}, 7]),
    })
    expect(came).toEqual([ids[0], ids[0]])
    expect(fetched).toMatchObject({ rows: 2, foreign: 1, malformed: 2 })
  })
})
