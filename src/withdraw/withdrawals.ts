/*
 * Asks for what authors took back, so that nothing of it returns, and notes it in the run's tables.
 */
import { addressOf } from '../nostr/address.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findDeletions, findVanishRequests } from '../relay/find-removals.ts'
import type { Peer } from '../relay/peer.ts'
import type { OnGap } from '../relay/read-through.ts'
import { askedTarget, askSources } from '../run/ask-sources.ts'
import type { Run } from '../run/run.ts'
import { hasVanished, isDeleted, isDeletedById, recordDeletion, recordVanishRequest } from '../run/withdrawn.ts'

/** The part of a run that judging an event needs. */
type Judging = Pick<Run, 'startedAt' | 'options' | 'world'>

/**
 * Asks sources and target whether these events were deleted, or their authors have vanished. Requests to vanish count
 * with `--deletions skip` too. Throws LostRelayError when the target does not answer.
 */
export async function askForWithdrawals(events: readonly NostrEvent[], run: Run): Promise<void> {
  await Promise.all([
    askForDeletions(events, run),
    learnVanishRequests(askedTarget(run), events, run, (reason) => run.targetGaps.note(reason)),
    askSources(run, events, (source, about, onGap) => learnVanishRequests(source, about, run, onGap)),
  ])
}

/** Asks sources and target whether these events were deleted. Throws LostRelayError when the target does not answer. */
export async function askForDeletions(events: readonly NostrEvent[], run: Run): Promise<void> {
  const deletable = run.options.deletions === 'skip' ? [] : events.filter(({ kind }) => kind !== KIND.deletion)
  await Promise.all([
    learnDeletions(askedTarget(run), deletable, run, (reason) => run.targetGaps.note(reason)),
    askSources(run, deletable, (source, about, onGap) => learnDeletions(source, about, run, onGap)),
  ])
}

/**
 * Notes which of these events a relay's verified deletions delete. Throws LostRelayError; without `onGap` also for a
 * gap.
 */
export async function learnDeletions(
  peer: Peer,
  events: readonly NostrEvent[],
  { world: { state, verifier } }: Pick<Run, 'world'>,
  onGap?: OnGap,
): Promise<void> {
  const ids = new Map(events.map(({ id, pubkey }) => [id, pubkey]))
  const addresses = events.flatMap((event) => addressOf(event) ?? [])
  const learn = async (deletions: readonly NostrEvent[]): Promise<void> => {
    const valid = await keepValid(deletions, verifier)
    if (valid.length === 0) return
    state.transaction(() => {
      for (const event of valid) recordDeletion(event, state.run)
    })
  }
  await findDeletions(peer, { ids, addresses }, learn, onGap)
}

/** Notes a relay's verified requests to vanish by the authors of these events. Asks once a run per author. */
async function learnVanishRequests(
  peer: Peer,
  events: readonly NostrEvent[],
  { world: { state, verifier }, targetNames }: Pick<Run, 'world' | 'targetNames'>,
  onGap: OnGap,
): Promise<void> {
  const { url } = peer.endpoint
  const authors = [...new Set(events.map(({ pubkey }) => pubkey))].filter((author) => !state.run.isAsked(url, author))
  const learn = async (requests: readonly NostrEvent[]): Promise<void> => {
    const valid = await keepValid(requests, verifier)
    if (valid.length === 0) return
    state.transaction(() => {
      for (const event of valid) recordVanishRequest(event, targetNames, state.run)
    })
  }
  if (authors.length === 0) return
  await findVanishRequests(peer, authors, learn, onGap)
  state.transaction(() => state.run.markAsked(url, authors))
}

/** Returns why an event no longer counts, by what this run knows; `undefined` when it does. */
export function withdrawnBecause(
  event: NostrEvent,
  { startedAt, options, world }: Judging,
): 'expired' | 'vanished' | 'deleted' | undefined {
  if (isExpired(event, startedAt)) return 'expired'
  if (hasVanished(event, world.state.run)) return 'vanished'
  return options.deletions === 'apply' && isDeleted(event, world.state.run) ? 'deleted' : undefined
}

/**
 * Whether an older version may count in place of this one. A deletion of the address or a request to vanish takes all
 * older versions too.
 */
export function leavesOlder(event: NostrEvent, run: Judging): boolean {
  const why = withdrawnBecause(event, run)
  return why === 'expired' || (why === 'deleted' && isDeletedById(event, run.world.state.run))
}
