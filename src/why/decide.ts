import type { NostrEvent } from '../nostr/event.ts'
import type { PlaceAnswer, ScopePlace, WhyReport, WhyVerdict } from '../report/why.ts'
import type { StoredTrace } from '../store/trace-state.ts'
import type { Withdrawal } from './find-withdrawal.ts'

/** What was found out about an event. `unwanted`: why runs never copy it. */
export type Facts = {
  readonly event: NostrEvent | undefined
  readonly place: ScopePlace | null
  readonly target: PlaceAnswer
  readonly sources: readonly PlaceAnswer[]
  readonly stored: StoredTrace
  readonly withdrawal: Withdrawal | 'expired' | undefined
  readonly unwanted: string | undefined
  readonly isOffline: boolean
}

/** Returns what became of the event, what decides it, and the exit code. */
export function decide(facts: Facts): Pick<WhyReport, 'verdict' | 'by' | 'exit'> {
  const verdict = verdictOf(facts)
  return { verdict, by: decidedBy(verdict, facts), exit: isTold(verdict, facts) ? 0 : 1 }
}

function verdictOf(facts: Facts): WhyVerdict {
  const { event, target, sources, stored, withdrawal, unwanted, place } = facts
  if (target.answer === 'has' || stored.history?.state === 'held') return 'held'
  if (event === undefined) return withoutEvent(facts)
  if (withdrawal !== undefined) return withdrawal === 'expired' ? 'expired' : withdrawal.why
  if (unwanted !== undefined) return 'left out'
  if (target.answer === 'newer' || sources.some(({ answer }) => answer === 'newer')) return 'superseded'
  // What waits or was refused was in scope then, and is not judged again.
  if (stored.history !== null && stored.history.state !== 'working') return stored.history.state
  if (place !== null && place.layer === null) return 'out of scope'
  if (stored.history?.state === 'working') return 'working'
  return withoutHistory(facts)
}

function withoutEvent({ target, sources, stored, isOffline }: Facts): WhyVerdict {
  if ([target, ...sources].some(({ answer }) => answer === 'damaged')) return 'damaged'
  if (stored.seenAtTarget !== null) return isOffline ? 'held' : goneOrUndecided(target)
  return target.answer === 'unanswered' ? 'undecided' : 'unknown'
}

function withoutHistory({ target, sources, stored, isOffline }: Facts): WhyVerdict {
  if (isOffline) return stored.seenAtTarget === null ? 'unknown' : 'held'
  if (target.answer === 'unanswered') return 'undecided'
  if (sources.some(({ answer }) => answer === 'has')) return 'missing'
  return goneOrUndecided(target)
}

function goneOrUndecided({ answer }: PlaceAnswer): WhyVerdict {
  return answer === 'unanswered' ? 'undecided' : 'gone'
}

function decidedBy(verdict: WhyVerdict, { withdrawal, target, sources }: Facts): string | null {
  if (verdict === 'deleted' || verdict === 'vanished') return typeof withdrawal === 'object' ? withdrawal.by : null
  if (verdict !== 'superseded') return null
  return [target, ...sources].find(({ answer }) => answer === 'newer')?.version ?? null
}

/** An answer that does not come leaves open what the event's fate is, unless the rest decides it. */
function isTold(verdict: WhyVerdict, { target, sources, isOffline }: Facts): boolean {
  if (verdict === 'unknown' || verdict === 'undecided') return false
  if (isOffline) return true
  const isEverySourceSilent = sources.length > 0 && sources.every(({ answer }) => answer === 'unanswered')
  return target.answer !== 'unanswered' && !isEverySourceSilent
}
