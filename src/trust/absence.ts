/*
 * Why a relay may rightly stop serving an event: its author deleted it (NIP-09) or asked to be forgotten (NIP-62), or
 * its repository was deleted or left the service. ngit-grasp hides the state and threads of such a repository too.
 * Target and sources are all asked, since a relay need not keep the deletions that it followed.
 */
import { LostRelayError } from '../errors.ts'
import { addressOf, isNewerVersion, parseAddress } from '../nostr/address.ts'
import { readAnnouncement } from '../nostr/announcement.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { relayNames, vanishesUntil } from '../nostr/vanish.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findDeletions, findVanishRequests } from '../relay/find-removals.ts'
import { findVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { isEarlyGrasp } from '../relay/software.ts'
import { askedPeers } from '../run/ask-sources.ts'
import { isOwned } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Witness } from '../store/witnesses.ts'

/** Who is asked about what one relay no longer serves. */
type Asking = { readonly relay: Peer; readonly others: readonly Peer[]; readonly run: ScopedRun }

/** What authors took back. `deleted`: up to which `created_at`, by author and reference, where asked about. */
type Withdrawals = { readonly deleted: Map<string, number>; readonly vanished: Set<string> }

/** Returns the relays that may know of deletions and newer announcements, without discovered sources. */
function everybody({ target, sources }: ScopedRun): readonly Peer[] {
  return [target, ...askedPeers(sources.filter(({ narrowing }) => narrowing === undefined))]
}

/** Returns a test for announcements that have left a `listed` target; `undefined` for sources and other scopes. */
function departureFrom(
  relay: Peer,
  { target, choice: { scope } }: ScopedRun,
): ((announcement: NostrEvent) => boolean) | undefined {
  if (relay !== target || scope.type !== 'listed') return undefined
  const rule = isEarlyGrasp(target.profile) ? 'early' : 'today'
  return (event) => !isOwned(scope, readAnnouncement(event, rule), rule)
}

/** Returns witnesses whose absence no deletion, no vanish request and no fate of their repository explains. */
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

/** A request to vanish has no bound here, as in ngit-grasp: whatever its author wrote is gone, newer events too. */
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
 * Returns the repositories that were deleted and not announced anew, whose author has vanished, or whose newest
 * announcement has left the relay.
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

/** Returns the newest announcement at each of these addresses, from the state file and all relays. */
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
