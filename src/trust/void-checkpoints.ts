import { askedPeers } from '../run/ask-sources.ts'
import type { Fate } from '../run/fate.ts'
import type { Ledger } from '../run/ledger.ts'
import { readAnnouncement } from '../nostr/announcement.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { RoleRule } from '../nostr/roles.ts'
import type { OpenSource } from '../run/source.ts'
import type { Peer } from '../relay/peer.ts'
import { isEarlyGrasp } from '../relay/software.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { isOwned, type Scope } from '../scope/scope.ts'
import type { Witness } from '../store/witnesses.ts'
import { checkWitnesses, countUnexplained, hasLostEverything, type TrustContext } from './check-witnesses.ts'

/** What it takes to stop believing checkpoints, and to say so. */
export type DistrustContext = TrustContext & {
  readonly ledger: Ledger
  readonly fate: Fate
  readonly overlapSeconds: number
}

/** What a run knows that its checkpoints are measured by. */
export function createDistrust(
  run: Pick<ScopedRun, 'options' | 'world' | 'startedAt' | 'target' | 'ledger' | 'fate' | 'choice' | 'sources'>,
): DistrustContext {
  const { options, world, startedAt, target, ledger, fate, choice, sources } = run
  const rule = isEarlyGrasp(target.profile) ? 'early' : 'today'
  return {
    state: world.state,
    verifier: world.verifier,
    now: startedAt,
    ledger,
    fate,
    overlapSeconds: options.overlapSeconds,
    // A discovered source is asked about nothing but the repositories that name it.
    peers: () => [target, ...askedPeers(sources.filter(({ narrowing }) => narrowing === undefined))],
    serviceOf: (relay) => (relay === target ? options.service : undefined),
    departureFrom: (relay) =>
      relay === target && choice.scope.type === 'listed' ? hasLeft(choice.scope, rule) : undefined,
  }
}

/** Whether an announcement does not name the service: on its own it is out of scope. */
function hasLeft(scope: Scope, rule: RoleRule): (event: NostrEvent) => boolean {
  return (event) => !isOwned(scope, readAnnouncement(event, rule), rule)
}

/**
 * A target that no longer shows what it held was restored or replaced; one of which nothing is known may be. Throws
 * LostRelayError.
 */
export async function distrustTarget(target: Peer, context: DistrustContext): Promise<void> {
  const { checkpoints } = context.state
  if (!restsOnTarget(context.state)) return
  const { asked, unexplained } = await checkWitnesses(target, context)
  if (unexplained > 0) return voidCheckpoints(unexplained, target, context)
  if (asked > 0) return
  checkpoints.ignoreInThisRun()
  if (!checkpoints.isEmpty({ withEvents: true }))
    context.ledger.note('Nothing shows that the target still is what it was, so everything is read.')
}

/** The same, when it does not serve any more what it was known to hold. Throws LostRelayError. */
export async function distrustLosses(lost: readonly Witness[], target: Peer, context: DistrustContext): Promise<void> {
  if (!restsOnTarget(context.state)) return
  const unexplained = await countUnexplained(lost, target, context)
  if (unexplained > 0) voidCheckpoints(unexplained, target, context)
}

/**
 * Whether anything is remembered that holds only while the target is what it was: checkpoints, or what it made us
 * settle.
 */
function restsOnTarget({ checkpoints, spool }: DistrustContext['state']): boolean {
  return !checkpoints.isEmpty() || spool.count('held') + spool.count('refused') > 0
}

function voidCheckpoints(missing: number, target: Peer, { state, ledger, fate }: DistrustContext): void {
  ledger.note(
    `The target no longer serves ${missing} of the events that it held: it was restored or replaced, so everything is read.`,
  )
  state.checkpoints.void()
  state.witnesses.forget(target.endpoint.url)
  fate.reopenDisplaced()
}

/**
 * A source that serves nothing of what it once had was not read to its end, whatever it says: it is emptied, or being
 * restored. Its checkpoints, which say what is still to be read, and its witnesses stay until it serves something
 * again.
 */
export async function distrustSource({ peer, log }: OpenSource, context: DistrustContext): Promise<void> {
  // A file may be another one under the same name: it has no checkpoints.
  if (peer.endpoint.kind !== 'relay' || !(await hasLostEverything(peer, context))) return
  const lastProved = context.state.witnesses.lastProved(peer.endpoint.url) ?? 0
  log.fail('serves nothing of what it once had')
  log.note(`nothing that it held on ${new Date(lastProved * 1000).toISOString()} is there any more`)
  context.state.checkpoints.holdBack(peer.endpoint.url)
}

/**
 * A clock that is off by more than a third of the overlap eats it up: the run is full, and a checkpoint of its start
 * may lie in the future, so none moves. It is ours that is wrong, as far as anybody knows, when the target says so,
 * when no relay agrees with it, or when two relays agree with each other against it; else it is that of a source.
 */
export function distrustClocks(target: Peer, sources: readonly Peer[], context: DistrustContext): void {
  const { state, ledger, overlapSeconds } = context
  const offsets = new Map([target, ...sources].map((peer) => [peer, peer.profile.clockOffsetSeconds]))
  const known = [...offsets].flatMap(([peer, seconds]) => (seconds === undefined ? [] : [{ peer, seconds }]))
  const off = known.filter(({ seconds }) => isOff(seconds, overlapSeconds))
  if (off.length === 0) return
  state.checkpoints.ignoreInThisRun()
  for (const { peer, seconds } of off) ledger.note(`${describeClock(peer, seconds)}, so everything is read.`)
  const isDoubted = off.length === known.length || off.some(({ peer }) => peer === target) || haveTwoAlike(off, context)
  if (!isDoubted) return off.forEach(({ peer }) => holdBackFor(peer, context))
  ledger.note('The clock of this machine may be wrong: no checkpoint moves.')
  state.checkpoints.holdBack()
}

/** The same for a source that was discovered on the way. */
export function distrustClock(source: Peer, context: DistrustContext): void {
  const { clockOffsetSeconds: seconds = 0 } = source.profile
  if (!isOff(seconds, context.overlapSeconds)) return
  context.ledger.note(`${describeClock(source, seconds)}, so everything is read there.`)
  holdBackFor(source, context)
}

function holdBackFor({ endpoint }: Peer, { state, ledger }: DistrustContext): void {
  ledger.note(`The checkpoints of ${endpoint.url} stay as they were, because of its clock.`)
  state.checkpoints.holdBack(endpoint.url)
}

function isOff(seconds: number, overlapSeconds: number): boolean {
  return Math.abs(seconds) > overlapSeconds / 3
}

function haveTwoAlike(off: readonly { readonly seconds: number }[], { overlapSeconds }: DistrustContext): boolean {
  const sorted = off.map(({ seconds }) => seconds).sort((a, b) => a - b)
  return sorted.some((seconds, index) => index > 0 && !isOff(seconds - (sorted[index - 1] ?? 0), overlapSeconds))
}

function describeClock({ endpoint }: Peer, seconds: number): string {
  return `The clock of ${endpoint.url} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} ours`
}
