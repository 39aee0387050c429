/*
 * Why a relay may rightly cease to serve what it held: its author deleted it (NIP-09) or asked to be forgotten
 * (NIP-62), or it belongs to a repository that was deleted, or that left the service. ngit-grasp takes state and
 * threads of such a repository from sight with it. Whoever may know is asked, since a relay need not keep the deletions
 * that it followed.
 */
import { LostRelayError } from '../errors.ts'
import { addressOf, isNewerVersion, parseAddress } from '../nostr/address.ts'
import { readAnnouncement } from '../nostr/announcement.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { relayNames, vanishesUntil } from '../nostr/vanish.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findDeletions, findVanishRequests, findVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { isEarlyGrasp } from '../relay/software.ts'
import { askedPeers } from '../run/ask-sources.ts'
import { isOwned } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Witness } from '../store/witnesses.ts'

/** Who is asked about what one relay no longer serves. */
type Asking = { readonly relay: Peer; readonly others: readonly Peer[]; readonly run: ScopedRun }

/**
 * What authors took back. `deleted`: up to which `created_at`, by author and reference, of what is asked about only.
 */
type Withdrawals = { readonly deleted: Map<string, number>; readonly vanished: Set<string> }

/** Everybody who may know of deletions and newer announcements. A discovered source knows about few repositories. */
function everybody({ target, sources }: ScopedRun): readonly Peer[] {
  return [target, ...askedPeers(sources.filter(({ narrowing }) => narrowing === undefined))]
}

/** Tells whether a repository that is announced like this has left the target; absent where any is taken. */
function departureFrom(
  relay: Peer,
  { target, choice: { scope } }: ScopedRun,
): ((announcement: NostrEvent) => boolean) | undefined {
  if (relay !== target || scope.type !== 'listed') return undefined
  const rule = isEarlyGrasp(target.profile) ? 'early' : 'today'
  return (event) => !isOwned(scope, readAnnouncement(event, rule), rule)
}

/** Of what is missing at a relay, what no deletion, no vanish request and no fate of its repository explains. */
export async function findUnexplained(missing: readonly Witness[], relay: Peer, run: ScopedRun): Promise<Witness[]> {
  if (missing.length === 0) return []
  const others = everybody(run).filter(({ endpoint }) => endpoint.url !== relay.endpoint.url)
  const asking = { relay, others, run }
  const withdrawals = await findWithdrawals(missing, asking)
  const unexplained = missing.filter((witness) => !isWithdrawn(witness, withdrawals))
  const gone = await findGoneRepositories(repositoriesOf(unexplained), withdrawals, asking)
  return unexplained.filter(
    ({ repositories }) => repositories.length === 0 || !repositories.every((at) => gone.has(at)),
  )
}

/** The gate of ngit-grasp has no bound: whatever the author of a vanish request wrote is gone, also what is newer. */
function isWithdrawn({ pubkey, id, address, createdAt }: Witness, { deleted, vanished }: Withdrawals): boolean {
  if (vanished.has(pubkey) || deleted.has(keyOf(pubkey, id))) return true
  return address !== undefined && (deleted.get(keyOf(pubkey, address)) ?? -1) >= createdAt
}

async function findWithdrawals(missing: readonly Witness[], { relay, others, run }: Asking): Promise<Withdrawals> {
  const withdrawals: Withdrawals = { deleted: new Map(), vanished: new Set() }
  const ids = new Map(missing.map(({ id, pubkey }) => [id, pubkey]))
  const addresses = [...new Set([...missing.flatMap(({ address }) => address ?? []), ...repositoriesOf(missing)])]
  const references = new Set([...ids.keys(), ...addresses])
  const authors = [...new Set([...ids.values(), ...addresses.map(authorOf)])]
  const names = relayNames(relay.endpoint.url, relay === run.target ? run.options.service : undefined)
  const learn = async (events: readonly NostrEvent[]): Promise<void> => {
    for (const event of await keepValid(events, run.world.verifier)) {
      noteDeletion(event, references, withdrawals)
      if (vanishesUntil(event, names) !== undefined) withdrawals.vanished.add(event.pubkey)
    }
  }
  const asked = [relay, ...others].flatMap((peer) => [
    findDeletions(peer, { ids, addresses }, learn),
    findVanishRequests(peer, authors, learn),
  ])
  await Promise.all(asked.map(ifAnswered))
  return withdrawals
}

function noteDeletion(event: NostrEvent, references: ReadonlySet<string>, { deleted }: Withdrawals): void {
  if (event.kind !== KIND.deletion) return
  const { ids, addresses } = readDeletion(event)
  for (const reference of [...ids, ...addresses].filter((each) => references.has(each))) {
    const key = keyOf(event.pubkey, reference)
    deleted.set(key, Math.max(event.created_at, deleted.get(key) ?? 0))
  }
}

/**
 * Deleted and not announced anew, announced by somebody who has vanished, or no longer at home at the relay by its
 * newest announcement.
 */
async function findGoneRepositories(
  addresses: readonly string[],
  { deleted, vanished }: Withdrawals,
  { relay, others, run }: Asking,
): Promise<ReadonlySet<string>> {
  const hasLeft = departureFrom(relay, run)
  const isInQuestion = (address: string): boolean =>
    hasLeft !== undefined || deleted.has(keyOf(authorOf(address), address))
  const newest = await findNewest(addresses.filter(isInQuestion), { relay, others, run })
  const isGone = (address: string): boolean => {
    const author = authorOf(address)
    const announcement = newest.get(address)
    if (announcement !== undefined && hasLeft?.(announcement) === true) return true
    return vanished.has(author) || (deleted.get(keyOf(author, address)) ?? -1) >= (announcement?.created_at ?? 0)
  }
  return new Set(addresses.filter(isGone))
}

/** The newest announcement at each of these addresses, wherever it is known. */
async function findNewest(
  addresses: readonly string[],
  { relay, others, run }: Asking,
): Promise<ReadonlyMap<string, NostrEvent>> {
  const newest = new Map<string, NostrEvent>()
  if (addresses.length === 0) return newest
  const wanted = new Set(addresses)
  const learn = (events: Iterable<NostrEvent>): void => {
    for (const event of events) {
      const address = addressOf(event) ?? ''
      const known = newest.get(address)
      if (wanted.has(address) && (known === undefined || isNewerVersion(event, known))) newest.set(address, event)
    }
  }
  learn(run.world.state.anchors.announcements())
  const asked = [relay, ...others].map(async (peer) => {
    const versions = await findVersions(peer, addresses)
    learn(await keepValid([...versions.values()], run.world.verifier))
  })
  await Promise.all(asked.map(ifAnswered))
  return newest
}

/** A relay that does not answer explains nothing. */
async function ifAnswered(asking: Promise<unknown>): Promise<void> {
  try {
    await asking
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
  }
}

function repositoriesOf(witnesses: readonly Witness[]): string[] {
  return [...new Set(witnesses.flatMap(({ repositories }) => repositories))]
}

function authorOf(address: string): string {
  return parseAddress(address)?.pubkey ?? ''
}

function keyOf(author: string, reference: string): string {
  return `${author} ${reference}`
}
