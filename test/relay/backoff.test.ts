import { describe, expect, it } from 'vitest'

import { backoffMs, pause } from '../../src/relay/pace/backoff.ts'

describe('backoffMs', () => {
  it('doubles up to eight seconds', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 60].map((attempt) => backoffMs(attempt, 250, () => 1))
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
  })

  it('takes off up to a half by chance', () => {
    expect(backoffMs(3, 250, () => 0)).toBe(500)
  })
})

describe('pause', () => {
  it('ends at once when the signal has aborted', async () => {
    await expect(pause(60_000, AbortSignal.abort())).resolves.toBeUndefined()
  })

  it('ends when the signal aborts', async () => {
    const interruption = new AbortController()
    const pausing = pause(60_000, interruption.signal)
    interruption.abort()
    await expect(pausing).resolves.toBeUndefined()
  })
})
