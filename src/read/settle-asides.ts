import { settleEnds } from '../relay/endpoint.ts'
import type { Run } from '../run/run.ts'

/**
 * What was answered beside the layers may be taken back as well: then that source was not read to its end, or what the
 * target knows of deletions and of newer versions may have been missed.
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

/** Waits, at all relays at once, until no answer that was given beside the layers can be taken back any more. */
export async function settleOpen({ sources, target, targetAside }: Run): Promise<void> {
  const asked = [{ peer: target, aside: targetAside }, ...sources]
  const open = asked.filter(({ aside }) => aside.isOpen)
  await Promise.all(open.map(({ peer }) => settleEnds(peer.endpoint)))
}
