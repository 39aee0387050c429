import { describe, expect, it } from 'vitest'

import type { Witness, WitnessStore } from '../../src/store/witnesses.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const RELAY = 'ws://target.example'
const ALICE = 'a'.repeat(64)
const ADDRESS = `30617:${ALICE}:hello`

function witnessAt(number: number, extra: Partial<Witness> = {}): Witness {
  const id = number.toString(16).padStart(64, '0')
  const nothing = { address: undefined, expiresAt: undefined, repositories: [] }
  return { id, pubkey: ALICE, createdAt: number, ...nothing, ...extra }
}

function numbersOf(store: WitnessStore, count: number, relay = RELAY): number[] {
  return store.sample(relay, count).map(({ id }) => Number.parseInt(id, 16))
}

type Kept = { readonly provedAt?: (number: number) => number; readonly isPublished?: boolean; readonly first?: number }

/** Adds `count` witnesses in batches of 50, all of them proved at once or by `provedAt`. */
function addTo(store: WitnessStore, count: number, { provedAt = () => 1, isPublished = false, first = 1 }: Kept = {}) {
  for (let from = first; from < first + count; from += 50) {
    const batch = Array.from({ length: Math.min(50, first + count - from) }, (_, index) => witnessAt(from + index))
    store.add(RELAY, batch, { provedAt: provedAt(from), isPublished })
  }
}

function storeWith(count: number, kept: Kept = {}): WitnessStore {
  const { state } = openTemporaryState()
  state.transaction(() => addTo(state.witnesses, count, kept))
  return state.witnesses
}

describe('witnesses', () => {
  it('are at most 250 published ones and 250 others for each relay, the newest', () => {
    const { state } = openTemporaryState()
    state.transaction(() => {
      addTo(state.witnesses, 400)
      addTo(state.witnesses, 400, { isPublished: true, first: 1_001 })
    })
    const numbers = numbersOf(state.witnesses, 10_000)
    expect([numbers.length, Math.min(...numbers), Math.max(...numbers)]).toEqual([500, 151, 1_400])
    expect(numbers.filter((number) => number > 1_000)).toHaveLength(250)
  })

  it('prefer what was proved last to what was signed last', () => {
    const store = storeWith(350, { provedAt: (number) => 10_000 - number })
    expect(Math.max(...numbersOf(store, 10_000))).toBe(250)
  })

  it('are asked for by the newest half and a spread over the others', () => {
    const numbers = numbersOf(storeWith(250), 50)
    expect(numbers).toHaveLength(50)
    expect(numbers.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, index) => 250 - index))
    expect(Math.min(...numbers)).toBeLessThan(20)
    const gaps = numbers.slice(25).map((number, index, rest) => (rest[index - 1] ?? number) - number)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10)
  })

  it.each([
    [100, 100, 25],
    [3, 100, 3],
    [100, 3, 47],
    [100, 0, 50],
    [0, 100, 0],
  ])('are asked for from both sorts, the published ones first (%i and %i)', (published, others, first) => {
    const { state } = openTemporaryState()
    state.transaction(() => {
      addTo(state.witnesses, others)
      addTo(state.witnesses, published, { isPublished: true, first: 1_001 })
    })
    const numbers = numbersOf(state.witnesses, 50)
    expect(numbers).toHaveLength(50)
    expect(numbers.map((number) => number > 1_000)).toEqual(numbers.map((_, index) => index < first))
  })

  it.each([1, 2, 3, 26, 49, 50, 51, 75, 99, 249])(
    'never give more than asked, nor fewer than there are (%i)',
    (count) => {
      expect(numbersOf(storeWith(count), 50)).toHaveLength(Math.min(50, count))
    },
  )

  it('stay published when a later run only reads them', () => {
    const store = storeWith(1, { isPublished: true })
    addTo(store, 40)
    expect(numbersOf(store, 10)[0]).toBe(1)
  })

  it('keep their place when a later run proves them again, and lose it to what that one published', () => {
    const { state } = openTemporaryState()
    state.transaction(() => {
      addTo(state.witnesses, 50, { isPublished: true, first: 1_001 })
      addTo(state.witnesses, 2, { isPublished: true, provedAt: () => 2 })
      addTo(state.witnesses, 50, { provedAt: () => 3, first: 1_001 })
    })
    expect(numbersOf(state.witnesses, 4)).toEqual([2, 1, 1_050, expect.any(Number)])
  })

  it('know all that tells why they may be missing', () => {
    const { witnesses } = openTemporaryState().state
    const witness = witnessAt(1, { address: ADDRESS, expiresAt: 77, repositories: [ADDRESS] })
    witnesses.add(RELAY, [witness], { provedAt: 1, isPublished: false })
    expect(witnesses.sample(RELAY, 1)).toEqual([witness])
  })

  it('of an address are one: the newest version, whatever order they come in', () => {
    const { witnesses } = openTemporaryState().state
    for (const number of [5, 9, 7])
      witnesses.add(RELAY, [witnessAt(number, { address: ADDRESS })], { provedAt: 1, isPublished: false })
    expect(numbersOf(witnesses, 10)).toEqual([9])
  })

  it('are forgotten one by one', () => {
    const store = storeWith(3)
    store.remove(RELAY, witnessAt(2))
    expect(numbersOf(store, 10)).toEqual([3, 1])
  })

  it('are forgotten for one relay', () => {
    const store = storeWith(3)
    store.add('ws://other', [witnessAt(9)], { provedAt: 1, isPublished: false })
    store.forget(RELAY)
    expect([numbersOf(store, 10), numbersOf(store, 10, 'ws://other')]).toEqual([[], [9]])
  })
})
