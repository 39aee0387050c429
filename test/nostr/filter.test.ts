import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMatcher, tagConditions, type Filter } from '../../src/nostr/filter.ts'
import { matchesNaively } from '../support/naive-filter.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const EVENT = signEvent(keyOf('alice'), {
  kind: 1621,
  created_at: 1_000,
  tags: [['a', '30617:x:y', 'wss://relay.example'], ['t', 'bug'], ['t', 'ui'], ['e'], ['E', ''], []],
  content: '',
})
const OTHER_ID = 'f'.repeat(64)

describe('createMatcher', () => {
  it.each<[string, Filter]>([
    ['an empty filter', {}],
    ['its id', { ids: [OTHER_ID, EVENT.id] }],
    ['its author', { authors: [EVENT.pubkey] }],
    ['its kind', { kinds: [1, 1621] }],
    ['since, inclusive', { since: 1_000 }],
    ['until, inclusive', { until: 1_000 }],
    ['a window of one second', { since: 1_000, until: 1_000 }],
    ['one of the tag values', { '#t': ['nothing', 'ui'] }],
    ['two tags', { '#t': ['bug'], '#a': ['30617:x:y'] }],
    ['an empty tag value', { '#E': [''] }],
    ['a limit of zero', { limit: 0 }],
    ['a tag condition that is undefined', { '#t': undefined }],
    [
      'everything at once',
      { ids: [EVENT.id], authors: [EVENT.pubkey], kinds: [1621], since: 1, until: 2_000, '#t': ['bug'] },
    ],
  ])('takes an event by %s', (_what, filter) => expect(createMatcher(filter)(EVENT)).toBe(true))

  it.each<[string, Filter]>([
    ['another id', { ids: [OTHER_ID] }],
    ['a prefix of its id', { ids: [EVENT.id.slice(0, 32)] }],
    ['its id in upper case', { ids: [EVENT.id.toUpperCase()] }],
    ['no ids', { ids: [] }],
    ['another author', { authors: [keyOf('bob').pubkey] }],
    ['no authors', { authors: [] }],
    ['another kind', { kinds: [1] }],
    ['no kinds', { kinds: [] }],
    ['a later since', { since: 1_001 }],
    ['an earlier until', { until: 999 }],
    ['an until of zero', { until: 0 }],
    ['another tag value', { '#t': ['bugs'] }],
    ['no tag values', { '#t': [] }],
    ['the tag name in the other case', { '#T': ['bug'] }],
    ['a value in the third place', { '#a': ['wss://relay.example'] }],
    ['a tag without a value', { '#e': ['', 'undefined'] }],
    ['one of two tags', { '#t': ['bug'], '#p': ['x'] }],
    ['its kind but not its author', { kinds: [1621], authors: [OTHER_ID] }],
  ])('leaves an event by %s', (_what, filter) => expect(createMatcher(filter)(EVENT)).toBe(false))

  it('agrees with a naive reading of NIP-01', () => {
    const events = realEvents()
    const pick = <T>(values: readonly T[]) => fc.subarray([...new Set(values)], { maxLength: 4 })
    const tag = (name: string) =>
      pick(events.flatMap(({ tags }) => tags.flatMap(([n, v]) => (n === name ? [v ?? ''] : []))))
    const time = fc.constantFrom(...events.map(({ created_at }) => created_at))
    const anyFilter: fc.Arbitrary<Filter> = fc.record(
      {
        ids: pick(events.map(({ id }) => id)),
        authors: pick(events.map(({ pubkey }) => pubkey)),
        kinds: pick(events.map(({ kind }) => kind)),
        since: time,
        until: time,
        limit: fc.nat(),
        '#a': tag('a'),
        '#p': tag('p'),
        '#e': tag('e'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const matches = createMatcher(filter)
        for (const event of events) expect(matches(event)).toBe(matchesNaively(event, filter))
      }),
      { numRuns: 300 },
    )
  })
})

describe('tagConditions', () => {
  it('lists the tags of a filter without their #', () => {
    expect(tagConditions({ kinds: [1], '#a': ['x'], since: 1, '#Q': [], '#e': undefined })).toEqual([
      ['a', ['x']],
      ['Q', []],
    ])
  })
})
