import { askedPeers } from './asked-peers.ts'
import type { Ledger } from './ledger.ts'
import { readAnnouncement } from './nostr/announcement.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { RoleRule } from './nostr/roles.ts'
import type { OpenSource } from './reading.ts'
import type { Peer } from './relay/peer.ts'
import { isEarlyGrasp } from './relay/software.ts'
import type { Run } from './run.ts'
import { isOwned, type Scope } from './scope.ts'
import type { Witness } from './store/witnesses.ts'
import { checkWitnesses, countUnexplained, hasLostEverything, type TrustContext } from './trust.ts'

/** What it takes to stop believing checkpoints, and to say so. */
export type DistrustContext = TrustContext & { readonly ledger: Ledger; readonly overlapSeconds: number }

/** What a run knows that its checkpoints are measured by. */
export function createDistrust(
  run: Pick<Run, 'options' | 'world' | 'startedAt' | 'target' | 'ledger' | 'choice' | 'sources'>,
): DistrustContext {
  const { options, world, startedAt, target, ledger, choice, sources } = run
  const rule = isEarlyGrasp(target.profile) ? 'early' : 'today'
  return {
    state: world.state,
    verifier: world.verifier,
    now: startedAt,
    ledger,
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

/** A target that no longer shows what it held was restored or replaced; one of which nothing is known may be. Throws LostRelayError. */
export async function distrustTarget(target: Peer, context: DistrustContext): Promise<void> {
  const { coverage } = context.state
  if (coverage.isEmpty()) return
  const { asked, unexplained } = await checkWitnesses(target, context)
  if (unexplained > 0) return voidCheckpoints(unexplained, target, context)
  if (asked > 0) return
  coverage.ignoreInThisRun()
  if (!coverage.isEmpty({ withEvents: true }))
    context.ledger.note('Nothing shows that the target still is what it was, so everything is read.')
}

/** The same, when it does not serve any more what it was known to hold. Throws LostRelayError. */
export async function distrustLosses(lost: readonly Witness[], target: Peer, context: DistrustContext): Promise<void> {
  if (context.state.coverage.isEmpty()) return
  const unexplained = await countUnexplained(lost, target, context)
  if (unexplained > 0) voidCheckpoints(unexplained, target, context)
}

function voidCheckpoints(missing: number, target: Peer, { state, ledger }: DistrustContext): void {
  ledger.note(
    `The target no longer serves ${missing} of the events that it held: it was restored or replaced, so everything is read.`,
  )
  state.coverage.void()
  state.witnesses.forget(target.endpoint.url)
}

/**
 * A source that serves nothing of what it once had was not read to its end, whatever it says: it is emptied, or being
 * restored. Its checkpoints, which say what is still to be read, and its witnesses stay until it serves something again.
 */
export async function distrustSource({ peer, log }: OpenSource, context: DistrustContext): Promise<void> {
  // A file may be another one under the same name: it has no checkpoints.
  if (peer.endpoint.kind !== 'relay' || !(await hasLostEverything(peer, context))) return
  const lastProved = context.state.witnesses.lastProved(peer.endpoint.url) ?? 0
  log.fail('serves nothing of what it once had')
  log.note(`nothing that it held on ${new Date(lastProved * 1000).toISOString()} is there any more`)
  context.state.coverage.holdBack(peer.endpoint.url)
}

/** A clock that is off by more than a third of the overlap eats it up: the run is full (of `source` alone, when that is given) and says so. */
export function distrustClock(peer: Peer, { state, ledger, overlapSeconds }: DistrustContext, source?: string): void {
  const offset = peer.profile.clockOffsetSeconds ?? 0
  if (Math.abs(offset) <= overlapSeconds / 3) return
  const direction = offset > 0 ? 'ahead of' : 'behind'
  const where = source === undefined ? '' : ' there'
  ledger.note(
    `The clock of ${peer.endpoint.url} is ${Math.abs(Math.round(offset))} s ${direction} ours, so everything is read${where}.`,
  )
  state.coverage.ignoreInThisRun(source)
}
