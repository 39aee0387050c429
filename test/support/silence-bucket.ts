import type { TokenBucket } from './token-bucket.ts'

/** So many tokens at once, then one for each whole second since the last try, whether that got one or not. */
export function createSilenceBucket(burst: number, now: () => number): TokenBucket {
  let tokens = burst
  let triedAt = now()
  return () => {
    tokens = Math.min(burst, tokens + Math.floor(now() - triedAt))
    triedAt = now()
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}
