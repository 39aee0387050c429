import { beforeAll, describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { createVerifier } from '../src/nostr/verifier.ts'
import { generateHistory } from './support/generate.ts'
import { runInProcess } from './support/in-process.ts'
import type { Filter } from '../src/nostr/filter.ts'
import type { Page } from '../src/relay/endpoint.ts'
import { createMemoryEndpoint } from './support/memory-endpoint.ts'
import { createRounds } from './support/rounds.ts'
import { openTemporaryState } from './support/temporary-state.ts'

/** 450 small repositories: five filters of each sort, and three pieces of the spool. */
const HISTORY = [...generateHistory({ repositories: 450, rootsPerRepository: 1, commentsPerRoot: 2 })]

beforeAll(async () => {
  // Loads what verification needs: that is no waiting for a relay.
  const verifier = createVerifier({ workers: 0 })
  await verifier.verify(HISTORY.slice(0, 1))
  await verifier.close()
})

/** One run between relays that answer a round trip later. */
async function runFarAway(held: readonly NostrEvent[]) {
  const rounds = createRounds()
  const onRequest = (_: Filter, page: Page): Promise<Page> => rounds.answer(page)
  const source = createMemoryEndpoint({ url: 'ws://source.example', events: HISTORY, cap: 500, onRequest })
  const target = createMemoryEndpoint({ url: 'ws://target.example', events: held, cap: 500, onRequest })
  const { state } = openTemporaryState()
  const report = await runInProcess({ sources: [source], target, state })
  return { report, target, rounds }
}

describe('a run between relays that are far away', () => {
  it('waits for few round trips when it copies everything', async () => {
    const { report, target, rounds } = await runFarAway([])
    expect([report.totals.accepted, target.events.size]).toEqual([HISTORY.length, HISTORY.length])
    expect(rounds.count).toBeLessThanOrEqual(18)
  })

  it('waits for few round trips when nothing is missing', async () => {
    const { report, rounds } = await runFarAway(HISTORY)
    expect(report.totals.published).toBe(0)
    expect(rounds.count).toBeLessThanOrEqual(15)
  })
})
