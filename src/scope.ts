import { formatAddress } from './nostr/address.ts'
import type { Announcement } from './nostr/announcement.ts'
import { hostAndPort } from './nostr/host.ts'
import { KIND } from './nostr/kinds.ts'
import type { NostrEvent } from './nostr/event.ts'
import { addressOf } from './nostr/address.ts'
import type { ScopeRequest } from './run-options.ts'

/** Which repositories belong to the run, decided. `host` is `host:port` of the service. */
export type Scope =
  | { readonly type: 'all' }
  | { readonly type: 'listed'; readonly host: string }
  | { readonly type: 'named'; readonly addresses: readonly string[]; readonly authors: readonly string[] }

/** What the scope contains, given the announcements that are known. */
export type Membership = {
  /** Addresses `30617:…` of announcements in scope: of owners, and of their maintainers for the same identifier. */
  readonly announcements: ReadonlySet<string>
  /** Of these, the ones that are in scope only because an owner names their author as maintainer. */
  readonly coMaintained: ReadonlySet<string>
  /** `30617:<maintainer>:<d>` of every maintainer, announced or not: what layer 1 asks for by name. */
  readonly maintainerAddresses: ReadonlySet<string>
  /** `30618:<author>:<d>` whose state events are taken. */
  readonly states: ReadonlySet<string>
  /** Owners and maintainers: whose grasp lists (10317) are taken. */
  readonly authors: ReadonlySet<string>
}

/** The text that remembers anchors of this scope in the state file: equal scopes have equal keys. */
export function scopeKey(scope: Scope): string {
  switch (scope.type) {
    case 'all':
      return 'all'
    case 'listed':
      return `listed:${scope.host}`
    case 'named':
      return JSON.stringify([...scope.addresses].sort().concat([...scope.authors].sort()))
  }
}

/** The anchors with which layer 1 starts. */
export function initialAnchors(scope: Scope): string[] {
  switch (scope.type) {
    case 'all':
      return ['all']
    case 'listed':
      return [`listed:${scope.host}`]
    case 'named':
      return [...scope.addresses, ...scope.authors.map((author) => `author:${author}`)]
  }
}

/** The scope that a request names, when it does not depend on the target. */
export function namedScope(request: Extract<ScopeRequest, { type: 'named' }>): Scope {
  return { type: 'named', addresses: request.addresses.map(formatAddress), authors: request.authors }
}

/** Who and what is in scope. Maintainers count recursively, along announcements of one identifier (NIP-34). */
export function resolveMembership(scope: Scope, known: ReadonlyMap<string, Announcement>): Membership {
  const owners = [...known.values()].filter((announcement) => isOwned(scope, announcement))
  const announcements = new Set<string>()
  const maintainerAddresses = new Set<string>()
  for (const owner of owners) {
    announcements.add(owner.address)
    for (const address of maintainersOf(owner, known)) {
      maintainerAddresses.add(address)
      if (known.has(address)) announcements.add(address)
    }
  }
  const ownAddresses = new Set(owners.map((owner) => owner.address))
  const people = [...announcements, ...maintainerAddresses].map(splitAddress)
  return {
    announcements,
    coMaintained: coMaintained(announcements, ownAddresses, known),
    maintainerAddresses,
    states: new Set(people.map(({ pubkey, d }) => formatAddress({ kind: KIND.state, pubkey, d }))),
    authors: new Set(people.map(({ pubkey }) => pubkey)),
  }
}

/** Whether the scope takes an announcement, state or grasp list; events of other kinds belong by the filter that found them. */
export function isInScope(event: NostrEvent, scope: Scope, members: Membership): boolean {
  switch (event.kind) {
    case KIND.announcement:
      return members.announcements.has(addressOf(event) ?? '')
    case KIND.state:
      return members.states.has(addressOf(event) ?? '')
    case KIND.graspList:
      return scope.type === 'all' || members.authors.has(event.pubkey)
    default:
      return true
  }
}

/** The hosts that announcements name most in `clone` and `relays`, for the hint when a scope matches nothing. */
export function hostsNamedMost(known: Iterable<Announcement>, count: number): string[] {
  const times = new Map<string, number>()
  for (const announcement of known) {
    for (const host of new Set(announcement.relays.map(hostAndPort))) {
      if (host !== undefined) times.set(host, (times.get(host) ?? 0) + 1)
    }
  }
  const byTimes = [...times].sort(([hostA, a], [hostB, b]) => b - a || (hostA < hostB ? -1 : 1))
  return byTimes.slice(0, count).map(([host]) => host)
}

/** GRASP-01: the service must stand in `clone` and in `relays`. URLs are parsed; substrings prove nothing. */
function isOwned(scope: Scope, announcement: Announcement): boolean {
  switch (scope.type) {
    case 'all':
      return true
    case 'listed':
      return [announcement.clone, announcement.relays].every((urls) =>
        urls.some((url) => hostAndPort(url) === scope.host),
      )
    case 'named':
      return scope.addresses.includes(announcement.address) || scope.authors.includes(announcement.pubkey)
  }
}

/** The addresses of everyone who maintains a repository, recursively: announced or not. */
export function maintainersOf(owner: Announcement, known: ReadonlyMap<string, Announcement>): Set<string> {
  const found = new Set<string>()
  const queue = [owner]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const pubkey of next.maintainers) {
      const address = formatAddress({ kind: KIND.announcement, pubkey, d: owner.identifier })
      if (address === owner.address || found.has(address)) continue
      found.add(address)
      const announced = known.get(address)
      if (announced !== undefined) queue.push(announced)
    }
  }
  return found
}

/** Announcements to publish after those of the owners: in scope through another, or named by one that they do not name back. */
function coMaintained(
  inScope: ReadonlySet<string>,
  owned: ReadonlySet<string>,
  known: ReadonlyMap<string, Announcement>,
): Set<string> {
  const result = new Set([...inScope].filter((address) => !owned.has(address)))
  for (const address of inScope) {
    const by = known.get(address)
    for (const pubkey of by?.maintainers ?? []) {
      const named = known.get(formatAddress({ kind: KIND.announcement, pubkey, d: by?.identifier ?? '' }))
      const namesBack = by !== undefined && named?.maintainers.includes(by.pubkey) === true
      if (named !== undefined && named.address !== address && !namesBack) result.add(named.address)
    }
  }
  return result
}

function splitAddress(address: string): { pubkey: string; d: string } {
  const [, pubkey = '', ...rest] = address.split(':')
  return { pubkey, d: rest.join(':') }
}
