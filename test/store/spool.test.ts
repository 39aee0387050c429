import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Spool } from '../../src/store/spool.ts'
import type { SpoolRows } from '../../src/store/spool-rows.ts'
import type { SpooledEvent, SpooledHead, SpoolState } from '../../src/store/spooled-event.ts'
import { announcement, issue, state as stateEvent } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const alice = keyOf('alice')
const FROM = { layer: 'threads', source: 'ws://source', isLate: false, isOutside: false } as const
const NOW = 1_000_000

function numbered(number: number, changes: Partial<NostrEvent> = {}): NostrEvent {
  return { ...issue('', alice), id: number.toString(16).padStart(64, '0'), ...changes }
}

function newSpool(maxSpoolBytes?: number): { readonly spool: Spool; readonly rows: SpoolRows } {
  const { state } = openTemporaryState(maxSpoolBytes === undefined ? {} : { maxSpoolBytes })
  return { spool: state.spool, rows: state.spoolRows }
}

function idsIn(spool: Spool, state: SpoolState): string[] {
  return [...spool.inState(state, 3)].flat().map(({ event }) => event.id)
}

describe('the spool', () => {
  it('gives back what it was given', () => {
    const { spool, rows } = newSpool()
    const event = issue('30617:x:ü', alice, { content: '\u0000 " \u2028', tags: [['-'], ['emoji', '👩‍🚀']] })
    rows.insert(event, { ...FROM, isLate: true })
    expect(spool.find(event.id)).toMatchObject({
      event,
      layer: 'threads',
      state: 'candidate',
      isLate: true,
      attempts: 0,
    })
  })

  it('keeps the text of an event as long as its row, and no longer', () => {
    const { db, state } = openTemporaryState()
    const rows = state.spoolRows
    const texts = (): unknown => db.prepare('SELECT count(*) AS n FROM spool_text').get()
    for (let number = 1; number <= 4; number += 1) rows.insert(numbered(number), FROM)
    rows.makeReady(numbered(1).id, 1, undefined)
    expect(() => rows.insert(numbered(2), FROM)).toThrow(/UNIQUE/)
    expect(texts()).toEqual({ n: 4 })
    rows.remove(numbered(4).id)
    expect(texts()).toEqual({ n: 3 })
    rows.recover('the run ended', NOW)
    expect([state.spool.find(numbered(1).id)?.event, texts()]).toEqual([numbered(1), { n: 1 }])
  })

  it('keeps only the newest version of an address, whatever order they come in', () => {
    const versions = [10, 30, 20].map((createdAt) => announcement(alice, 'repo', { createdAt }))
    const { spool, rows } = newSpool()
    const losers = versions.flatMap((event) => rows.insert(event, FROM).map((loser) => loser.event.created_at))
    expect(idsIn(spool, 'candidate')).toEqual([versions[1]?.id])
    expect(losers).toEqual([10, 20])
  })

  it('keeps the lower id of two versions of one second', () => {
    const versions = ['a', 'b'].map((content) => announcement(alice, 'repo', { content }))
    const lower = versions.map(({ id }) => id).sort()[0]
    for (const order of [versions, versions.toReversed()]) {
      const { spool, rows } = newSpool()
      for (const event of order) rows.insert(event, FROM)
      expect(idsIn(spool, 'candidate')).toEqual([lower])
    }
  })

  it('ends with one version for any order of any versions, the newest', () => {
    const version = fc.record({ createdAt: fc.integer({ min: 1, max: 4 }), content: fc.constantFrom('a', 'b', 'c') })
    const { state } = openTemporaryState()
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 8 }), (drafts) => {
        const events = drafts.map((draft) => announcement(alice, 'repo', draft))
        const kept = state.transaction(() => {
          for (const event of events) state.spoolRows.insert(event, FROM)
          const left = idsIn(state.spool, 'candidate')
          for (const id of left) state.spoolRows.remove(id)
          return left
        })
        const newest = events.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))[0]
        expect(kept).toEqual([newest?.id])
      }),
      { numRuns: 100 },
    )
  })

  it('keeps versions of other kinds, identifiers and authors', () => {
    const { spool, rows } = newSpool()
    const events = [
      announcement(alice, 'repo'),
      announcement(alice, 'other'),
      announcement(keyOf('bob'), 'repo'),
      stateEvent(alice, 'repo'),
    ]
    for (const event of events) expect(rows.insert(event, FROM)).toEqual([])
    expect(idsIn(spool, 'candidate')).toHaveLength(4)
  })

  it('hands out events in pieces, and their rows may be removed or changed meanwhile', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 10; number += 1) rows.insert(numbered(number), FROM)
    const sizes: number[] = []
    for (const piece of spool.inState('candidate', 4)) {
      sizes.push(piece.length)
      for (const [index, { event }] of piece.entries())
        if (index % 2 === 0) rows.remove(event.id)
        else rows.makeReady(event.id, 1, undefined)
    }
    expect([sizes, spool.count('ready'), spool.count('candidate')]).toEqual([[4, 4, 2], 5, 0])
  })

  it('hands out rows without their texts, in the same order and pieces', () => {
    const { spool, rows } = newSpool()
    const events = [announcement(alice, 'a:b'), ...Array.from({ length: 4 }, (_, number) => numbered(number + 1))]
    for (const event of events) rows.insert(event, FROM)
    const whole = [...spool.inState('candidate', 2)]
    const heads = [...spool.headsInState('candidate', 2)]
    expect(heads.map((piece) => piece.length)).toEqual([2, 2, 1])
    const headOf = ({ event, ...standing }: SpooledEvent): SpooledHead => {
      const { id, pubkey, kind, created_at, tags } = event
      return {
        ...standing,
        size: 0,
        event: { id, pubkey, kind, created_at, tags: tags.filter(([name]) => name === 'd') },
      }
    }
    expect(heads.flat().map(({ number: _, ...head }) => head)).toEqual(whole.flat().map(headOf))
    const some = heads.flat().filter((_, index) => index % 2 === 1)
    expect(spool.eventsOf(some)).toEqual(whole.flat().flatMap(({ event }, index) => (index % 2 === 1 ? [event] : [])))
  })

  it('hands out fewer rows in a piece when strangers gave them long addresses', () => {
    const { spool, rows } = newSpool()
    for (const name of ['a', 'b', 'c']) rows.insert(announcement(alice, name.repeat(700_000)), FROM)
    expect([...spool.headsInState('candidate', 3)].map((piece) => piece.length)).toEqual([2, 1])
  })

  it('hands out each event once though it comes back into the same state', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 5; number += 1) rows.insert(numbered(number), FROM)
    for (const piece of spool.inState('candidate', 2))
      for (const { event } of piece) rows.makeReady(event.id, 0, undefined)
    let seen = 0
    for (const piece of spool.inState('ready', 2)) {
      seen += piece.length
      for (const { event } of piece) rows.change(event.id, { state: 'ready' }, NOW)
    }
    expect(seen).toBe(5)
  })
})

describe('the order of publishing', () => {
  it('is stage, then age, then id', () => {
    const { spool, rows } = newSpool()
    const events = [
      numbered(1, { created_at: 30 }),
      numbered(2, { created_at: 10 }),
      numbered(3, { created_at: 10 }),
      numbered(4, { created_at: 1 }),
    ]
    for (const event of events) rows.insert(event, FROM)
    for (const event of events) rows.makeReady(event.id, event.created_at === 1 ? 2 : 1, undefined)
    expect(spool.firstStep()).toEqual({ stage: 1, level: 0 })
    const pieces = [...spool.inStep({ stage: 1, level: 0 }, 10)]
    expect(pieces.flat().map(({ event }) => event)).toEqual([events[1], events[2], events[0]])
  })

  it('comes in pieces of at most as many as asked, and none is empty', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 5; number += 1) rows.insert(numbered(number), FROM)
    for (let number = 1; number <= 5; number += 1) rows.makeReady(numbered(number).id, number <= 4 ? 1 : 2, undefined)
    expect([...spool.inStep({ stage: 1, level: 0 }, 2)].map(({ length }) => length)).toEqual([2, 2])
  })

  it('goes on below a piece whose events have been settled', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 5; number += 1) rows.insert(numbered(number), FROM)
    for (let number = 1; number <= 5; number += 1) rows.makeReady(numbered(number).id, 1, undefined)
    const sent: string[] = []
    for (const piece of spool.inStep({ stage: 1, level: 0 }, 2)) {
      for (const { event } of piece) rows.remove(event.id)
      sent.push(...piece.map(({ event }) => event.id))
    }
    expect(new Set(sent).size).toBe(5)
    expect(spool.firstStep()).toBeUndefined()
  })
})

describe('a change', () => {
  function changed(...changes: readonly Parameters<SpoolRows['change']>[1][]) {
    const { spool, rows } = newSpool()
    rows.insert(numbered(1), FROM)
    for (const [index, change] of changes.entries()) rows.change(numbered(1).id, change, NOW + index)
    return spool.find(numbered(1).id)
  }

  it('keeps outcome and reason that it does not name', () => {
    const parked = { state: 'parked', outcome: 'waiting', reason: 'error: x' } as const
    expect(changed(parked, { state: 'ready' })).toMatchObject({
      state: 'ready',
      outcome: 'waiting',
      reason: 'error: x',
    })
  })

  it('remembers when an event was parked first', () => {
    expect(changed({ state: 'parked' }, { state: 'ready' }, { state: 'parked' })?.parkedAt).toBe(NOW)
  })

  it('counts the runs that ended with an error, and the times it was sent', () => {
    const failed = { state: 'parked', isError: true, wasSent: true } as const
    expect(changed(failed, failed, { state: 'parked' })).toMatchObject({ errorRuns: 2, attempts: 2 })
  })

  it('remembers when and by which software it was refused', () => {
    expect(changed({ state: 'refused', outcome: 'refused', software: 'strfry 1' })).toMatchObject({
      settledAt: NOW,
      software: 'strfry 1',
    })
  })

  it('forgets that it was refused when it is tried again', () => {
    expect(changed({ state: 'refused' }, { state: 'parked' })?.settledAt).toBeUndefined()
  })
})

describe('after a run that ended early', () => {
  it('drops what was not selected and parks what was, with the reason', () => {
    const { spool, rows } = newSpool()
    const states = ['candidate', 'outside', 'ready', 'confirming', 'parked', 'refused'] as const
    for (const [index, state] of states.entries()) {
      rows.insert(numbered(index), { ...FROM, isOutside: state === 'outside' })
      if (index > 1) rows.change(numbered(index).id, { state, outcome: 'waiting', reason: 'before' }, NOW)
    }
    rows.recover('killed', NOW + 5)
    expect(states.map((_, index) => spool.find(numbered(index).id)?.state)).toEqual([
      undefined,
      undefined,
      'parked',
      'parked',
      'parked',
      'refused',
    ])
    expect(spool.find(numbered(2).id)).toMatchObject({ outcome: 'unsent', reason: 'killed', parkedAt: NOW + 5 })
    expect(spool.find(numbered(4).id)).toMatchObject({ outcome: 'waiting', reason: 'before', parkedAt: NOW })
  })
})

describe('the room in the spool', () => {
  it('ends at its bytes', () => {
    const { spool, rows } = newSpool(400_000)
    const isFull = [...Array(20).keys()].map((number) => {
      rows.insert(numbered(number, { content: 'x'.repeat(30_000) }), FROM)
      return spool.isFull()
    })
    expect(isFull[0]).toBe(false)
    expect(isFull.at(-1)).toBe(true)
  })

  it('comes back when events leave', () => {
    const { spool, rows } = newSpool(400_000)
    for (let number = 1; number <= 20; number += 1) rows.insert(numbered(number, { content: 'x'.repeat(30_000) }), FROM)
    for (let number = 1; number <= 20; number += 1) rows.remove(numbered(number).id)
    expect(spool.isFull()).toBe(false)
  })
})

describe('groups', () => {
  it('count events by outcome and reason, the largest first, with an example', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 3; number += 1) {
      rows.insert(numbered(number), FROM)
      const reason = number === 1 ? 'blocked: a' : 'blocked: b'
      rows.change(numbered(number).id, { state: 'refused', outcome: 'refused', reason }, NOW)
    }
    expect(spool.groups('refused')).toMatchObject([
      { outcome: 'refused', reason: 'blocked: b', count: 2, example: numbered(2).id },
      { outcome: 'refused', reason: 'blocked: a', count: 1, example: numbered(1).id },
    ])
  })

  it('name one of the parents that stand in the way, and how many those are', () => {
    const { spool, rows } = newSpool()
    for (let number = 1; number <= 3; number += 1) {
      rows.insert(numbered(number), FROM)
      const obstacle = number === 1 ? undefined : `30617:b:${number}`
      rows.change(numbered(number).id, { state: 'parked', outcome: 'waiting', reason: 'no', obstacle }, NOW)
    }
    expect(spool.groups('parked')).toMatchObject([{ count: 3, obstacle: '30617:b:2', obstacles: 2 }])
  })

  it('leave out refusals of earlier runs', () => {
    const { spool, rows } = newSpool()
    for (const [index, at] of [NOW - 1, NOW].entries()) {
      rows.insert(numbered(index), FROM)
      rows.change(numbered(index).id, { state: 'refused', outcome: 'refused', reason: 'no' }, at)
    }
    expect(spool.groups('refused', NOW).map(({ count }) => count)).toEqual([1])
  })
})
