import { describe, expect, it } from 'vitest'

import { hostedAnchor, isWholeScope, LAYERS, layersOf } from '../src/checkpoint/layers.ts'
import { matchesNaively } from './support/naive-filter.ts'
import {
  announcement,
  comment,
  graspList,
  issue,
  patch,
  pullRequest,
  pullRequestUpdate,
  reply,
  repositoryAddress,
  state,
  status,
} from './support/builders.ts'
import { serviceAt } from './support/service-at.ts'
import { keyOf } from './support/sign.ts'

const owner = keyOf('owner')
const author = keyOf('author')
const address = repositoryAddress(owner, 'hello')
const root = issue(address, author)

/** The names of the variants of a layer that serve an anchor. */
function serving(layer: string, anchor: string): string[] {
  const variants = LAYERS.find(({ name }) => name === layer)?.variants ?? []
  return variants.filter((variant) => variant.serves(anchor)).map(({ name }) => name)
}

/** Whether any filter of the layer, asked about the anchor, finds the event. */
function finds(layer: string, anchor: string, event: Parameters<typeof matchesNaively>[0]): boolean {
  const variants = LAYERS.find(({ name }) => name === layer)?.variants ?? []
  return variants.some((variant) => variant.serves(anchor) && matchesNaively(event, variant.filter([anchor])))
}

describe('LAYERS', () => {
  it('are read in the order announcements, repositories, threads', () => {
    expect(LAYERS.map(({ name }) => name)).toEqual(['announcements', 'repositories', 'threads'])
  })

  it.each([
    ['announcements', 'all', ['30617', '10317']],
    ['announcements', 'listed:git.example.com:443', ['30617']],
    ['announcements', `author:${owner.pubkey}`, ['30617 by author']],
    ['announcements', address, ['30617 by author and #d']],
    ['announcements', `10317:${owner.pubkey}:`, ['10317 by author']],
    ['repositories', `30618:${owner.pubkey}:hello`, ['30618 by author and #d']],
    ['repositories', address, ['#a', '#A', '#q']],
    ['threads', root.id, ['#e', '#E', '#q']],
  ])('%s asks about %s by %j', (layer, anchor, variants) => expect(serving(layer, anchor)).toEqual(variants))

  it('find announcements and grasp lists in the first layer', () => {
    expect(finds('announcements', 'all', announcement(owner, 'hello'))).toBe(true)
    expect(finds('announcements', 'all', graspList(author, ['wss://grasp.example']))).toBe(true)
    expect(finds('announcements', address, announcement(owner, 'hello'))).toBe(true)
    expect(finds('announcements', address, announcement(owner, 'other'))).toBe(false)
  })

  it('find states by author and identifier, with colons in it', () => {
    const anchor = `30618:${owner.pubkey}:a:b:c`
    expect(finds('repositories', anchor, state(owner, 'a:b:c'))).toBe(true)
    expect(finds('repositories', anchor, state(author, 'a:b:c'))).toBe(false)
    expect(finds('repositories', anchor, state(owner, 'a'))).toBe(false)
  })

  it.each([
    ['an issue', issue(address, author)],
    ['a patch', patch(address, author)],
    ['a pull request', pullRequest(address, author)],
    ['a status that names its repository', status(1632, root, author)],
    ['a comment on the repository', comment(announcement(owner, 'hello'), author)],
    ['a quote of the repository', reply(root, author, { tags: [['q', address]] })],
  ])('find %s in the second layer', (_, event) => expect(finds('repositories', address, event)).toBe(true))

  it.each([
    ['a comment', comment(root, author)],
    ['a comment on a comment', comment(comment(root, author), author, { root })],
    ['a status', status(1631, root, author)],
    ['an old reply', reply(root, author)],
    ['an update of a pull request', pullRequestUpdate(root, author)],
    ['a quote', reply(issue(address, owner), author, { tags: [['q', root.id]] })],
  ])('find %s of a root in the third layer', (_, event) => expect(finds('threads', root.id, event)).toBe(true))

  it('do not ask twice for an author with several repositories', () => {
    const variants = LAYERS.find(({ name }) => name === 'repositories')?.variants ?? []
    const anchors = ['a', 'b'].map((d) => `30618:${owner.pubkey}:${d}`)
    expect(variants[0]?.filter(anchors)).toEqual({ kinds: [30618], authors: [owner.pubkey], '#d': ['a', 'b'] })
  })

  it('have a version each', () => expect(LAYERS.every(({ version }) => version >= 1)).toBe(true))
})

describe('the layers of a host of pull requests', () => {
  const host = serviceAt('wss://git.example.com/grasp')
  const variants = layersOf({ followUps: false, host }).flatMap((layer) => layer.variants)

  it('ask for all pull requests by one anchor, and accept what the host is named in', () => {
    const serving = variants.filter(({ serves }) => serves(hostedAnchor(host)) && !serves('x'))
    expect(serving.map(({ filter }) => filter([hostedAnchor(host)]))).toEqual([{ kinds: [1618, 1619] }])
    expect(serving[0]?.accepts?.(pullRequest(address, author))).toBe(false)
  })

  it('are the usual ones with one more variant', () => {
    const usual = layersOf({ followUps: false }).flatMap((layer) => layer.variants)
    expect(variants.filter((variant) => !usual.includes(variant)).map(({ name }) => name)).toEqual([
      'hosted pull requests',
    ])
  })
})

describe('isWholeScope', () => {
  it.each([
    ['all', true],
    ['listed:git.example.com:443', true],
    [`author:${owner.pubkey}`, false],
    [address, false],
    [root.id, false],
  ])('says of %s: %s', (anchor, isWhole) => expect(isWholeScope(anchor)).toBe(isWhole))
})
