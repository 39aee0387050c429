import { describe, expect, it } from 'vitest'

import { Fate, FOLLOWS } from '../src/run/fate.ts'
import type { RunEvent } from '../src/run-event.ts'
import { Ledger } from '../src/run/ledger.ts'
import type { SpooledEvent, SpoolState } from '../src/store/spooled-event.ts'
import { issue, SOME_TIME } from './support/builders.ts'
import { alice } from './support/scenes.ts'
import { openTemporaryState } from './support/temporary-state.ts'

type Verb = (fate: Fate, spooled: SpooledEvent) => void

const STATES = Object.keys(FOLLOWS) as SpoolState[]
const ORIGIN = { layer: 'threads', source: 'ws://source', isLate: false, isOutside: false } as const

/**
 * Every verb that is about one event, the state that it leads to, and the only one that it is for, where it is for one.
 */
const VERBS: readonly (readonly [name: string, next: SpoolState | 'gone', verb: Verb, from?: SpoolState])[] = [
  ['makeReady', 'ready', (fate, spooled) => fate.makeReady(spooled, 1)],
  ['confirmLater', 'confirming', (fate, spooled) => fate.confirmLater(spooled, { outcome: 'accepted', reason: '' })],
  ['park', 'parked', (fate, spooled) => fate.park(spooled, { outcome: 'waiting', reason: 'why' })],
  ['explain', 'parked', (fate, spooled) => fate.explain(spooled, 'why', alice.pubkey), 'parked'],
  ['refuse', 'refused', (fate, spooled) => fate.refuse(spooled, 'refused', { reason: 'why' })],
  ['hold', 'held', (fate, spooled) => fate.hold(spooled)],
  ['settle', 'gone', (fate, spooled) => fate.settle(spooled, 'accepted')],
  ['drop', 'gone', (fate, spooled) => fate.drop(spooled, 'out of scope')],
  ['forget', 'gone', (fate, spooled) => fate.forget(spooled)],
  ['reopen', 'parked', (fate, spooled) => fate.reopen(spooled), 'refused'],
  ['takeBack', 'parked', (fate, spooled) => fate.takeBack(spooled, 'why'), 'refused'],
]

/** An event that stands in this state, and the fate of its run. */
function standing(state: SpoolState) {
  const { state: target } = openTemporaryState()
  const ledger = new Ledger(['threads'])
  const told: RunEvent[] = []
  const tell = (happened: RunEvent): void => void told.push(happened)
  const fate = new Fate({ state: target, ledger, now: SOME_TIME, software: 'ngit-grasp', tell })
  const event = issue('30617:x:y', alice)
  fate.take(event, { ...ORIGIN, isOutside: state === 'outside' })
  target.spoolRows.change(event.id, { state }, SOME_TIME)
  const find = (): SpooledEvent | undefined => target.spool.find(event.id)
  const spooled = find()
  if (spooled === undefined) throw new Error('the event is not in the spool')
  return { fate, spooled, find, ledger, told }
}

describe('who listens', () => {
  it.each([
    ['confirmLater', 'ready', 'answered', 'accepted'],
    ['park', 'ready', 'parked', 'waiting'],
    ['refuse', 'ready', 'refused', 'refused'],
    ['hold', 'confirming', 'settled', 'duplicate'],
    ['settle', 'confirming', 'settled', 'accepted'],
  ] as const)('is told by %s of an event that was %s that it is %s', (name, state, becomes, outcome) => {
    const { fate, spooled, told } = standing(state)
    VERBS.find(([verb]) => verb === name)?.[2](fate, spooled)
    const { id, kind } = spooled.event
    expect(told).toEqual([expect.objectContaining({ type: 'event', state: becomes, id, kind, outcome })])
  })
})

describe('the table of what follows a state', () => {
  describe.each(STATES)('says of %s', (state) => {
    it.each(VERBS.map(([name, next, verb, from = undefined]) => ({ name, next, verb, from })))(
      'whether it may $name',
      ({ next, verb, from = state }) => {
        const { fate, spooled, find } = standing(state)
        if (state !== from || !FOLLOWS[state].includes(next)) {
          expect(() => verb(fate, spooled)).toThrow(`${state} is not followed by ${next}`)
          expect(find()?.state).toBe(state)
          return
        }
        verb(fate, spooled)
        expect(find()?.state ?? 'gone').toBe(next)
      },
    )
  })

  it('leads from every state to an end', () => {
    expect(STATES.filter((state) => !FOLLOWS[state].includes('gone'))).toEqual([])
  })
})

describe('a verb', () => {
  it.each([
    ['settle', 'confirming', { accepted: 1 }, {}],
    ['hold', 'confirming', { duplicate: 1 }, {}],
    ['refuse', 'ready', { refused: 1 }, {}],
    ['drop', 'candidate', {}, { 'out of scope': 1 }],
    ['forget', 'candidate', {}, {}],
    ['park', 'ready', {}, {}],
  ] as const)('%s counts what it does', (name, state, outcomes, dropped) => {
    const { fate, spooled, ledger } = standing(state)
    VERBS.find(([each]) => each === name)?.[2](fate, spooled)
    expect(ledger.layers()[0]).toMatchObject({ outcomes, dropped })
  })

  it('takeBack takes the count of the refusal back', () => {
    const { fate, spooled, find, ledger } = standing('ready')
    fate.refuse(spooled, 'refused', { reason: 'blocked: no' })
    const refused = find()
    if (refused !== undefined) fate.takeBack(refused, 'blocked: no')
    expect(ledger.layers()[0]?.outcomes).toEqual({})
    expect(find()).toMatchObject({ state: 'parked', outcome: 'unsent' })
  })

  it('makeReady counts a late arrival once, when it is selected first', () => {
    const { state } = openTemporaryState()
    const ledger = new Ledger(['threads'])
    const fate = new Fate({ state, ledger, now: SOME_TIME, software: undefined })
    const event = issue('30617:x:y', alice)
    fate.take(event, { ...ORIGIN, isLate: true })
    for (const at of ['candidate', 'ready', 'parked'] as const) {
      const spooled = state.spool.find(event.id)
      if (spooled === undefined) throw new Error('the event is not in the spool')
      fate.makeReady({ ...spooled, state: at }, 1)
    }
    expect(ledger.layers()[0]?.lateArrivals).toBe(1)
  })

  it('take counts the versions of an address that lose', () => {
    const { fate, ledger } = standing('candidate')
    const versions = [10, 30, 20].map((createdAt) => ({ ...issue('', alice), kind: 30618, created_at: createdAt }))
    for (const [n, event] of versions.entries()) fate.take({ ...event, id: String(n).repeat(64) }, ORIGIN)
    expect(ledger.layers()[0]?.dropped).toEqual({ superseded: 2 })
  })

  it('refuse remembers the software of the target', () => {
    const { fate, spooled, find } = standing('ready')
    fate.refuse(spooled, 'refused', { reason: 'blocked: no' })
    expect(find()).toMatchObject({ software: 'ngit-grasp', reason: 'blocked: no', settledAt: SOME_TIME })
  })
})
