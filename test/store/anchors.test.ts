import { describe, expect, it } from 'vitest'

import type { AnchorStore } from '../../src/store/anchors.ts'
import { announcement } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const alice = keyOf('alice')

function namesIn(anchors: AnchorStore, after = 0, limit = 100): string[] {
  return anchors.after('threads', after, limit).map(({ anchor }) => anchor)
}

describe('anchors', () => {
  it('come in the order of finding, each once', () => {
    const { anchors } = openTemporaryState().state
    for (const anchor of ['c', 'a', 'c', 'b']) anchors.add('all', 'threads', anchor)
    expect(namesIn(anchors)).toEqual(['c', 'a', 'b'])
    expect(anchors.last('threads')).toBe(3)
  })

  it('are counted for each layer', () => {
    const { anchors } = openTemporaryState().state
    anchors.add('all', 'threads', 'a')
    expect([anchors.last('repositories'), namesIn(anchors)]).toEqual([0, ['a']])
  })

  it('go on after a number, at most as many as asked', () => {
    const { anchors } = openTemporaryState().state
    for (const anchor of ['a', 'b', 'c', 'd']) anchors.add('all', 'threads', anchor)
    expect(namesIn(anchors, 1, 2)).toEqual(['b', 'c'])
  })

  it('are remembered for runs with the same scope only', () => {
    const first = openTemporaryState()
    first.state.anchors.add('all', 'threads', 'a')
    first.state.anchors.add('listed:x:443', 'threads', 'b')
    const later = openTemporaryState({ file: first.file }).state.anchors
    later.recall('listed:x:443')
    expect(namesIn(later)).toEqual(['b'])
  })

  it('are remembered for their target only', () => {
    const first = openTemporaryState({ target: 'ws://one' })
    first.state.anchors.add('all', 'threads', 'a')
    const other = openTemporaryState({ file: first.file, target: 'ws://two' }).state.anchors
    other.recall('all')
    expect(namesIn(other)).toEqual([])
  })

  it('stay when the coverage is voided', () => {
    const first = openTemporaryState()
    first.state.anchors.add('all', 'threads', 'a')
    first.state.checkpoints.void()
    const later = openTemporaryState({ file: first.file }).state.anchors
    later.recall('all')
    expect(namesIn(later)).toEqual(['a'])
  })

  it('that are found again after a recall keep their number and do not come twice', () => {
    const first = openTemporaryState()
    for (const anchor of ['a', 'b']) first.state.anchors.add('all', 'threads', anchor)
    const later = openTemporaryState({ file: first.file }).state.anchors
    later.recall('all')
    later.add('all', 'threads', 'a', { held: true })
    later.add('all', 'threads', 'c')
    expect(later.after('threads', 0, 10)).toEqual([
      { anchor: 'a', number: 1, held: true },
      { anchor: 'b', number: 2, held: false },
      { anchor: 'c', number: 3, held: false },
    ])
  })

  it('are not believed held by the target because an earlier run saw them there', () => {
    const first = openTemporaryState()
    first.state.anchors.add('all', 'threads', 'a', { held: true })
    const later = openTemporaryState({ file: first.file }).state.anchors
    later.recall('all')
    expect(later.after('threads', 0, 1)[0]?.held).toBe(false)
  })

  it('know the repositories of a root from the moment it is found, also if they were asked for it before', () => {
    const { file, state } = openTemporaryState()
    const later = openTemporaryState({ file }).state.anchors
    expect([state.anchors, later].map((anchors) => anchors.repositoriesOf('a'))).toEqual([[], []])
    state.anchors.add('all', 'threads', 'a', { repositories: ['30617:x:y'] })
    later.recall('all')
    expect([state.anchors, later].map((anchors) => anchors.repositoriesOf('a'))).toEqual([['30617:x:y'], ['30617:x:y']])
  })

  it('know which repository a root belongs to, in later runs as well', () => {
    const first = openTemporaryState()
    first.state.anchors.add('all', 'threads', 'a', { repositories: ['30617:x:y', '30617:z:y'] })
    const later = openTemporaryState({ file: first.file }).state.anchors
    later.recall('all')
    expect([first.state.anchors, later].map((anchors) => anchors.repositoriesOf('a'))).toEqual([
      ['30617:x:y', '30617:z:y'],
      ['30617:x:y', '30617:z:y'],
    ])
  })
})

describe('announcements that are remembered', () => {
  it('are the newest of their address', () => {
    const { anchors } = openTemporaryState().state
    const versions = [10, 30, 20].map((createdAt) => announcement(alice, 'repo', { createdAt }))
    for (const event of versions) anchors.rememberAnnouncement('30617:x:repo', event)
    expect([...anchors.announcements()].map(({ id }) => id)).toEqual([versions[1]?.id])
  })

  it('have the lower id of one second', () => {
    const versions = ['a', 'b'].map((content) => announcement(alice, 'repo', { content }))
    const [lower] = versions.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    for (const order of [versions, versions.toReversed()]) {
      const { anchors } = openTemporaryState().state
      for (const event of order) anchors.rememberAnnouncement('30617:x:repo', event)
      expect([...anchors.announcements()].map(({ id }) => id)).toEqual([lower?.id])
    }
  })
})
