import { withinBudget } from './fetch.ts'
import type { OpenSource } from './reading.ts'
import type { AskedPeer } from './select.ts'

/** The sources as they are asked beside their layers: within the same budget. One that was given up is not asked any more. */
export function askedPeers(sources: readonly OpenSource[]): AskedPeer[] {
  const answering = sources.filter(({ peer }) => peer.endpoint.givenUp?.() === undefined)
  return answering.map(({ peer, budget, narrowing }) => ({
    ...peer,
    endpoint: withinBudget(peer.endpoint, budget),
    isAskedAbout: narrowing?.isAskedAbout,
  }))
}
