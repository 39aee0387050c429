import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { RequestWindow, type WindowPlace } from '../../src/relay/pace/request-window.ts'

const QUICK = { firstMs: 100, bytes: 1_000 }
const MIB = 1024 * 1024

/** Takes every place, as far as there are any. */
async function fill(window: RequestWindow): Promise<WindowPlace[]> {
  const places: WindowPlace[] = []
  while (places.length < window.limit) {
    await window.acquire()
    places.push(window.send())
  }
  return places
}

/** Fills the window and answers everything, so many times. */
async function answerRounds(window: RequestWindow, rounds: number, answer = QUICK): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const place of await fill(window)) {
      window.answered(place, answer)
      window.release()
    }
  }
}

async function grownWindow(): Promise<RequestWindow> {
  const window = new RequestWindow(64)
  await answerRounds(window, 6)
  return window
}

describe('RequestWindow', () => {
  it('starts with few', () => {
    expect(new RequestWindow(64).limit).toBe(8)
  })

  it('doubles while answers begin in time, up to its bound', async () => {
    const window = new RequestWindow(50)
    const limits = []
    for (let round = 0; round < 10; round += 1) {
      await answerRounds(window, 1)
      limits.push(window.limit)
    }
    expect([...new Set(limits)]).toEqual([8, 16, 32, 50])
  })

  it('stays small while little is asked', async () => {
    const window = new RequestWindow(64)
    for (let asked = 0; asked < 100; asked += 1) {
      await window.acquire()
      window.answered(window.send(), QUICK)
      window.release()
    }
    expect(window.limit).toBe(8)
  })

  it('does not grow while answers begin later than when few were open', async () => {
    const window = new RequestWindow(64)
    await answerRounds(window, 2)
    await answerRounds(window, 3, { firstMs: 300, bytes: 1_000 })
    expect(window.limit).toBe(16)
  })

  it('shrinks when answers begin later in proportion, but not below what it starts with', async () => {
    const window = await grownWindow()
    await answerRounds(window, 1, { firstMs: 900, bytes: 1_000 })
    expect(window.limit).toBe(32)
    await answerRounds(window, 5, { firstMs: 900, bytes: 1_000 })
    expect(window.limit).toBe(8)
  })

  it('halves at a complaint, once for all that were open together, and never grows beyond that', async () => {
    const window = await grownWindow()
    for (const place of (await fill(window)).slice(40)) window.tooMany(place)
    for (let held = 0; held < 64; held += 1) window.release()
    expect([window.limit, window.learnt]).toEqual([32, 32])
    await answerRounds(window, 5)
    expect(window.limit).toBe(32)
  })

  it('allows fewer than were open at the complaint, down to one', async () => {
    const window = new RequestWindow(64)
    const [, , third] = [await open(window), await open(window), await open(window)]
    expect([window.tooMany(third), window.limit]).toEqual([true, 2])
    window.release()
    window.release()
    window.release()
    expect([window.tooMany(await open(window)), window.limit]).toEqual([false, 1])
  })

  it('goes back to what it starts with when the relay wants to be asked less often', async () => {
    const window = await grownWindow()
    window.tooFast()
    await answerRounds(window, 5)
    expect(window.limit).toBe(8)
  })

  it('starts again after a lost connection, and stops growing at half', async () => {
    const window = await grownWindow()
    const places = await fill(window)
    for (const place of places) window.lost(place)
    for (let held = 0; held < 64; held += 1) window.release()
    expect(window.limit).toBe(8)
    await answerRounds(window, 5)
    expect(window.limit).toBe(32)
  })

  it('goes back to what it starts with, for good, when the relay passes over one of many', async () => {
    const window = await grownWindow()
    const [first, ...others] = await fill(window)
    const last = others.at(-1)
    if (first === undefined || last === undefined) throw new Error('no place')
    expect([window.passedOver(last), window.passedOver(first)]).toEqual([true, false])
    for (let held = 0; held < 64; held += 1) window.release()
    await answerRounds(window, 5)
    expect(window.limit).toBe(8)
  })

  it('leaves fewer places to large pages', async () => {
    const window = await grownWindow()
    await answerRounds(window, 1, { firstMs: 100, bytes: MIB / 2 })
    expect(window.limit).toBe(16)
    await answerRounds(window, 5)
    expect(window.limit).toBe(64)
  })

  it('never allows more than announced, nor as many as a relay complained about', async () => {
    const step = fc.constantFrom('answer', 'slow', 'large', 'complain', 'lose', 'rate-limit', 'late complaint')
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -3, max: 80 }),
        fc.array(step, { maxLength: 60 }),
        async (announced, steps) => {
          const window = new RequestWindow(64)
          window.cap(announced)
          let most = Math.max(1, Math.min(64, announced))
          for (const each of steps) {
            const places = await fill(window)
            const last = places.at(-1)
            if (last === undefined) throw new Error('no place')
            if (each === 'complain' && window.tooMany(last)) most = Math.min(most, last.open - 1)
            if (each === 'lose') window.lost(last)
            if (each === 'rate-limit') window.tooFast()
            if (each === 'late complaint') window.tooManyOnce()
            const firstMs = each === 'slow' ? 9_000 : 100
            const bytes = each === 'large' ? 4 * MIB : 1_000
            if (['answer', 'slow', 'large'].includes(each))
              for (const place of places) window.answered(place, { firstMs, bytes })
            places.forEach(() => window.release())
            expect(window.limit).toBeGreaterThanOrEqual(1)
            expect(window.limit).toBeLessThanOrEqual(most)
          }
        },
      ),
    )
  })
})

async function open(window: RequestWindow): Promise<WindowPlace> {
  await window.acquire()
  return window.send()
}
