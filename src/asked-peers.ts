import { withinBudget } from './fetch.ts'
import type { OpenSource } from './reading.ts'
import type { AskedPeer } from './select.ts'

/** The sources as they are asked beside their layers: within the same budget. */
export function askedPeers(sources: readonly OpenSource[]): AskedPeer[] {
  return sources.map(({ peer, budget, narrowing }) => ({
    ...peer,
    endpoint: withinBudget(peer.endpoint, budget),
    isAskedAbout: narrowing?.isAskedAbout,
  }))
}
