import { createHash } from 'node:crypto'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Part } from '../report/run-options.ts'

/** Whether a name lies in a part, by its hash: each lies in exactly one of T parts, so T runs of different N cover all. */
export function isInPart(name: string, { number, of }: Part): boolean {
  return partOf(name, of) === number
}

function partOf(name: string, of: number): number {
  return (createHash('sha256').update(name).digest().readUInt32BE(0) % of) + 1
}

/**
 * Whether a repository belongs to a shard: by the identifier in its address, so that all who announce it stand together
 * (docs/decisions/0020). Also for the address of a state; a hosted anchor goes by its whole name. Salted: else one part
 * of `--sample` would be one shard.
 */
export function isInShard(anchor: string, shard: Part | undefined): boolean {
  return shard === undefined || shardOf(anchor, shard.of) === shard.number
}

/** The number, from 1, of the shard that a repository belongs to, when there are so many. */
export function shardOf(anchor: string, of: number): number {
  return partOf(`shard ${parseAddress(anchor)?.d ?? anchor}`, of)
}

/**
 * Whether an event of layer 1 belongs to another shard: an announcement by its identifier, a grasp list by its author.
 * What else is found belongs to the shard that asked for it. `readsAllLists`: no author is asked by name, so each list
 * goes to one shard whatever that knows of its author.
 */
export function isOfAnotherShard(event: NostrEvent, shard: Part | undefined, readsAllLists: boolean): boolean {
  if (event.kind === KIND.announcement) return !isInShard(addressOf(event) ?? '', shard)
  return event.kind === KIND.graspList && readsAllLists && !isInShard(event.pubkey, shard)
}
