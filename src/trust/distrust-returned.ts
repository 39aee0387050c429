/*
 * A relay that was lost on the way may come back without its database, restored from a backup, or as another behind
 * the same name. What it did not show after that proves nothing, and what it held before may be gone. So it is asked, at
 * the end, for what it has shown in this run.
 */
import { LostRelayError, reasonOf } from '../errors.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { failSource } from '../run/ask-sources.ts'
import { withinBudget } from '../run/budget.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { countLost } from './check-witnesses.ts'

/** Marks relays that came back without what they had shown: they were not read to their end, no checkpoint moves. */
export async function distrustReturned(run: ScopedRun): Promise<void> {
  const sources = run.sources.filter(({ peer }) => hasReturned(peer.endpoint))
  const ofSources = sources.map((source) => distrustSource(source, run))
  await Promise.all([...ofSources, ...(hasReturned(run.target.endpoint) ? [distrustTarget(run)] : [])])
}

function hasReturned(endpoint: Endpoint): boolean {
  return endpoint.kind === 'relay' && endpoint.hasReturned()
}

async function distrustSource({ peer, budget, log }: OpenSource, run: ScopedRun): Promise<void> {
  try {
    const lost = await countLost({ ...peer, endpoint: withinBudget(peer.endpoint, budget) }, run)
    if (lost === 0) return
    log.fail(describe(lost))
    run.world.state.checkpoints.noteAllOpen(peer.endpoint.url)
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
    failSource(peer, error, run)
  }
}

async function distrustTarget(run: ScopedRun): Promise<void> {
  try {
    const lost = await countLost(run.target, run)
    if (lost > 0) doubtTarget(describe(lost), run)
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
    doubtTarget(`it was lost on the way: ${reasonOf(error)}`, run)
  }
}

function doubtTarget(reason: string, { targetGaps, world }: ScopedRun): void {
  targetGaps.note(reason)
  world.state.checkpoints.holdBack()
}

function describe(lost: number): string {
  return `was lost on the way and came back without ${lost} of the events that it had shown`
}
