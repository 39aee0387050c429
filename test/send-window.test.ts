import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Flight } from '../src/publish/flight.ts'
import { SendWindow } from '../src/publish/send-window.ts'

function answerRound(window: SendWindow, ms: number): void {
  for (let left = window.size; left > 0; left -= 1) window.noteAnswer(ms)
}

describe('how many events may be in flight', () => {
  it('doubles with each window that is answered fast, up to 1,024', () => {
    const window = new SendWindow()
    const sizes = Array.from({ length: 6 }, () => {
      answerRound(window, 20)
      return window.size
    })
    expect(sizes).toEqual([128, 256, 512, 1_024, 1_024, 1_024])
  })

  it('grows at a relay that is far away: only what comes on top of the round trip counts', () => {
    const window = new SendWindow()
    answerRound(window, 800)
    answerRound(window, 850)
    expect(window.size).toBe(256)
  })

  it('stays while answers are somewhat late, and halves when they are late by more than a second', () => {
    const window = new SendWindow()
    answerRound(window, 20)
    answerRound(window, 500)
    expect(window.size).toBe(128)
    answerRound(window, 1_500)
    expect(window.size).toBe(64)
  })

  it('falls back for good when the target complains or falls silent', () => {
    const window = new SendWindow()
    answerRound(window, 20)
    window.noteTrouble()
    expect(window.size).toBe(64)
    answerRound(window, 20)
    expect(window.size).toBe(64)
  })

  it('lies between 64 and 1,024 whatever the target does', () => {
    const deeds = fc.array(fc.oneof(fc.constant('trouble' as const), fc.integer({ min: 0, max: 10_000 })))
    fc.assert(
      fc.property(deeds, (all) => {
        const window = new SendWindow()
        for (const deed of all) {
          if (deed === 'trouble') window.noteTrouble()
          else answerRound(window, deed)
          expect(window.size).toBeGreaterThanOrEqual(64)
          expect(window.size).toBeLessThanOrEqual(1_024)
        }
      }),
    )
  })
})

describe('a flight', () => {
  /** Work that ends when told. */
  function createWork() {
    const { promise, resolve, reject } = withResolvers()
    return { promise, resolve, reject }
  }

  it('has room for as many as the window allows', async () => {
    const flight = new Flight({ size: 2 })
    const [first, second] = [createWork(), createWork()]
    flight.start(10, first.promise)
    await flight.room()
    flight.start(10, second.promise)
    let hasRoom = false
    const room = flight.room().then(() => (hasRoom = true))
    await Promise.resolve()
    expect(hasRoom).toBe(false)
    first.resolve()
    await room
    second.resolve()
    await flight.landed()
  })

  it('has no room beyond 4 MiB, whatever the window', async () => {
    const flight = new Flight({ size: 1_000 })
    const large = createWork()
    flight.start(4 * 1024 * 1024, large.promise)
    let hasRoom = false
    const room = flight.room().then(() => (hasRoom = true))
    await Promise.resolve()
    expect(hasRoom).toBe(false)
    large.resolve()
    await room
  })

  it('waits for all, and passes on the first error', async () => {
    const flight = new Flight({ size: 3 })
    const works = [createWork(), createWork()]
    for (const { promise } of works) flight.start(1, promise)
    works[0]?.reject(new Error('first'))
    works[1]?.reject(new Error('second'))
    await expect(flight.landed()).rejects.toThrow('first')
    await expect(flight.room()).rejects.toThrow('first')
  })
})

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) }
}
