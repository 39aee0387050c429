/** Takes a token and says whether there was one. */
export type TokenBucket = () => boolean

/** So many tokens at once, then `gain` for each whole second that has passed since one was asked for, had or not (ngit-grasp). */
export function createTokenBucket(burst: number, now: () => number, gain = 1): TokenBucket {
  let tokens = burst
  let lastAt = now()
  return () => {
    const seconds = Math.floor(now() - lastAt)
    lastAt = now()
    tokens = Math.min(burst, tokens + seconds * gain)
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}
