import { keptUntil } from '../../checkpoint/next-try.ts'
import type { EventHistory, WhyReport, WhyVerdict } from '../../report/why.ts'
import type { UnixSeconds } from '../../time.ts'
import { meaningOf, pendingStep, reopeningOf } from './next-steps.ts'

/** The path of an event with what would settle it, in plain words; null: nothing is to be done. */
export type WhyDocument = WhyReport & { readonly next: string | null }

/** A `since` reaches this far behind the last run (the default of `--overlap`). */
const OVERLAP_SECONDS = 15 * 60

/** What is said by what the rows of a shard remember, or do not. */
const BY_ROWS: readonly WhyVerdict[] = ['waiting', 'refused', 'working', 'missing', 'gone', 'undecided', 'unknown']

/** Adds the next step. */
export function withNextStep(report: WhyReport, now: UnixSeconds): WhyDocument {
  return { ...report, next: nextStep(report, now) }
}

const STEPS: Readonly<Partial<Record<WhyVerdict, string>>> = {
  working: 'Ask again when that run has ended.',
  gone: 'Only a relay or a backup that has it can bring it back: give it as --source.',
  undecided: 'Ask again when the target answers; --offline tells what the state file knows.',
  unknown: 'Is it the right id? Give the relay that should have it as --source.',
  damaged: 'Only an undamaged copy can be sent: tell the operator of that relay, and give another --source.',
}

function nextStep(report: WhyReport, now: UnixSeconds): string | null {
  const { verdict, history, place, shard } = report
  const isElsewhere = shard !== null && shard.copiedBy !== null && shard.copiedBy !== shard.number
  if (isElsewhere && BY_ROWS.includes(verdict))
    return `Shard ${shard.copiedBy} copies it, and knows what became of it: ask with --shard ${shard.copiedBy}/${shard.of}.`
  if (verdict === 'waiting' && history !== null) return stepOfWaiting(history, now)
  if (verdict === 'refused' && history !== null) return stepOfRefused(history)
  if (verdict === 'missing') return stepOfMissing(report)
  if (verdict === 'out of scope') return stepOfOutside(place?.why ?? '', report)
  return STEPS[verdict] ?? null
}

function stepOfWaiting({ outcome, lastOkAt, reason }: EventHistory, now: UnixSeconds): string | null {
  if (outcome !== 'pending') return meaningOf(outcome ?? 'waiting').step
  const isKept = lastOkAt !== null && reason.includes('purgatory')
  return pendingStep([{ keptUntil: isKept ? keptUntil(lastOkAt) : null }], now)
}

function stepOfRefused({ outcome, reason }: EventHistory): string | null {
  const reopening = outcome === 'refused' ? reopeningOf(reason) : undefined
  return reopening === undefined ? meaningOf(outcome ?? 'refused').step : `Sent again ${reopening}.`
}

/** An event that came late lies behind the `since` of a quick run. */
function stepOfMissing({ sources, event }: WhyReport): string {
  const having = sources.filter(({ answer }) => answer === 'has')
  const isFound = having.some(({ drainedAt }) => (event?.createdAt ?? 0) >= (drainedAt ?? 0) - OVERLAP_SECONDS)
  return isFound
    ? '`ngit-sync catchup` with the same options would send it.'
    : 'It was signed before the last run and came later: the next full pass finds it, at least once a day; `ngit-sync catchup --full` now.'
}

const OUTSIDE: Readonly<Record<string, string>> = {
  'out of scope: invited': 'It is copied once its author announces the repository and so accepts.',
  'out of scope: left': 'It is copied once its author is an active maintainer again.',
  'out of scope: leads elsewhere': 'It is copied once its author and the owner name the same lead.',
  'a follow-up of a comment, status or the like': 'It is copied with --follow-ups.',
}

function stepOfOutside(why: string, { scope }: WhyReport): string | null {
  const step = Object.hasOwn(OUTSIDE, why) ? OUTSIDE[why] : undefined
  if (step !== undefined) return step
  if (scope.kind === 'listed')
    return 'Its repository has to name the target in clone and relays; --repo copies it all the same.'
  return scope.kind === 'named' ? 'Name its repository with --repo, or the author of that with --author.' : null
}
