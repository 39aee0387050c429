import { settleEnds } from '../relay/endpoint.ts'
import type { Run } from '../run/run.ts'

/**
 * Handles answers beside the layers that were taken back: a source was not read to its end; at the target, deletions
 * and newer versions may have been missed, so no checkpoint moves.
 */
export async function settleAsides(run: Run): Promise<void> {
  await settleOpen(run)
  const { sources, targetAside, targetGaps, world } = run
  if (targetAside.contradiction !== undefined) {
    targetGaps.note(`its answers about deletions and versions: ${targetAside.contradiction}`)
    world.state.checkpoints.holdBack()
  }
  for (const { peer, log, aside } of sources) {
    if (aside.contradiction === undefined) continue
    log.fail(aside.contradiction)
    world.state.checkpoints.noteAllOpen(peer.endpoint.url)
  }
}

/** Waits for all relays at once until no answer beside the layers can be taken back. */
export async function settleOpen({ sources, target, targetAside }: Run): Promise<void> {
  const asked = [{ peer: target, aside: targetAside }, ...sources]
  const open = asked.filter(({ aside }) => aside.isOpen)
  await Promise.all(open.map(({ peer }) => settleEnds(peer.endpoint)))
}
