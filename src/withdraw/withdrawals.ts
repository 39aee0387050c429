import { askSources, type AskedSources } from '../run/ask-sources.ts'
import { isDeleted, isDeletedById, learnDeletions } from './deletions.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Verifier } from '../nostr/verifier.ts'
import type { OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { UnixSeconds } from '../time.ts'
import { hasVanished, learnVanishRequests, type VanishContext } from './vanish.ts'

/** Whom to ask for what authors took back, and what is done with it. */
export type WithdrawalContext = AskedSources &
  VanishContext & {
    readonly target: Peer
    /** The target may hide something although it answers. */
    readonly onTargetGap: OnGap
    readonly verifier: Verifier
    readonly now: UnixSeconds
    readonly deletions: 'apply' | 'skip'
  }

/**
 * Asks sources and target whether these events were deleted, or their authors have vanished: nothing of that returns.
 * Requests to vanish are honoured whatever becomes of deletions. Throws LostRelayError when the target does not answer.
 */
export async function askForWithdrawals(events: readonly NostrEvent[], context: WithdrawalContext): Promise<void> {
  await Promise.all([
    askForDeletions(events, context),
    learnVanishRequests(context.target, events, context, context.onTargetGap),
    askSources(context, events, (source, about, onGap) => learnVanishRequests(source, about, context, onGap)),
  ])
}

/** Asks sources and target whether these events were deleted. Throws LostRelayError when the target does not answer. */
export async function askForDeletions(events: readonly NostrEvent[], context: WithdrawalContext): Promise<void> {
  const deletable = context.deletions === 'skip' ? [] : events.filter(({ kind }) => kind !== KIND.deletion)
  await Promise.all([
    learnDeletions(context.target, deletable, context, context.onTargetGap),
    askSources(context, deletable, (source, about, onGap) => learnDeletions(source, about, context, onGap)),
  ])
}

/** Why an event does not count any more, by what is known in this run; `undefined` when it does. */
export function withdrawnBecause(
  event: NostrEvent,
  { now, deletions, state }: Pick<WithdrawalContext, 'now' | 'deletions' | 'state'>,
): 'expired' | 'vanished' | 'deleted' | undefined {
  if (isExpired(event, now)) return 'expired'
  if (hasVanished(event, state.run)) return 'vanished'
  return deletions === 'apply' && isDeleted(event, state.run) ? 'deleted' : undefined
}

/**
 * Whether an older version at its address may count in its place. What deletes an address, or makes its author vanish,
 * takes all that is older as well.
 */
export function leavesOlder(
  event: NostrEvent,
  context: Pick<WithdrawalContext, 'now' | 'deletions' | 'state'>,
): boolean {
  const why = withdrawnBecause(event, context)
  return why === 'expired' || (why === 'deleted' && isDeletedById(event, context.state.run))
}
