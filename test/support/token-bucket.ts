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
