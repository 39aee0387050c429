import { describe, expect, it, vi, onTestFinished } from 'vitest'

import type { Pushed } from '../../src/git/git-access.ts'
import { Patience } from '../../src/repair/push-when-made.ts'

const AWAY: Pushed = { type: 'turned away', reason: 'HTTP 403' }
const never = new AbortController().signal

/** Pushes with these answers, the last of them from then on, while nothing else takes time. */
async function pushTimed(patience: Patience, answers: readonly Pushed[], deadline = never) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const startedAt = Date.now()
  let asked = 0
  const push = (): Promise<Pushed> => Promise.resolve(answers[asked++] ?? answers.at(-1) ?? AWAY)
  const pushing = patience.pushWhenMade(push, { signal: never, deadline })
  await vi.runAllTimersAsync()
  return { pushed: await pushing, asked, seconds: (Date.now() - startedAt) / 1000 }
}

describe('a push that is turned away', () => {
  it('is sent again until the repository is there', async () => {
    const { pushed, asked } = await pushTimed(new Patience(), [AWAY, AWAY, { type: 'pushed' }])
    expect([pushed, asked]).toEqual([{ type: 'pushed' }, 3])
  })

  it('is given up within half a minute, and the next is sent once', async () => {
    const patience = new Patience()
    const first = await pushTimed(patience, [AWAY])
    expect(first).toMatchObject({ pushed: AWAY, asked: 9 })
    expect(first.seconds).toBeLessThan(30)
    expect(await pushTimed(patience, [AWAY])).toEqual({ pushed: AWAY, asked: 1, seconds: 0 })
  })

  it.each<Pushed>([
    { type: 'denied', reason: 'its hook' },
    { type: 'failed', reason: 'a reset' },
  ])('is no push that was $type: that is sent once, and the next has time again', async (answer) => {
    const patience = new Patience()
    expect(await pushTimed(patience, [answer])).toEqual({ pushed: answer, asked: 1, seconds: 0 })
    expect(await pushTimed(patience, [AWAY, { type: 'pushed' }])).toMatchObject({ asked: 2 })
  })

  it('is sent once when the time of the run is over', async () => {
    expect(await pushTimed(new Patience(), [AWAY], AbortSignal.abort())).toMatchObject({ pushed: AWAY, asked: 1 })
  })
})
