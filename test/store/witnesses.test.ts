import { describe, expect, it } from 'vitest'

import { expirationOf, type NostrEvent } from '../../src/nostr/event.ts'
import type { WitnessStore } from '../../src/store/witnesses.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const RELAY = 'ws://target.example'

function eventAt(number: number, tags: string[][] = []): NostrEvent {
  const id = number.toString(16).padStart(64, '0')
  return { id, pubkey: 'a'.repeat(64), created_at: number, kind: 1621, tags, content: '', sig: '' }
}

function numbersOf(store: WitnessStore, count: number, relay = RELAY): number[] {
  return store.sample(relay, count).map(({ id }) => Number.parseInt(id, 16))
}

/** Witnesses 1 to `count`, proved one after the other in batches of 100, or all at once. */
function storeWith(count: number, proved: (number: number) => number = () => 1): WitnessStore {
  const { state } = openTemporaryState()
  state.transaction(() => {
    for (let first = 1; first <= count; first += 100) {
      const events = Array.from({ length: Math.min(100, count - first + 1) }, (_, index) => eventAt(first + index))
      state.witnesses.add(RELAY, events, proved(first), expirationOf)
    }
  })
  return state.witnesses
}

describe('witnesses', () => {
  it('are at most 500 for each relay, the newest', () => {
    const numbers = numbersOf(storeWith(800), 10_000)
    expect([numbers.length, Math.min(...numbers), Math.max(...numbers)]).toEqual([500, 301, 800])
  })

  it('prefer what was proved last to what was signed last', () => {
    const store = storeWith(600, (number) => 10_000 - number)
    expect(Math.max(...numbersOf(store, 10_000))).toBe(500)
  })

  it('are asked for by the newest half and a spread over the others', () => {
    const numbers = numbersOf(storeWith(500), 50)
    expect(numbers).toHaveLength(50)
    expect(numbers.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, index) => 500 - index))
    expect(Math.min(...numbers)).toBeLessThan(30)
    const gaps = numbers.slice(25).map((number, index, rest) => (rest[index - 1] ?? number) - number)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20)
  })

  it.each([1, 2, 3, 26, 49, 50, 51, 75, 99, 499])(
    'never give more than asked, nor fewer than there are (%i)',
    (count) => {
      expect(numbersOf(storeWith(count), 50)).toHaveLength(Math.min(50, count))
    },
  )

  it('know author and expiry', () => {
    const { witnesses } = openTemporaryState().state
    witnesses.add(RELAY, [eventAt(1, [['expiration', '77']])], 1, expirationOf)
    expect(witnesses.sample(RELAY, 1)).toEqual([{ id: eventAt(1).id, pubkey: 'a'.repeat(64), expiresAt: 77 }])
  })

  it('are forgotten one by one', () => {
    const store = storeWith(3)
    store.remove(RELAY, eventAt(2).id)
    expect(numbersOf(store, 10)).toEqual([3, 1])
  })

  it('are forgotten for one relay', () => {
    const store = storeWith(3)
    store.add('ws://other', [eventAt(9)], 1, expirationOf)
    store.forget(RELAY)
    expect([numbersOf(store, 10), numbersOf(store, 10, 'ws://other')]).toEqual([[], [9]])
  })
})
