import type { Peer } from '../relay/peer.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Witness } from '../store/witnesses.ts'
import { checkWitnesses, countUnexplained, hasLostEverything } from './check-witnesses.ts'

/**
 * Voids the checkpoints if the target no longer shows what it held: it was restored or replaced. Ignores them in this
 * run if no witness can tell. Throws LostRelayError.
 */
export async function distrustTarget(run: ScopedRun): Promise<void> {
  const { state } = run.world
  const { checkpoints } = state
  if (!restsOnTarget(state)) return
  const { asked, unexplained } = await checkWitnesses(run)
  if (unexplained > 0) return voidCheckpoints(unexplained, run)
  if (asked > 0) return
  checkpoints.ignoreInThisRun()
  if (!checkpoints.isEmpty({ withEvents: true }))
    run.ledger.note('Nothing shows that the target still is what it was, so everything is read.')
}

/** Voids the checkpoints if nothing explains why the target lost these. Throws LostRelayError. */
export async function distrustLosses(lost: readonly Witness[], run: ScopedRun): Promise<void> {
  if (!restsOnTarget(run.world.state)) return
  const unexplained = await countUnexplained(lost, run)
  if (unexplained > 0) voidCheckpoints(unexplained, run)
}

/** Whether anything is remembered that holds only while the target is what it was: checkpoints, or settled events. */
function restsOnTarget({ checkpoints, spool }: ScopedRun['world']['state']): boolean {
  return !checkpoints.isEmpty() || spool.count('held') + spool.count('refused') > 0
}

function voidCheckpoints(missing: number, { world: { state }, target, ledger, fate }: ScopedRun): void {
  ledger.note(
    `The target no longer serves ${missing} of the events that it held: it was restored or replaced, so everything is read.`,
  )
  state.checkpoints.void()
  state.witnesses.forget(target.endpoint.url)
  fate.reopenDisplaced()
}

/**
 * Marks a source that serves nothing of what it once had as not read to its end: it was emptied, or is being restored.
 * Its checkpoints, which say what is still to be read, and its witnesses stay until it serves something again.
 */
export async function distrustSource({ peer, log }: OpenSource, run: ScopedRun): Promise<void> {
  // A file may be another one under the same name: it has no checkpoints.
  if (peer.endpoint.kind !== 'relay' || !(await hasLostEverything(peer, run))) return
  const lastProved = run.world.state.witnesses.lastProved(peer.endpoint.url) ?? 0
  log.fail('serves nothing of what it once had')
  log.note(`nothing that it held on ${new Date(lastProved * 1000).toISOString()} is there any more`)
  run.world.state.checkpoints.holdBack(peer.endpoint.url)
}

/**
 * Makes the run full if a clock is off by more than a third of the overlap. Our own is in doubt when the target
 * disagrees with it, when no relay agrees with it, or when two relays agree with each other against it: a checkpoint
 * may then lie in the future, so none moves. Else only those of the sources that are off stay.
 */
export function distrustClocks(run: ScopedRun): void {
  const { target, sources, ledger } = run
  const { state } = run.world
  const { overlapSeconds } = run.options
  const peers = [target, ...sources.map(({ peer }) => peer)]
  const offsets = new Map(peers.map((peer) => [peer, peer.profile.clockOffsetSeconds]))
  const known = [...offsets].flatMap(([peer, seconds]) => (seconds === undefined ? [] : [{ peer, seconds }]))
  const off = known.filter(({ seconds }) => isOff(seconds, overlapSeconds))
  if (off.length === 0) return
  state.checkpoints.ignoreInThisRun()
  for (const { peer, seconds } of off) ledger.note(`${describeClock(peer, seconds)}, so everything is read.`)
  const isDoubted =
    off.length === known.length || off.some(({ peer }) => peer === target) || haveTwoAlike(off, overlapSeconds)
  if (!isDoubted) return off.forEach(({ peer }) => holdBackFor(peer, run))
  ledger.note('The clock of this machine may be wrong: no checkpoint moves.')
  state.checkpoints.holdBack()
}

/** Does the same for a source that was discovered during the run. */
export function distrustClock(source: Peer, run: ScopedRun): void {
  const { clockOffsetSeconds: seconds = 0 } = source.profile
  if (!isOff(seconds, run.options.overlapSeconds)) return
  run.ledger.note(`${describeClock(source, seconds)}, so everything is read there.`)
  holdBackFor(source, run)
}

function holdBackFor({ endpoint }: Peer, { world: { state }, ledger }: ScopedRun): void {
  ledger.note(`The checkpoints of ${endpoint.url} stay as they were, because of its clock.`)
  state.checkpoints.holdBack(endpoint.url)
}

function isOff(seconds: number, overlapSeconds: number): boolean {
  return Math.abs(seconds) > overlapSeconds / 3
}

function haveTwoAlike(off: readonly { readonly seconds: number }[], overlapSeconds: number): boolean {
  const sorted = off.map(({ seconds }) => seconds).sort((a, b) => a - b)
  return sorted.some((seconds, index) => index > 0 && !isOff(seconds - (sorted[index - 1] ?? 0), overlapSeconds))
}

function describeClock({ endpoint }: Peer, seconds: number): string {
  return `The clock of ${endpoint.url} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} ours`
}
