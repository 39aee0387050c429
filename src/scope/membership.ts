/*
 * Who and what belongs to the run: the announcements that a relay admits once it has those of the owners, and the
 * authors whose states it takes. Each identifier is decided by itself, from the announcements in scope.
 */
import { formatAddress } from '../nostr/address.ts'
import type { Announcement } from '../nostr/announcement.ts'
import { KIND } from '../nostr/kinds.ts'
import type { RoleRule } from '../nostr/roles.ts'
import { stateAuthors, type Family } from './authority.ts'

/** Why the states of a listed author are not taken: he has not announced, has ended his role, or leads elsewhere. */
export type Outsider = 'invited' | 'left' | 'leads elsewhere'

/** What the scope contains, given the announcements that are known. */
export type Membership = {
  /**
   * Addresses `30617:…` of announcements in scope: of owners, and of everyone they list for the same identifier,
   * recursively.
   */
  readonly announcements: ReadonlySet<string>
  /** By address, the steps along `listed` from an owner's: a relay must have those between first. */
  readonly distances: ReadonlyMap<string, number>
  /** `30617:<maintainer>:<d>` of everyone who is listed, announced or not: what layer 1 asks for by name. */
  readonly maintainerAddresses: ReadonlySet<string>
  /** `30618:<author>:<d>` whose state events are taken. */
  readonly states: ReadonlySet<string>
  /** `30618:<author>:<d>` of those in scope whose state events are not taken. */
  readonly outsiders: ReadonlyMap<string, Outsider>
  /** Owners and maintainers: their grasp lists (10317) are taken. */
  readonly authors: ReadonlySet<string>
}

/** How membership is decided. */
export type MembershipRules = {
  /** Whether an announcement is in scope on its own. */
  readonly isOwned: (announcement: Announcement) => boolean
  /** How the target reads maintainers. `early`: it takes the states of all who are listed. */
  readonly rule: RoleRule
}

/** A membership under construction. */
type Found = {
  readonly distances: Map<string, number>
  readonly maintainerAddresses: Set<string>
  readonly states: Set<string>
  readonly outsiders: Map<string, Outsider>
  readonly authors: Set<string>
}

/** Returns who and what is in scope. `known`: the newest announcement of each address. */
export function resolveMembership(known: Iterable<Announcement>, { isOwned, rule }: MembershipRules): Membership {
  const found: Found = {
    distances: new Map(),
    maintainerAddresses: new Set(),
    states: new Set(),
    outsiders: new Map(),
    authors: new Set(),
  }
  for (const family of groupByIdentifier(known).values()) {
    const owners = [...family.values()].filter(isOwned)
    if (owners.length > 0) addFamily(found, owners, family, rule)
  }
  return { ...found, announcements: new Set(found.distances.keys()) }
}

/** The announcements of each identifier, by author. */
export function groupByIdentifier(known: Iterable<Announcement>): ReadonlyMap<string, Family> {
  const families = new Map<string, Map<string, Announcement>>()
  for (const announcement of known) {
    const family = families.get(announcement.identifier) ?? new Map<string, Announcement>()
    families.set(announcement.identifier, family.set(announcement.pubkey, announcement))
  }
  return families
}

function addFamily(found: Found, owners: readonly Announcement[], family: Family, rule: RoleRule): void {
  const distances = findDistances(owners, family)
  const inScope = new Map([...distances.keys()].map((announced) => [announced.pubkey, announced]))
  const allowed = rule === 'early' ? inScope : stateAuthors(inScope)
  const d = owners[0]?.identifier ?? ''
  for (const [announced, distance] of distances) {
    found.distances.set(announced.address, distance)
    found.authors.add(announced.pubkey)
    const state = formatAddress({ kind: KIND.state, pubkey: announced.pubkey, d })
    if (allowed.has(announced.pubkey)) found.states.add(state)
    else found.outsiders.set(state, announced.isAuthorActive ? 'leads elsewhere' : 'left')
    for (const pubkey of announced.listed) {
      found.maintainerAddresses.add(formatAddress({ kind: KIND.announcement, pubkey, d }))
      if (!inScope.has(pubkey)) addInvited(found, { pubkey, d }, rule)
    }
  }
}

function addInvited(found: Found, { pubkey, d }: { pubkey: string; d: string }, rule: RoleRule): void {
  const state = formatAddress({ kind: KIND.state, pubkey, d })
  found.authors.add(pubkey)
  if (rule === 'early') found.states.add(state)
  else found.outsiders.set(state, 'invited')
}

/**
 * Returns the announcements that are reached from the owners', each with its distance. Distances start at owners whom
 * nobody lists, unless they list him in turn: of two owners the one who is listed comes after the one who lists.
 */
function findDistances(owners: readonly Announcement[], family: Family): ReadonlyMap<Announcement, number> {
  const listed = findListed([...walk(owners, family, new Map()).keys()], family)
  const distances = walk(
    owners.filter(({ pubkey }) => !listed.has(pubkey)),
    family,
    new Map(),
  )
  // Adds what only a circle of owners leads to.
  return walk(owners, family, distances)
}

/** Returns the authors listed by somebody whom they do not list. */
function findListed(announcements: readonly Announcement[], family: Family): ReadonlySet<string> {
  const listed = new Set<string>()
  for (const by of announcements) {
    for (const pubkey of by.listed) if (family.get(pubkey)?.listed.has(by.pubkey) === false) listed.add(pubkey)
  }
  return listed
}

/** Walks along `listed`, breadth first, and adds what was not reached before. */
function walk(
  from: readonly Announcement[],
  family: Family,
  reached: Map<Announcement, number>,
): Map<Announcement, number> {
  const queue = from.filter((each) => !reached.has(each))
  for (const each of queue) reached.set(each, 0)
  // Grows while it is walked.
  for (const by of queue) {
    for (const pubkey of by.listed) {
      const next = family.get(pubkey)
      if (next === undefined || reached.has(next)) continue
      reached.set(next, (reached.get(by) ?? 0) + 1)
      queue.push(next)
    }
  }
  return reached
}
