/*
 * Which relays announcements lead to (`--discover`), and why some are not followed. Announcements are written by strangers:
 * a URL decides nothing but where we ask, and what it may be is decided here and once more for the addresses it resolves to.
 */
import type { Announcement } from './nostr/announcement.ts'
import { hostKey, relayBehindClone, relayKey, relayWithoutQuery } from './nostr/host.ts'
import { classifyHost, type HostClass } from './relay/public-address.ts'
import type { DiscoveryPolicy } from './run-options.ts'
import { maintainersOf } from './scope.ts'

/** Why a relay that is named is not asked. */
export type LeftOut =
  'cap' | 'unseen' | 'private' | 'special' | 'hidden' | 'insecure' | 'target' | 'unusable' | 'excess'

/** A relay that announcements name, and the repositories that it is asked about: addresses `30617:…`. */
export type Candidate = {
  readonly key: string
  /** With and without encryption, what most people write first. */
  readonly urls: readonly [string, ...string[]]
  readonly repositories: ReadonlySet<string>
  /** How many people name it. */
  readonly authors: number
}

/** A relay to look at, by one URL. */
export type Chosen = Pick<Candidate, 'key' | 'repositories'> & { readonly url: string }

/** The relays that announcements name, those that most people name first, and the URLs that lead to none. */
export type Findings = {
  readonly candidates: readonly Candidate[]
  readonly leftOut: readonly Omission[]
}

/** A URL that is not followed, as it was found. */
export type Omission = { readonly url: string; readonly why: LeftOut }

const URLS_PER_ANNOUNCEMENT = 50
const MAX_URL_LENGTH = 300

/** Who writes each URL of a relay. */
type Gathered = { readonly writers: Map<string, Set<string>>; readonly repositories: Set<string> }

/**
 * The relays that announcements name. A repository is an announcement with those of its maintainers for the same
 * identifier, and a relay that one of them names is asked about all of them: their states and threads lie together.
 */
export function findCandidates(known: ReadonlyMap<string, Announcement>): Findings {
  const gathered = new Map<string, Gathered>()
  const read = new Map([...known].map(([address, announcement]) => [address, readRelays(announcement)]))
  for (const owner of known.values()) {
    const repository = [owner.address, ...maintainersOf(owner, known)]
    for (const member of repository) {
      const pubkey = known.get(member)?.pubkey ?? ''
      for (const url of read.get(member)?.urls ?? []) gather(gathered, url, pubkey, repository)
    }
  }
  const candidates = [...gathered].flatMap(([key, found]) => toCandidate(key, found))
  candidates.sort((a, b) => b.authors - a.authors || (a.key < b.key ? -1 : 1))
  return { candidates, leftOut: [...read.values()].flatMap(({ leftOut }) => leftOut) }
}

/** What is known when relays are chosen: keys of `relayKey`, hosts of `hostKey`. */
export type Choice = {
  readonly policy: DiscoveryPolicy
  /** Sources already, named or discovered. */
  readonly sources: ReadonlySet<string>
  /** The hosts of the target: no path of them is a source. */
  readonly targetHosts: ReadonlySet<string>
  /** Found to be unfit when they were looked at more closely. */
  readonly refused: ReadonlyMap<string, LeftOut>
  /** How many more may be looked at, and why not more. */
  readonly room: number
  readonly limit: 'cap' | 'unseen'
}

/** The relays to look at now, and those that are left out. Sources and the target are neither. */
export function chooseRelays(
  candidates: readonly Candidate[],
  choice: Choice,
): { readonly chosen: readonly Chosen[]; readonly leftOut: readonly Omission[] } {
  const { policy, sources, targetHosts, refused, room, limit } = choice
  const strange = candidates.filter(({ key, urls }) => !sources.has(key) && !targetHosts.has(hostKey(urls[0])))
  const judged = strange.map(({ key, urls, repositories }) => {
    const url = urls.find((each) => refusalByName(each, policy) === undefined) ?? urls[0]
    return { key, url, repositories, why: refused.get(key) ?? refusalByName(url, policy) }
  })
  const fit = judged.filter(({ why }) => why === undefined)
  const unfit = judged.flatMap(({ url, why }) => (why === undefined ? [] : [{ url, why }]))
  const beyond = fit.slice(room).map(({ url }): Omission => ({ url, why: limit }))
  return { chosen: fit.slice(0, room), leftOut: [...beyond, ...unfit] }
}

function refusalByName(url: string, policy: DiscoveryPolicy): LeftOut | undefined {
  return refusalOf(classifyHost(new URL(url).hostname), url, policy)
}

/** Why a host, or an address that it resolves to, is not followed; `undefined` when it may be. */
export function refusalOf(host: HostClass, url: string, policy: DiscoveryPolicy): LeftOut | undefined {
  switch (host) {
    case 'hidden':
    case 'special':
      return host
    case 'private':
      return policy.allowPrivate ? undefined : 'private'
    case 'public':
      return url.startsWith('wss:') || policy.allowInsecure ? undefined : 'insecure'
  }
}

const REASONS: Readonly<Record<LeftOut, string>> = {
  cap: 'beyond --discover-max',
  unseen: 'not looked up any more after too many that were unfit',
  private: 'at loopback or private addresses, see --discover-allow private',
  special: 'at addresses where no relay can be (link-local, multicast, reserved)',
  hidden: 'in another network (onion)',
  insecure: 'without encryption (ws://), see --discover-allow insecure',
  target: 'the target under another name',
  unusable: 'not the URL of a relay',
  excess: `beyond the first ${URLS_PER_ANNOUNCEMENT} of one announcement`,
}
const NAMED = 5
const SHOWN_LENGTH = 60

/** A sentence for each reason why relays were left out: how many, and the first of them by name. */
export function describeLeftOut(omissions: readonly Omission[]): string[] {
  const reasons = Object.keys(REASONS) as LeftOut[]
  return reasons.flatMap((why) => {
    const urls = [...new Set(omissions.filter((omission) => omission.why === why).map(({ url }) => url))].sort()
    if (urls.length === 0) return []
    const named = urls.slice(0, NAMED).map(shorten).join(', ')
    const others = urls.length > NAMED ? ` and ${urls.length - NAMED} more` : ''
    return [`Discovery left out ${urls.length} URL${urls.length > 1 ? 's' : ''}: ${REASONS[why]}: ${named}${others}.`]
  })
}

function shorten(url: string): string {
  return url.length > SHOWN_LENGTH ? `${url.slice(0, SHOWN_LENGTH)}…` : url
}

function gather(gathered: Map<string, Gathered>, url: string, pubkey: string, repository: readonly string[]): void {
  const key = relayKey(url)
  const found: Gathered = gathered.get(key) ?? { writers: new Map(), repositories: new Set() }
  found.writers.set(url, (found.writers.get(url) ?? new Set()).add(pubkey))
  for (const address of repository) found.repositories.add(address)
  gathered.set(key, found)
}

/** Encrypted first where as many people write a relay with and without: one stranger must not hide it behind a dead port. */
function toCandidate(key: string, { writers, repositories }: Gathered): Candidate[] {
  const byWriters = [...writers].sort(([a, writersOfA], [b, writersOfB]) => {
    return writersOfB.size - writersOfA.size || (a < b ? 1 : -1)
  })
  const [first, ...others] = byWriters.map(([url]) => url)
  if (first === undefined) return []
  const authors = new Set([...writers.values()].flatMap((pubkeys) => [...pubkeys])).size
  return [{ key, urls: [first, ...others], repositories, authors }]
}

/** The relays that one announcement names: in `relays`, and as the host of a `clone` URL of GRASP. */
function readRelays({ relays, clone }: Announcement): { urls: readonly string[]; leftOut: readonly Omission[] } {
  const [named, excess] = [relays.slice(0, URLS_PER_ANNOUNCEMENT), relays.slice(URLS_PER_ANNOUNCEMENT)]
  const read = named.map((text) => ({ text, url: text.length > MAX_URL_LENGTH ? undefined : relayWithoutQuery(text) }))
  const hosts = clone.slice(0, URLS_PER_ANNOUNCEMENT).flatMap((url) => relayBehindClone(url) ?? [])
  const unusable = read.filter(({ text, url }) => url === undefined && text.trim() !== '')
  return {
    urls: [...read.flatMap(({ url }) => url ?? []), ...hosts],
    leftOut: [
      ...unusable.map(({ text }): Omission => ({ url: text, why: 'unusable' })),
      ...excess.map((url): Omission => ({ url, why: 'excess' })),
    ],
  }
}
