import { describe, expect, it } from 'vitest'

import type { Listing } from '../../src/git/git-access.ts'
import { chooseRemedy, type Findings } from '../../src/repair/choose-remedy.ts'
import { compareRefs } from '../../src/repair/compare-refs.ts'
import type { FoundState, Wanted } from '../../src/repair/read-wanted.ts'
import { readState } from '../../src/repair/wanted-refs.ts'
import { repositoryAddress, state } from '../support/builders.ts'
import { alice } from '../support/scenes.ts'

const A = 'a'.repeat(40)
const NOW = 1_000
const EVENT = state(alice, 'x', { commit: A })
const STORED: FoundState = { event: EVENT, isServed: true, isHeldBack: false, keptUntil: null }
const HELD: FoundState = { event: EVENT, isServed: false, isHeldBack: true, keptUntil: NOW + 600 }
const EMPTY: Listing = { type: 'refs', refs: new Map(), head: 'refs/heads/main', format: 'sha1' }
const WHOLE: Listing = { ...EMPTY, refs: new Map([['refs/heads/main', A]]) }
const HOLDERS = [{ url: 'https://a.example/x.git', ids: new Set([A]) }]

function remedyOf(listing: Listing, found: FoundState | null, changes: Partial<Findings> = {}) {
  const wanted: Wanted = { ...readState(EVENT), tips: new Map(), state: found }
  return chooseRemedy({
    repository: repositoryAddress(alice, 'x'),
    wanted,
    comparison: compareRefs(wanted, listing, { tips: true }),
    isBroken: false,
    holders: HOLDERS,
    absent: new Set([A]),
    isEveryoneAsked: true,
    isAnnounced: true,
    isNgitRelay: false,
    now: NOW,
    ...changes,
  })
}

describe('chooseRemedy', () => {
  it('is nothing where all is well', () => {
    expect(remedyOf(WHOLE, STORED)).toEqual({ type: 'nothing' })
  })

  it('is unknown where the target could not be asked', () => {
    expect(remedyOf({ type: 'unreachable', reason: 'x' }, STORED)).toEqual({ type: 'unknown' })
  })

  it('waits while the target holds the state back and fetches by itself', () => {
    expect(remedyOf(EMPTY, HELD)).toEqual({ type: 'target fetches', until: NOW + 600 })
  })

  it('repairs when the target no longer keeps the state', () => {
    expect(remedyOf(EMPTY, { ...HELD, keptUntil: NOW - 1 })).toEqual({ type: 'repair' })
  })

  it('repairs when the target does not have the state yet', () => {
    expect(remedyOf({ type: 'no repository', reason: '404' }, { ...STORED, isServed: false })).toEqual({
      type: 'repair',
    })
  })

  it('asks the operator where a stored state authorises no push', () => {
    expect(remedyOf(EMPTY, STORED)).toMatchObject({ type: 'operator' })
  })

  describe('at ngit-relay', () => {
    const NGIT_RELAY = { isNgitRelay: true }
    const NO_REPOSITORY: Listing = { type: 'no repository', reason: '404' }

    it('repairs: a stored state authorises a push', () => {
      expect(remedyOf(EMPTY, STORED, NGIT_RELAY)).toEqual({ type: 'repair' })
    })

    it.each<[what: string, listing: Listing, changes: Partial<Findings>]>([
      ['a surplus ref', { ...WHOLE, refs: new Map([...WHOLE.refs, ['refs/heads/old', A]]) }, {}],
      ['another HEAD', { ...WHOLE, head: 'refs/heads/old' }, {}],
      ['a broken clone', WHOLE, { isBroken: true }],
      ['no repository for an announcement that it serves', NO_REPOSITORY, {}],
    ])('asks the operator where no push helps: %s', (_, listing, changes) => {
      expect(remedyOf(listing, STORED, { ...NGIT_RELAY, ...changes })).toMatchObject({ type: 'operator' })
    })

    it('repairs when there is no repository because the announcement is not there yet', () => {
      expect(remedyOf(NO_REPOSITORY, STORED, { ...NGIT_RELAY, isAnnounced: false })).toEqual({ type: 'repair' })
    })

    it('asks the operator for branches that it lets nobody push', () => {
      const wanted: Wanted = { ...readState(EVENT), tips: new Map(), state: STORED }
      const withPull = { ...wanted, refs: new Map([...(wanted.refs ?? []), ['refs/heads/pr/one', A]]) }
      const comparison = compareRefs(withPull, WHOLE, { tips: true })
      expect(remedyOf(WHOLE, STORED, { ...NGIT_RELAY, wanted: withPull, comparison })).toMatchObject({
        command: expect.stringContaining(`+${A}:refs/heads/pr/one`) as string,
      })
    })
  })

  it('repairs when nothing but the tip of a pull request is missing', () => {
    const wanted: Wanted = { ...readState(EVENT), tips: new Map([['refs/nostr/1', A]]), state: STORED }
    const comparison = compareRefs(wanted, WHOLE, { tips: true })
    expect(remedyOf(WHOLE, STORED, { wanted, comparison })).toEqual({ type: 'repair' })
  })

  it('calls lost what every server lacks, with the ids', () => {
    expect(remedyOf(EMPTY, STORED, { holders: [] })).toEqual({ type: 'lost', ids: [A] })
  })

  it('calls nothing lost while a server was not asked', () => {
    expect(remedyOf(EMPTY, STORED, { holders: [], isEveryoneAsked: false })).toEqual({ type: 'unknown' })
  })

  it('calls nothing lost while a server did not say whether it has it', () => {
    expect(remedyOf(EMPTY, STORED, { holders: [], absent: new Set() })).toEqual({ type: 'unknown' })
  })

  it('calls lost only those that every server lacks', () => {
    const refs = new Map([
      ['refs/heads/main', A],
      ['refs/heads/next', 'b'.repeat(40)],
    ])
    const wanted: Wanted = { refs, head: null, tips: new Map(), dropped: 0, state: STORED }
    const comparison = compareRefs(wanted, EMPTY, { tips: true })
    expect(remedyOf(EMPTY, STORED, { wanted, comparison, holders: [] })).toEqual({ type: 'lost', ids: [A] })
  })

  it('needs everything again when a clone is broken behind right refs', () => {
    expect(remedyOf(WHOLE, STORED, { isBroken: true })).toMatchObject({ type: 'operator' })
    expect(remedyOf(WHOLE, STORED, { isBroken: true, holders: [] })).toEqual({ type: 'lost', ids: [A] })
  })
})
