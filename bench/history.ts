import type { NostrEvent } from '../src/nostr/event.ts'
import { generateHistory, historySize, type HistoryOptions } from '../test/support/generate.ts'

const PER_REPOSITORY = { rootsPerRepository: 20, commentsPerRoot: 18 }

/** A signed history of at least so many events: repositories of 402 events with 20 roots, or one small repository. */
export function historyOf(atLeast: number): Iterable<NostrEvent> {
  return atLeast === 0 ? [] : generateHistory(shapeOf(atLeast))
}

/** How many events `historyOf` has. */
export function historySizeOf(atLeast: number): number {
  return atLeast === 0 ? 0 : historySize(shapeOf(atLeast))
}

function shapeOf(atLeast: number): HistoryOptions {
  const each = historySize({ ...PER_REPOSITORY, repositories: 1 })
  if (atLeast >= each) return { ...PER_REPOSITORY, repositories: Math.ceil(atLeast / each) }
  return { repositories: 1, rootsPerRepository: Math.ceil((atLeast - 2) / 4), commentsPerRoot: 2 }
}
