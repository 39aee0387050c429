import { describe, expect, it } from 'vitest'

import type { Listing } from '../../src/git/git-access.ts'
import type { ComparedRepository } from '../../src/repair/compare-repository.ts'
import { countServers, GitCopiesTally } from '../../src/repair/git-copies.ts'

const A = 'a'.repeat(40)
const MAIN = 'refs/heads/main'
const WHOLE = listing({ [MAIN]: A })
const SILENT: Listing = { type: 'unreachable', reason: 'HTTP 502' }

function listing(refs: Readonly<Record<string, string>>): Listing {
  return { type: 'refs', refs: new Map(Object.entries(refs)), head: MAIN, format: 'sha1' }
}

type Scene = {
  readonly own: Listing
  readonly others?: readonly (readonly [url: string, listing: Listing])[]
  readonly refs?: Readonly<Record<string, string>> | null
  readonly isSound?: boolean
}

/** The part of a compared repository that counting looks at. */
function compared({ own, others = [], refs = { [MAIN]: A }, isSound }: Scene): ComparedRepository {
  const clone = isSound === undefined ? null : { isSound, reason: null }
  return {
    wanted: { refs: refs && new Map(Object.entries(refs)), head: MAIN, tips: new Map([[`refs/nostr/${A}`, A]]) },
    places: { target: { url: 'http://target.example/a.git', isNamed: true } },
    own,
    others: others.map(([url, listed]) => ({ place: { url, isNamed: false }, listing: listed })),
    report: { repository: '30617:a:a', name: null, places: [{ clone }] },
  } as unknown as ComparedRepository
}

function count(scene: Scene) {
  const counted = countServers(compared(scene))
  return counted && [counted.copies, counted.unasked]
}

describe('countServers', () => {
  it.each<[string, Scene, [number, number] | undefined]>([
    ['the target alone', { own: WHOLE }, [1, 0]],
    ['another server too', { own: WHOLE, others: [['https://a.example/x', WHOLE]] }, [2, 0]],
    [
      'not one that is behind',
      { own: WHOLE, others: [['https://a.example/x', listing({ [MAIN]: 'b'.repeat(40) })]] },
      [1, 0],
    ],
    ['not one that lacks a ref', { own: listing({}), others: [['https://a.example/x', WHOLE]] }, [1, 0]],
    ['one with more than the state', { own: listing({ [MAIN]: A, 'refs/heads/more': A }) }, [1, 0]],
    ['two URLs at one host once', { own: WHOLE, others: [['http://target.example/b.git', WHOLE]] }, [1, 0]],
    ['perhaps one that does not answer', { own: WHOLE, others: [['https://a.example/x', SILENT]] }, [1, 1]],
    ['not a target whose clone fails', { own: WHOLE, isSound: false }, [0, 0]],
    ['nothing without a state', { own: WHOLE, refs: null }, undefined],
  ])('counts %s', (_, scene, expected) => {
    expect(count(scene)).toEqual(expected)
  })
})

describe('GitCopiesTally', () => {
  it('tells what is scarce from what is undecided, the fewest copies first', () => {
    const tally = new GitCopiesTally(2)
    tally.add(compared({ own: WHOLE, others: [['https://a.example/x', SILENT]] }))
    tally.add(compared({ own: listing({}) }))
    tally.add(compared({ own: WHOLE, others: [['https://a.example/x', WHOLE]] }))
    tally.add(compared({ own: WHOLE, refs: null }))
    const { list, ...summary } = tally.summarize()
    expect(summary).toEqual({
      ...{ wanted: 2, repositories: 3, below: 1, undecided: 1, leftOut: 0 },
      histogram: [
        { copies: 0, repositories: 1 },
        { copies: 1, repositories: 1 },
        { copies: 2, repositories: 1 },
      ],
    })
    expect(list.map(({ copies }) => copies)).toEqual([0, 1])
  })
})
