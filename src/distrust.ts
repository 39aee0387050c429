import type { Ledger } from './ledger.ts'
import type { OpenSource } from './reading.ts'
import type { Peer } from './relay/peer.ts'
import { hasLostEverything, type TrustContext } from './trust.ts'

/** What it takes to stop believing checkpoints, and to say so. */
export type DistrustContext = TrustContext & { readonly ledger: Ledger; readonly overlapSeconds: number }

/** A source that serves nothing of what it once had loses its checkpoints. */
export async function distrustSource({ peer, log }: OpenSource, context: DistrustContext): Promise<void> {
  const { state, ledger } = context
  const { url } = peer.endpoint
  if (!(await hasLostEverything(peer, context))) return
  log.note('serves nothing of what it once had, so everything is read')
  ledger.problem({ what: 'source', where: url, reason: 'serves nothing of what it once had', example: null })
  state.coverage.void(url)
  state.witnesses.forget(url)
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
