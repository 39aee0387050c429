/*
 * Which relays announcements lead to (`--discover`), and why some are not followed. Strangers write announcements, so a
 * URL decides only where we ask. Whether we may is decided here by its name, and once more for the addresses it
 * resolves to.
 */
import { formatAddress } from '../nostr/address.ts'
import type { Announcement } from '../nostr/announcement.ts'
import { hostKey, relayBehindClone, relayKey, relayWithoutQuery } from '../nostr/host.ts'
import { KIND } from '../nostr/kinds.ts'
import { classifyHost, type HostClass } from '../relay/socket/public-address.ts'
import type { DiscoveryPolicy } from '../report/run-options.ts'
import type { Family } from '../scope/authority.ts'
import { groupByIdentifier } from '../scope/membership.ts'

/** Why a named relay is not asked. */
export type LeftOut = 'cap' | 'unseen' | 'private' | 'special' | 'hidden' | 'insecure' | 'target' | 'unusable'

/** A relay that announcements name, and the repositories that it is asked about: for each the addresses `30617:…`. */
export type Candidate = {
  readonly key: string
  /** With and without encryption, the one that most people write first. */
  readonly urls: readonly [string, ...string[]]
  readonly repositories: ReadonlySet<ReadonlySet<string>>
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

const MAX_URL_LENGTH = 300

/** Who writes each URL of a relay. */
type Gathered = { readonly writers: Map<string, Set<string>>; readonly repositories: Set<ReadonlySet<string>> }

/**
 * Finds the relays that announcements name. A repository is the announcements of one identifier whose authors list each
 * other, in one direction or through others. A relay that one of them names is asked about all of them: their states
 * and threads lie together. `withUrls` returns an announcement with all its URLs.
 */
export function findCandidates(
  known: ReadonlyMap<string, Announcement>,
  withUrls = (announcement: Announcement): Announcement => announcement,
): Findings {
  const gathered = new Map<string, Gathered>()
  const leftOut: Omission[] = []
  for (const family of groupByIdentifier(known.values()).values()) {
    for (const { members, addresses } of repositoriesOf(family)) {
      for (const member of members) {
        const read = readRelays(withUrls(member))
        leftOut.push(...read.leftOut)
        for (const url of read.urls) gather(gathered, { url, pubkey: member.pubkey }, addresses)
      }
    }
  }
  const candidates = [...gathered].flatMap(([key, found]) => toCandidate(key, found))
  candidates.sort((a, b) => b.authors - a.authors || (a.key < b.key ? -1 : 1))
  return { candidates, leftOut }
}

/** A repository: its announcements, and the addresses of all who maintain it, announced or not. */
type Repository = { readonly members: readonly Announcement[]; readonly addresses: ReadonlySet<string> }

/** The repositories of one identifier. Each link between announcements is followed once, in both directions. */
function repositoriesOf(family: Family): Repository[] {
  const listers = new Map<string, Announcement[]>()
  for (const by of family.values()) {
    for (const pubkey of by.listed) {
      const before = listers.get(pubkey)
      if (before === undefined) listers.set(pubkey, [by])
      else before.push(by)
    }
  }
  const visited = new Set<string>()
  return [...family.values()].flatMap((first) => {
    if (visited.has(first.pubkey)) return []
    const people = new Set([first.pubkey])
    // Grows while it is walked.
    for (const pubkey of people) {
      visited.add(pubkey)
      for (const named of family.get(pubkey)?.listed ?? []) people.add(named)
      for (const lister of listers.get(pubkey) ?? []) people.add(lister.pubkey)
    }
    return [toRepository(people, first.identifier, family)]
  })
}

function toRepository(people: ReadonlySet<string>, d: string, family: Family): Repository {
  const addresses = [...people].map((pubkey) => formatAddress({ kind: KIND.announcement, pubkey, d }))
  return { members: [...people].flatMap((pubkey) => family.get(pubkey) ?? []), addresses: new Set(addresses) }
}

/** Facts for choosing relays: keys of `relayKey`, hosts of `hostKey`. */
export type Choice = {
  readonly policy: DiscoveryPolicy
  /** The relays that are sources already, named or discovered. */
  readonly sources: ReadonlySet<string>
  /** The hosts of the target: no path on them is a source. */
  readonly targetHosts: ReadonlySet<string>
  /** Relays that a closer look found unfit. */
  readonly refused: ReadonlyMap<string, LeftOut>
  /** How many more may be looked at, and why not more. */
  readonly room: number
  readonly limit: 'cap' | 'unseen'
}

/** Returns the relays to look at now, and those that are left out. Sources and the target are neither. */
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

/** Returns why a host, or an address that it resolves to, is not followed; `undefined` when it may be. */
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

/** Adds a relay that a repository names. The addresses are shared: there may be thousands of both. */
function gather(
  gathered: Map<string, Gathered>,
  { url, pubkey }: { readonly url: string; readonly pubkey: string },
  addresses: ReadonlySet<string>,
): void {
  const key = relayKey(url)
  const found: Gathered = gathered.get(key) ?? { writers: new Map(), repositories: new Set() }
  found.writers.set(url, (found.writers.get(url) ?? new Set()).add(pubkey))
  found.repositories.add(addresses)
  gathered.set(key, found)
}

/**
 * Puts the encrypted URL first when both have equally many writers: one stranger must not hide a relay behind a dead
 * port.
 */
function toCandidate(key: string, { writers, repositories }: Gathered): Candidate[] {
  const byWriters = [...writers].sort(([a, writersOfA], [b, writersOfB]) => {
    return writersOfB.size - writersOfA.size || (a < b ? 1 : -1)
  })
  const [first, ...others] = byWriters.map(([url]) => url)
  if (first === undefined) return []
  const authors = new Set([...writers.values()].flatMap((pubkeys) => [...pubkeys])).size
  return [{ key, urls: [first, ...others], repositories, authors }]
}

/** Returns the relays that one announcement names in `relays`, and those behind its GRASP `clone` URLs. */
function readRelays({ relays, clone }: Announcement): { urls: readonly string[]; leftOut: readonly Omission[] } {
  const read = relays.map((text) => ({ text, url: text.length > MAX_URL_LENGTH ? undefined : relayWithoutQuery(text) }))
  const unusable = read.filter(({ text, url }) => url === undefined && text.trim() !== '')
  return {
    urls: [...read.flatMap(({ url }) => url ?? []), ...clone.flatMap((url) => relayBehindClone(url) ?? [])],
    leftOut: unusable.map(({ text }): Omission => ({ url: text, why: 'unusable' })),
  }
}
