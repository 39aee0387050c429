import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Membership } from '../scope/membership.ts'
import type { Spool } from '../store/spool.ts'

/**
 * Returns a function that tells, at any time of a run, whether an announcement may still find its owner: it is in scope
 * only because somebody lists its author, and the target has taken no owner's announcement of that identifier yet.
 */
export function createOwnerWatch(members: Membership, spool: Spool): (event: NostrEvent) => boolean {
  const owners = ownersByIdentifier(members)
  return (event) => {
    const address = addressOf(event) ?? ''
    if (!isListedOnly(address, members)) return false
    return !(owners.get(identifierOf(address)) ?? []).some((owner) => isTaken(owner, spool))
  }
}

function ownersByIdentifier(members: Membership): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string[]>()
  for (const address of members.announcements) {
    if (isListedOnly(address, members)) continue
    const others = owners.get(identifierOf(address))
    if (others === undefined) owners.set(identifierOf(address), [address])
    else others.push(address)
  }
  return owners
}

/** Whether an announcement is in scope only because somebody lists its author. */
function isListedOnly(address: string, { distances }: Membership): boolean {
  return (distances.get(address) ?? 0) > 0
}

/** Whether the target has taken an owner's announcement: one that is not in the spool is served. */
function isTaken(address: string, spool: Spool): boolean {
  const version = spool.findVersion(address)
  return version === undefined || version.state === 'confirming' || version.outcome === 'pending'
}

function identifierOf(address: string): string {
  return parseAddress(address)?.d ?? ''
}
