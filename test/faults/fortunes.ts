import fc from 'fast-check'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Endpoint } from '../../src/relay/endpoint.ts'
import { SyncError } from '../../src/errors.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from '../support/memory-endpoint.ts'

/** What a source shows in one run: all it has, nothing, a part of it, or nobody answers. */
export type SourceFortune = 'whole' | 'empty' | 'partial' | 'away' | 'hangs up'

/**
 * What befell the target before a run: nothing, or it is as it was before that many runs; `wiped` even before the
 * first.
 */
export type TargetFortune = 'stays' | 'wiped' | { readonly runsBack: number }

/** One run: how long after the one before it starts, and what befell whom. */
export type Day = {
  readonly pause: number
  readonly sources: readonly SourceFortune[]
  readonly target: TargetFortune
}

const MAX_DAYS = 6

const sourceFortune = fc.oneof(
  { weight: 6, arbitrary: fc.constant<SourceFortune>('whole') },
  { weight: 2, arbitrary: fc.constantFrom<SourceFortune[]>('empty', 'partial', 'away', 'hangs up') },
)
const targetFortune = fc.oneof(
  { weight: 6, arbitrary: fc.constant<TargetFortune>('stays') },
  { weight: 1, arbitrary: fc.constant<TargetFortune>('wiped') },
  { weight: 3, arbitrary: fc.record({ runsBack: fc.integer({ min: 1, max: 4 }) }) },
)

/** Some runs in a row, within and beyond the quick window. */
export const anyDays: fc.Arbitrary<readonly Day[]> = fc.array(
  fc.record({
    pause: fc.constantFrom(60, 840, 3_600),
    sources: fc.array(sourceFortune, { minLength: 2, maxLength: 2 }),
    target: targetFortune,
  }),
  { minLength: 1, maxLength: MAX_DAYS },
)

/** A source whose database comes and goes. `partial` keeps every other event. */
export type FickleSource = Endpoint & {
  readonly shown: MemoryEndpoint['events']
  /** When it last lacked an event of its own, in a way that nobody could notice. */
  readonly lostAt: ReadonlyMap<string, number>
  /** What it shows from now on: of its events those that exist by `now`. `isKnown`: it has shown something before. */
  befall(fortune: SourceFortune, now: number, isKnown: boolean): void
}

/** A source with these events; each appears when it is signed. */
export function createFickleSource(url: string, events: readonly NostrEvent[], cap: number): FickleSource {
  const endpoint = createMemoryEndpoint({ url, cap })
  const lostAt = new Map<string, number>()
  let fortune: SourceFortune = 'whole'
  let answers = 0
  return {
    ...endpoint,
    shown: endpoint.events,
    lostAt,
    befall(next, now, isKnown) {
      fortune = next
      answers = 0
      endpoint.events.clear()
      for (const [index, event] of events.entries()) {
        if (event.created_at > now) continue
        if (isKept(index, fortune)) endpoint.events.set(event.id, event)
        else if (fortune !== 'empty' || !isKnown) lostAt.set(event.id, now)
      }
    },
    async open() {
      if (fortune === 'away') throw new SyncError(`connect to ${url}: ECONNREFUSED`)
      return endpoint.open()
    },
    async request(filter) {
      const page = await endpoint.request(filter)
      if (fortune !== 'hangs up' || (answers += 1) <= 4) return page
      return { ...page, rows: [], end: { type: 'disconnected', reason: 'connection closed (1006)' } }
    },
  }
}

function isKept(index: number, fortune: SourceFortune): boolean {
  return fortune === 'partial' ? index % 2 === 0 : fortune !== 'empty'
}
