import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { resolveMembership } from '../src/scope/membership.ts'
import { readAnnouncement } from '../src/nostr/announcement.ts'
import { parseAddress } from '../src/nostr/address.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import { createStaging } from '../src/select/publish-order.ts'
import {
  announcement,
  comment,
  deletion,
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
import { keyOf, signEvent } from './support/sign.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const address = repositoryAddress(alice, 'repo')

function stagingOf(...events: readonly NostrEvent[]) {
  const known = events.map((event) => readAnnouncement(event))
  return createStaging(resolveMembership(known, { isOwned: () => true, rule: 'today' }))
}

/** Announcements of so many repositories, each with a co-maintainer. */
function manyRepositories(count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const d = String(index).padStart(4, '0')
    return {
      ...announcement(alice, 'x'),
      tags: [
        ['d', d],
        ['maintainers', bob.pubkey],
      ],
    }
  })
}

describe('createStaging', () => {
  const own = announcement(alice, 'repo', { maintainers: [bob] })
  const { stageOf } = stagingOf(own, announcement(bob, 'repo'))
  const root = issue(address, bob)

  it('sends owners before co-maintainers, states, roots, the rest, and deletions last', () => {
    const order = [
      own,
      announcement(bob, 'repo'),
      state(alice, 'repo'),
      root,
      comment(root, bob),
      deletion({ ids: [root.id] }, bob),
    ].map(stageOf)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(new Set(order).size).toBe(order.length)
  })

  it('sends the announcements of maintainers by their distance from the owner, before any state', () => {
    const carol = keyOf('carol')
    const chain = [
      announcement(alice, 'repo', { maintainers: [bob] }),
      announcement(bob, 'repo', { maintainers: [carol] }),
      announcement(carol, 'repo'),
    ]
    const { stageOf: stageIn } = stagingOf(...chain)
    const stages = [...chain, state(alice, 'repo')].map(stageIn)
    expect(stages.slice(0, 3)).toEqual([0, 1, 2])
    expect(stages[3]).toBeGreaterThan(2)
  })

  it('sends states after the announcements of any chain of maintainers', () => {
    const keys = Array.from({ length: 1_100 }, (_, index) => keyOf(`link ${index}`))
    const chain = keys.map((key, index) => ({ ...announcement(alice, 'repo'), pubkey: key.pubkey, index }))
    const events = chain.map(({ index, ...event }) => {
      const next = keys[index + 1]
      return { ...event, tags: [['d', 'repo'], ...(next === undefined ? [] : [['maintainers', next.pubkey]])] }
    })
    const { stageOf: stageIn } = stagingOf(...events)
    const ofState = stageIn(state(alice, 'repo'))
    expect(events.every((event) => stageIn(event) < ofState)).toBe(true)
  })

  it.each([issue(address, bob), patch(address, bob), pullRequest(address, bob)])(
    'knows kind $kind as a root',
    (event) => expect(stageOf(event)).toBe(stageOf(root)),
  )

  it.each([
    comment(root, bob),
    status(1632, root, bob),
    pullRequestUpdate(root, bob),
    reply(root, bob),
    graspList(bob, []),
  ])('sends kind $kind with the rest', (event) => expect(stageOf(event)).toBe(stageOf(comment(root, alice))))

  it('sends states of owner and maintainers in one stage', () => {
    expect(stageOf(state(bob, 'repo'))).toBe(stageOf(state(alice, 'repo')))
  })

  it('puts at most 300 repositories into a batch', () => {
    const { stageOf: stageIn } = stagingOf(...manyRepositories(700))
    const stages = manyRepositories(700).map(stageIn)
    const sizes = [...new Set(stages)].map((stage) => stages.filter((each) => each === stage).length)
    expect(sizes).toEqual([300, 300, 100])
  })

  it('sends a batch whole, states included, before the next begins', () => {
    const { stageOf: stageIn } = stagingOf(...manyRepositories(301))
    expect(stageIn({ ...state(bob, 'x'), tags: [['d', '0299']] })).toBeLessThan(
      stageIn({ ...announcement(alice, 'x'), tags: [['d', '0300']] }),
    )
  })

  it('keeps the announcements of one identifier in one batch', () => {
    const events = manyRepositories(301)
    const { stageOf: stageIn } = stagingOf(...events)
    for (const event of events) {
      const of = state(bob, 'x')
      const gap = stageIn({
        ...of,
        tags: [['d', parseAddress(`30617:${alice.pubkey}:${event.tags[0]?.[1]}`)?.d ?? '']],
      })
      expect(gap - stageIn(event)).toBeLessThan(1_000)
    }
  })

  it('sends roots after the last batch', () => {
    const { stageOf: stageIn } = stagingOf(...manyRepositories(901))
    const last = { ...state(bob, 'x'), tags: [['d', '0900']] }
    expect(stageIn(last)).toBeLessThan(stageIn(root))
  })
})

describe('the order of publishing', () => {
  /**
   * A tree of comments below one root; `parents[i]` chooses what number i + 1 answers, `seconds` when it was written.
   */
  function treeOf(parents: readonly number[], seconds: readonly number[]): NostrEvent[] {
    const events = [issue(address, alice, { createdAt: 100 })]
    for (const [index, choice] of parents.entries()) {
      const parent = events[choice % events.length] ?? events[0]
      const tags = [
        ['E', events[0]?.id ?? ''],
        ['e', parent?.id ?? ''],
      ]
      const draft = { kind: 1111, created_at: seconds[index] ?? 0, tags, content: String(index) }
      events.push(signEvent(alice, draft))
    }
    return events
  }

  /** The ids in the order in which they would be sent, step by step. */
  function publishAll(events: readonly NostrEvent[], batch: number): string[][] {
    const { state: store } = openTemporaryState()
    const { stageOf } = stagingOf(announcement(alice, 'repo'))
    const sent: string[][] = []
    store.transaction(() => {
      for (const event of events) {
        store.spoolRows.insert(event, { layer: 'threads', source: 'x', isLate: false, isOutside: false })
        store.spoolRows.makeReady(event.id, stageOf(event), undefined)
      }
      store.spoolRows.orderByParents()
      for (let step = store.spool.firstStep(); step !== undefined; step = store.spool.firstStep()) {
        const pieces = [...store.spool.inStep(step, batch)]
        sent.push(pieces.flat().map(({ event }) => event.id))
        for (const { event } of pieces.flat()) store.spoolRows.remove(event.id)
      }
    })
    return sent
  }

  it('sends parents before their children, and never in one batch, for any tree', () => {
    const tree = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 200 })), { maxLength: 25 })
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 10 }), fc.infiniteStream(fc.nat()), (nodes, size, shuffle) => {
        const events = treeOf(
          nodes.map(([parent]) => parent),
          nodes.map(([, second]) => second),
        )
        const mixed = events
          .map((event) => ({ event, at: Number(shuffle.next().value) }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event)
        const batches = publishAll(mixed, size)
        const place = new Map(batches.flatMap((batch, index) => batch.map((id) => [id, index] as const)))
        expect(place.size).toBe(events.length)
        for (const { id, tags } of events) {
          for (const [, parent = ''] of tags.filter(([name]) => name === 'e')) {
            expect(place.get(parent) ?? Infinity).toBeLessThan(place.get(id) ?? -1)
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it('sends the oldest first where nothing depends on another', () => {
    const root = issue(address, alice)
    const comments = [30, 10, 20].map((createdAt) => comment(root, bob, { createdAt }))
    const [first, rest] = publishAll([root, ...comments], 10)
    expect(first).toEqual([root.id])
    expect(rest).toEqual([comments[1], comments[2], comments[0]].map((event) => event?.id))
  })

  it('does not trip over tags that are no ids', () => {
    const odd = reply(issue(address, alice), bob, { tags: [['e'], ['e', 'not hex'], ['E', 'abc'], []] })
    expect(publishAll([odd], 10)).toEqual([[odd.id]])
  })
})
