import { verifyEvent } from 'nostr-tools/pure'
import { describe, expect, it } from 'vitest'

import { announcement, comment, deletion, issue, repositoryAddress, state, status } from './builders.ts'
import { generateHistory, historySize } from './generate.ts'
import { buildSignedFixture, readFixture } from './make-signed-fixture.ts'
import { matchesNaively } from './naive-filter.ts'
import { forge, isSigned, keyOf, signEvent } from './sign.ts'
import { waitFor } from './wait-for.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')

describe('signEvent', () => {
  it('signs what nostr-tools verifies, with the same bytes each time', () => {
    const draft = { kind: 1, created_at: 1, tags: [['t', 'ü\u2028"']], content: 'hello\n' }
    const event = signEvent(alice, draft)
    expect(verifyEvent(JSON.parse(JSON.stringify(event)))).toBe(true)
    expect(signEvent(alice, draft)).toEqual(event)
  })

  it('knows a forged event', () => {
    const event = announcement(alice, 'hello')
    expect([isSigned(event), isSigned(forge(event)), isSigned({ ...event, sig: '' })]).toEqual([true, false, false])
  })
})

describe('builders', () => {
  it('name the root in upper case and the parent in lower case', () => {
    const root = issue(repositoryAddress(alice, 'hello'), bob)
    const first = comment(root, alice)
    const second = comment(first, bob, { root })
    expect(second.tags).toEqual([
      ['E', root.id],
      ['K', '1621'],
      ['P', bob.pubkey],
      ['e', first.id],
      ['k', '1111'],
      ['p', alice.pubkey],
    ])
  })

  it('point a comment on a repository at its address', () => {
    const [address, kind] = comment(announcement(alice, 'hello'), bob).tags
    expect([address, kind]).toEqual([
      ['A', repositoryAddress(alice, 'hello')],
      ['K', '30617'],
    ])
  })

  it('give statuses and deletions their targets', () => {
    const root = issue(repositoryAddress(alice, 'hello'), bob)
    expect(status(1632, root, alice).tags.map(([name]) => name)).toEqual(['e', 'a', 'p'])
    expect(deletion({ ids: [root.id], addresses: ['30617:x:y'] }, bob).tags).toEqual([
      ['e', root.id],
      ['a', '30617:x:y'],
    ])
  })
})

describe('generateHistory', () => {
  const size = { repositories: 2, rootsPerRepository: 2, commentsPerRoot: 2 }

  it('is signed, in order of time, free of duplicates and as long as promised', () => {
    const events = [...generateHistory(size)]
    expect(events.every(isSigned)).toBe(true)
    expect(events.map((event) => event.created_at)).toEqual(events.map((_, index) => 1_700_000_000 + 60 * index))
    expect(new Set(events.map(({ id }) => id)).size).toBe(historySize(size))
  })

  it('is the same for the same seed only', () => {
    expect([...generateHistory(size)]).toEqual([...generateHistory(size)])
    expect([...generateHistory({ ...size, seed: 2 })]).not.toEqual([...generateHistory(size)])
  })
})

describe('fixtures', () => {
  it('hold the signed events that the builders give', async () => {
    const lines = buildSignedFixture().map((event) => `${JSON.stringify(event)}\n`)
    await expect(lines.join('')).toMatchFileSnapshot('../../src/demo/events/signed.jsonl')
  })

  it.each(['nip34', 'noise', 'signed'] as const)('%s.jsonl holds valid events only', (name) => {
    expect(readFixture(name).filter((event) => !isSigned(event))).toEqual([])
  })
})

describe('matchesNaively', () => {
  const event = state(alice, 'hello', { createdAt: 100 })

  it.each([
    [{}, true],
    [{ since: 100, until: 100 }, true],
    [{ since: 101 }, false],
    [{ until: 99 }, false],
    [{ kinds: [] }, false],
    [{ '#d': ['hello', 'other'], kinds: [30618] }, true],
    [{ '#D': ['hello'] }, false],
    [{ ids: [event.id], authors: [bob.pubkey] }, false],
  ])('says of %j: %s', (filter, expected) => {
    expect(matchesNaively(event, filter)).toBe(expected)
  })
})

describe('waitFor', () => {
  it('returns what the condition returned, and names what it waited for when that never came', async () => {
    expect(await waitFor(() => 'there')).toBe('there')
    await expect(waitFor(() => false, { timeoutMs: 20, what: 'rain' })).rejects.toThrow('20 ms in vain for rain')
  })
})
