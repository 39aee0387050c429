import type { LayerName } from '../layer-name.ts'
import { addressOf, formatAddress, parseAddress } from '../nostr/address.ts'
import type { Announcement } from '../nostr/announcement.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { RoleRule } from '../nostr/roles.ts'
import { listsService, readService, type Service } from '../nostr/service-url.ts'
import type { ScopeRequest } from '../report/run-options.ts'
import type { Membership } from './membership.ts'

/** The repositories that belong to the run. */
export type Scope =
  | { readonly type: 'all' }
  | { readonly type: 'listed'; readonly service: Service }
  | { readonly type: 'named'; readonly addresses: readonly string[]; readonly authors: readonly string[] }

/** Returns the key of the scope in the state file; equal scopes have equal keys. */
export function scopeKey(scope: Scope): string {
  switch (scope.type) {
    case 'all':
      return 'all'
    case 'listed':
      return `listed:${scope.service.name}`
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
      return [`listed:${scope.service.name}`]
    case 'named':
      return [...scope.addresses, ...scope.authors.map((author) => `author:${author}`)]
  }
}

/** Returns the scope that a request names, which does not depend on the target. */
export function namedScope(request: Extract<ScopeRequest, { type: 'named' }>): Scope {
  return { type: 'named', addresses: request.addresses.map(formatAddress), authors: request.authors }
}

/**
 * Whether an announcement is in scope on its own. `rule`: how the target reads it; early versions ignore paths in
 * `relays`.
 */
export function isOwned(scope: Scope, announcement: Announcement, rule: RoleRule): boolean {
  switch (scope.type) {
    case 'all':
      return true
    case 'listed':
      return listsService(announcement, scope.service, { relaysMayLieBelow: rule === 'early' })
    case 'named':
      return scope.addresses.includes(announcement.address) || scope.authors.includes(announcement.pubkey)
  }
}

/**
 * Returns why an announcement, state or grasp list is out of scope; `undefined` when it is not. Events of other kinds
 * belong by the filter that found them.
 */
export function outOfScope(event: NostrEvent, scope: Scope, members: Membership): string | undefined {
  const address = addressOf(event) ?? ''
  switch (event.kind) {
    case KIND.announcement:
      return members.announcements.has(address) ? undefined : 'out of scope'
    case KIND.state:
      return members.states.has(address) ? undefined : outOfScopeAs(members.outsiders.get(address))
    case KIND.graspList:
      return scope.type === 'all' || members.authors.has(event.pubkey) ? undefined : 'out of scope'
    default:
      return undefined
  }
}

function outOfScopeAs(why: string | undefined): string {
  return why === undefined ? 'out of scope' : `out of scope: ${why}`
}

/**
 * Whether the scope takes what is found for an anchor. If its announcements, states or grasp lists are out of scope, a
 * later announcement may bring them in, so the anchor keeps no checkpoint and all of it is read again. Events that
 * refer to a repository or a root are always taken.
 */
export function isOfMembers(layer: LayerName, anchor: string, scope: Scope, members: Membership): boolean {
  const address = parseAddress(anchor)
  if (address === undefined) return true
  switch (address.kind) {
    case KIND.announcement:
      return layer !== 'announcements' || isAskedByName(anchor, scope, members)
    case KIND.state:
      return members.states.has(anchor)
    default:
      return members.authors.has(address.pubkey)
  }
}

function isAskedByName(address: string, scope: Scope, { announcements, maintainerAddresses }: Membership): boolean {
  return announcements.has(address) || maintainerAddresses.has(address) || initialAnchors(scope).includes(address)
}

/**
 * Returns the services that announcements name most in `relays`, as host, port and path, for the hint when a scope
 * matches nothing.
 */
export function hostsNamedMost(known: Iterable<Announcement>, count: number): string[] {
  const times = new Map<string, number>()
  for (const announcement of known) {
    for (const name of new Set(announcement.relays.map((url) => readService(url)?.name))) {
      if (name !== undefined) times.set(name, (times.get(name) ?? 0) + 1)
    }
  }
  const byTimes = [...times].sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1))
  return byTimes.slice(0, count).map(([name]) => name)
}
