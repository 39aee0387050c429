import { describe, expect, it } from 'vitest'

import { generateHistory } from '../support/generate.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, differenceOf, idsOf } from '../support/workbench.ts'

/*
 * Failures that ngit-grasp's own sync had in production and tests for (its tests/sync): here as runs of the program.
 * docs/reliability.md has the whole list.
 */

const HISTORY = [...generateHistory({ repositories: 30, rootsPerRepository: 4, commentsPerRoot: 2 })]

describe('a source whose document says another size of pages than it has', () => {
  it.each([
    ['nothing', {}],
    ['the truth', { default_limit: 40, max_limit: 40 }],
    ['far too much', { default_limit: 5_000, max_limit: 5_000 }],
    ['a default above its maximum', { default_limit: 500, max_limit: 40 }],
  ])('is read to its oldest event: it says %s', async (_name, limitation) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, pageCap: 40, document: { limitation }, verify: false })
    const target = await bench.scripted({ verify: false })
    const { code } = await bench.catchup(source, target, '--scope', 'all')
    expect(differenceOf(target.events.values(), HISTORY)).toEqual({ missing: [], extra: [] })
    expect(code).toBe(0)
  })
})

/**
 * Lets a relay hold only so many subscriptions, REQ and NEG together; beyond, it says so by NOTICE and opens nothing.
 */
function allowAtOnce(relay: ScriptedRelay, most: number): void {
  const { received, behaviour } = relay
  const refused = new Set<string>()
  const isFull = (): boolean => {
    const negClosed = received.negs.filter(({ label }) => label === 'NEG-CLOSE').map(({ subId }) => subId)
    const gone = new Set([...received.closes, ...negClosed, ...refused])
    const opened = [...received.reqs, ...received.negs.filter(({ label }) => label === 'NEG-OPEN')]
    // The newest is the one in question.
    return opened.filter(({ subId }) => !gone.has(subId)).length > most
  }
  behaviour.onReq = ({ subId }) => {
    if (!isFull()) return 'default'
    refused.add(subId)
    return { rows: [], end: { type: 'notice', text: 'ERROR: too many concurrent REQs' } }
  }
  behaviour.onNegOpen = () => {
    if (!isFull()) return 'default'
    refused.add(received.negs.at(-1)?.subId ?? '')
    return { notice: 'ERROR: too many concurrent NEG requests' }
  }
}

describe('a source that allows a few subscriptions, REQ and NEG together, and says so by NOTICE only', () => {
  it.each([
    ['paged', 2, ['--no-reconcile']],
    ['compared', 3, []],
  ])('is read to its end, %s, with %i at a time', async (_name, most, args) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: HISTORY, negentropy: true, verify: false })
    const target = await bench.scripted({ events: HISTORY.slice(0, 200), negentropy: true, verify: false })
    allowAtOnce(source, most)
    const { code } = await bench.catchup(source, target, '--scope', 'all', ...args)
    expect(differenceOf(target.events.values(), HISTORY)).toEqual({ missing: [], extra: [] })
    expect(code).toBe(0)
  })
})

describe('a source that lists events by NIP-77 and serves some of them later only', () => {
  it('is not complete before, and loses nothing', async () => {
    const bench = createWorkbench()
    const { events, issue: late } = smallRepository()
    const source = await bench.scripted({ events, negentropy: true, hides: ({ id }) => id === late.id })
    const target = await bench.scripted({ negentropy: true })
    const before = await bench.catchup(source, target, '--scope', 'all')
    source.behaviour.hides = () => false
    const after = await bench.catchup(source, target, '--scope', 'all')
    expect([before.code, after.code]).toEqual([3, 0])
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
  })
})
