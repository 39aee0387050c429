import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { isRootKind, KIND } from '../nostr/kinds.ts'
import type { Membership } from '../scope/membership.ts'

/** The stage before all others: deletions of versions that the target serves and that an older one will replace. */
export const FIRST_STAGE = -1

const REPOSITORIES_PER_BATCH = 300
const STAGES_PER_BATCH = 1_000
const STATES = STAGES_PER_BATCH - 1
const ROOTS = 1_000_000_000
const REST = ROOTS + 1
const DELETIONS = ROOTS + 2

/**
 * Returns the order of publishing. Repositories come first, in batches: announcements of owners, of those they list, of
 * those these list, and so on, then states. Roots follow, then the rest, and deletions last: a kind 5 that arrives
 * before its target lets the target in. A relay takes a maintainer's announcement when it has, or has pending, one that
 * lists him.
 */
export function createStaging(members: Membership): { stageOf(event: NostrEvent): number } {
  const identifiers = [...new Set([...members.announcements].map(identifierOf))].sort()
  const batches = new Map(identifiers.map((d, index) => [d, Math.floor(index / REPOSITORIES_PER_BATCH)]))
  const batchOf = (address: string): number => (batches.get(identifierOf(address)) ?? 0) * STAGES_PER_BATCH
  const distanceOf = (address: string): number => Math.min(members.distances.get(address) ?? 0, STATES - 1)
  return {
    stageOf: (event) => {
      const address = addressOf(event) ?? ''
      if (event.kind === KIND.announcement) return batchOf(address) + distanceOf(address)
      if (event.kind === KIND.state) return batchOf(address) + STATES
      if (isRootKind(event.kind)) return ROOTS
      return event.kind === KIND.deletion ? DELETIONS : REST
    },
  }
}

function identifierOf(address: string): string {
  return parseAddress(address)?.d ?? ''
}
