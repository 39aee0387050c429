import { describe, expect, it } from 'vitest'

import { isRefName } from '../../src/git/ref-name.ts'
import { MAX_REFS, readState, readTip, wantedIds } from '../../src/repair/wanted-refs.ts'
import { pullRequest, repositoryAddress } from '../support/builders.ts'
import { alice } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'

const A = 'a'.repeat(40)
const B = 'b'.repeat(40)
const LONG = 'c'.repeat(64)

function stateOf(...tags: readonly (readonly string[])[]) {
  return readState(signEvent(alice, { kind: 30_618, created_at: 1, tags: [['d', 'x'], ...tags], content: '' }))
}

describe('readState', () => {
  it('reads branches, tags and HEAD', () => {
    const state = stateOf(['refs/heads/main', A], ['refs/tags/v1', B], ['HEAD', 'ref: refs/heads/main'])
    expect([...state.refs]).toEqual([
      ['refs/heads/main', A],
      ['refs/tags/v1', B],
    ])
    expect([state.head, state.dropped]).toEqual(['refs/heads/main', 0])
  })

  it('leaves out what an annotated tag points to, and does not count it', () => {
    const state = stateOf(['refs/tags/v1', A], ['refs/tags/v1^{}', B])
    expect([[...state.refs.keys()], state.dropped]).toEqual([['refs/tags/v1'], 0])
  })

  it('takes ids of SHA-256 repositories', () => {
    expect(stateOf(['refs/heads/main', LONG]).refs.get('refs/heads/main')).toBe(LONG)
  })

  it.each([
    ['an upper-case id', 'refs/heads/main', 'A'.repeat(40)],
    ['a short id', 'refs/heads/main', 'a'.repeat(39)],
    ['the id of nothing', 'refs/heads/main', '0'.repeat(40)],
    ['a symbolic ref', 'refs/heads/main', 'ref: refs/heads/other'],
    ['an option for an id', 'refs/heads/main', '--upload-pack=touch x'],
    ['a way out', 'refs/heads/../../config', A],
    ['a space', 'refs/heads/a b', A],
    ['a newline', 'refs/heads/a\nb', A],
    ['a refspec', 'refs/heads/a:refs/heads/b', A],
    ['a lock', 'refs/heads/main.lock', A],
    ['a hidden name', 'refs/heads/.git', A],
    ['no name', 'refs/heads/', A],
    ['a name of a megabyte', `refs/heads/${'x'.repeat(1024 ** 2)}`, A],
    ['half a character', 'refs/heads/\ud800', A],
  ])('drops and counts %s', (_, name, id) => {
    const state = stateOf([name, id])
    expect([state.refs.size, state.dropped]).toEqual([0, 1])
  })

  it('takes the first of two ids for one ref', () => {
    const state = stateOf(['refs/heads/main', A], ['refs/heads/main', B])
    expect([state.refs.get('refs/heads/main'), state.dropped]).toEqual([A, 1])
  })

  it('reads 10,000 refs, and counts the rest', () => {
    const tags = Array.from({ length: MAX_REFS + 5 }, (_, n) => [`refs/tags/${n}`, A])
    const state = stateOf(...tags)
    expect([state.refs.size, state.dropped]).toEqual([MAX_REFS, 5])
  })

  it.each(['refs/heads/main', 'ref: refs/tags/v1', 'ref: HEAD', 'ref: refs/heads/../x', A])(
    'takes no HEAD from %j',
    (head) => {
      expect(stateOf(['refs/heads/main', A], ['HEAD', head]).head).toBeNull()
    },
  )
})

describe('readTip', () => {
  const repository = repositoryAddress(alice, 'x')

  it('names the ref by the event', () => {
    const request = pullRequest(repository, alice)
    expect(readTip(request)).toEqual([`refs/nostr/${request.id}`, '3'.repeat(40)])
  })

  it('is nothing for a commit that is none', () => {
    const { tags, ...rest } = pullRequest(repository, alice)
    expect(readTip({ ...rest, tags: tags.map((tag) => (tag[0] === 'c' ? ['c', '-x'] : tag)) })).toBeUndefined()
  })
})

describe('wantedIds', () => {
  it('has each object once', () => {
    const refs = new Map([
      ['refs/heads/main', A],
      ['refs/heads/same', A],
    ])
    expect([...wantedIds({ refs, head: null, tips: new Map([['refs/nostr/1', B]]) })]).toEqual([A, B])
  })
})

describe('isRefName', () => {
  it.each(['refs/heads/main', 'refs/heads/feature/x-1', 'refs/tags/v1.2.3', 'refs/heads/grün', "refs/heads/it's"])(
    'takes %s',
    (name) => {
      expect(isRefName(name)).toBe(true)
    },
  )
})
