/** Takes a token and says whether there was one. */
export type TokenBucket = () => boolean

/** So many tokens at once, then one for each whole second that has passed since the last was put in. */
export function createTokenBucket(burst: number, now: () => number): TokenBucket {
  let tokens = burst
  let filledAt = now()
  return () => {
    const gained = Math.floor(now() - filledAt)
    if (gained > 0) {
      tokens = Math.min(burst, tokens + gained)
      filledAt = now()
    }
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}

/**
 * The same, with `gain` for each whole second since a token was last asked for, had or not (ngit-grasp from 3.0 on).
 */
export function createSilentBucket(burst: number, gain: number, now: () => number): TokenBucket {
  let tokens = burst
  let askedAt = now()
  return () => {
    tokens = Math.min(burst, tokens + Math.floor(now() - askedAt) * gain)
    askedAt = now()
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}
