import type { NostrEvent } from '../src/nostr/event.ts'
import type { UnixSeconds } from '../src/time.ts'
import { generateHistory, historySize, type HistoryOptions } from '../test/support/generate.ts'

const TWO_YEARS = 2 * 365 * 86_400
const PER_REPOSITORY = { rootsPerRepository: 20, commentsPerRoot: 18 }
const SMALL = { rootsPerRepository: 1, commentsPerRoot: 2 }

/** Of one small repository. */
export const SMALL_EVENTS = historySize({ ...SMALL, repositories: 1 })

/** A signed history of at least so many events: repositories of 402 events with 20 roots, or one small repository. */
export function historyOf(atLeast: number): Iterable<NostrEvent> {
  return atLeast === 0 ? [] : generateHistory(shapeOf(atLeast))
}

/** The same from two years before `now` until then: real relays refuse what is much older. */
export function recentHistoryOf(atLeast: number, now: UnixSeconds): Iterable<NostrEvent> {
  const spacingSeconds = Math.floor(TWO_YEARS / historySizeOf(atLeast))
  return generateHistory({ ...shapeOf(atLeast), startAt: now - TWO_YEARS, spacingSeconds })
}

/** A signed history of the last two years: so many small repositories, each of `SMALL_EVENTS` events with one root. */
export function smallRepositoriesOf(repositories: number, now: UnixSeconds): Iterable<NostrEvent> {
  const spacingSeconds = Math.floor(TWO_YEARS / (repositories * SMALL_EVENTS))
  return generateHistory({ ...SMALL, repositories, startAt: now - TWO_YEARS, spacingSeconds })
}

/** How many repositories `historyOf` has. */
export function repositoriesOf(atLeast: number): number {
  return shapeOf(atLeast).repositories
}

/** How many events `historyOf` has. */
export function historySizeOf(atLeast: number): number {
  return atLeast === 0 ? 0 : historySize(shapeOf(atLeast))
}

function shapeOf(atLeast: number): HistoryOptions & { readonly repositories: number } {
  const each = historySize({ ...PER_REPOSITORY, repositories: 1 })
  if (atLeast >= each) return { ...PER_REPOSITORY, repositories: Math.ceil(atLeast / each) }
  return { repositories: 1, rootsPerRepository: Math.ceil((atLeast - 2) / 4), commentsPerRoot: 2 }
}
