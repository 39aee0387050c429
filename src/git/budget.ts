import type { GitCosts } from './git-access.ts'

/** Counts what a run spends on git servers, and knows what is left. What git sends in a push is not seen. */
export type Budget = {
  readonly countRequests: (requests: number) => void
  /** Bytes of answers that only pass through. */
  readonly countBytes: (bytes: number) => void
  /** Bytes that were fetched to disk: these are what the run has a limit for. */
  readonly countFetched: (bytes: number) => void
  readonly bytesLeft: () => number
  readonly costs: () => GitCosts
}

/** Creates the budget of a run that may fetch `maxBytes`. */
export function createBudget(maxBytes: number): Budget {
  let [requests, bytes, fetched] = [0, 0, 0]
  return {
    countRequests: (more) => void (requests += more),
    countBytes: (more) => void (bytes += more),
    countFetched(more) {
      bytes += more
      fetched += more
    },
    bytesLeft: () => maxBytes - fetched,
    costs: () => ({ requests, bytes }),
  }
}
