import type { GitCosts } from './git-access.ts'

/** Counts what a run spends on git servers, and knows what is left. What git sends in a push is not seen. */
export type Budget = {
  readonly countRequests: (requests: number) => void
  /** Bytes of answers, and what was fetched to disk. */
  readonly countBytes: (bytes: number) => void
  readonly bytesLeft: () => number
  readonly costs: () => GitCosts
}

/** Creates the budget of a run that may read `maxBytes`. */
export function createBudget(maxBytes: number): Budget {
  let [requests, bytes] = [0, 0]
  return {
    countRequests: (more) => void (requests += more),
    countBytes: (more) => void (bytes += more),
    bytesLeft: () => maxBytes - bytes,
    costs: () => ({ requests, bytes }),
  }
}
