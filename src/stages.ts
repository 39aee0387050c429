import { addressOf, parseAddress } from './nostr/address.ts'
import type { NostrEvent } from './nostr/event.ts'
import { isRootKind, KIND } from './nostr/kinds.ts'
import type { Membership } from './scope.ts'

const REPOSITORIES_PER_BATCH = 300
const STAGES_PER_BATCH = 4
const ROOTS = 1_000_000
const REST = ROOTS + 1
const DELETIONS = ROOTS + 2

/**
 * The order of publishing: repositories in batches (owners' announcements, co-maintainers', states), then roots, then
 * the rest, deletions last: a kind 5 that arrives before its target lets the target in.
 */
export function createStaging(members: Membership): { stageOf(event: NostrEvent): number } {
  const identifiers = [...new Set([...members.announcements].map(identifierOf))].sort()
  const batches = new Map(identifiers.map((d, index) => [d, Math.floor(index / REPOSITORIES_PER_BATCH)]))
  const batchOf = (address: string): number => (batches.get(identifierOf(address)) ?? 0) * STAGES_PER_BATCH
  return {
    stageOf: (event) => {
      const address = addressOf(event) ?? ''
      if (event.kind === KIND.announcement) return batchOf(address) + (members.coMaintained.has(address) ? 1 : 0)
      if (event.kind === KIND.state) return batchOf(address) + 2
      if (isRootKind(event.kind)) return ROOTS
      return event.kind === KIND.deletion ? DELETIONS : REST
    },
  }
}

function identifierOf(address: string): string {
  return parseAddress(address)?.d ?? ''
}
