/*
 * Whose states (30618) a GRASP relay takes, as ngit-grasp 2.0 and later decides it, from the newest announcements of
 * one identifier. A listed maintainer must list a member of the set in his own announcement. An announcement that leads
 * elsewhere (`M`) leaves the decision to the one it leads to. Anybody may announce, so this must stay cheap for
 * thousands.
 */
import type { Announcement } from '../nostr/announcement.ts'

/** The newest announcements of one identifier, by author. */
export type Family = ReadonlyMap<string, Announcement>

/**
 * An announcement, with those of its family that it lists and that list it. The last fields name the root for which it
 * was last found confirmed, listed by a member, and listing a member: cheaper than sets for each root.
 */
type Node = Announcement & {
  readonly lists: Node[]
  readonly listers: Node[]
  confirmedFor?: Node
  listedFor?: Node
  listingFor?: Node
}

/**
 * Returns the public keys whose states are taken for the repository that `selected` announces; none when its leads lead
 * nowhere.
 */
export function authorityOf(selected: string, family: Family): ReadonlySet<string> {
  const nodes = connect(family)
  const root = nodes.get(findRoot(selected, family) ?? '')
  return new Set(root === undefined ? [] : confirm(root).map(({ pubkey }) => pubkey))
}

/**
 * Returns the public keys whose states are taken for any repository of the family: the union of all authorities. Every
 * root is its own authority, so only announcements that lead elsewhere need a search. A root that a set confirms needs
 * none: the set confirms all that the root would.
 */
export function stateAuthors(family: Family): ReadonlySet<string> {
  const roots = [...family.values()].filter(isRoot)
  const allowed = new Set(roots.map(({ pubkey }) => pubkey))
  if ([...family.values()].every((each) => isRoot(each) || !each.isAuthorActive)) return allowed
  const nodes = connect(family)
  for (const { pubkey } of roots) {
    const root = nodes.get(pubkey)
    if (root === undefined || root.confirmedFor !== undefined) continue
    for (const member of confirm(root)) allowed.add(member.pubkey)
  }
  return allowed
}

/** Whether the author's own announcement is enough for his states to be taken. */
function isRoot({ pubkey, leads, isAuthorActive }: Announcement): boolean {
  return leads.size === 0 ? isAuthorActive : leads.size === 1 && leads.has(pubkey)
}

/** Follows the leads to the author who leads; `undefined` when there is none. */
function findRoot(selected: string, family: Family): string | undefined {
  const visited = new Set<string>()
  for (let next = selected; !visited.has(next);) {
    visited.add(next)
    const announced = family.get(next)
    if (announced === undefined || announced.leads.size > 1) return undefined
    const [lead] = announced.leads
    if (lead === next) return next
    if (lead === undefined) return next === selected && announced.isAuthorActive ? next : undefined
    next = lead
  }
  return undefined
}

function connect(family: Family): Map<string, Node> {
  const nodes = new Map(
    [...family].map(([pubkey, announced]): [string, Node] => [pubkey, { ...announced, lists: [], listers: [] }]),
  )
  for (const node of nodes.values()) {
    for (const pubkey of node.listed) {
      const named = nodes.get(pubkey)
      if (named === undefined) continue
      node.lists.push(named)
      named.listers.push(node)
    }
  }
  return nodes
}

/** Returns the root and each active author whom a member lists and who lists a member. Follows each link once. */
function confirm(root: Node): readonly Node[] {
  root.confirmedFor = root
  const members = [root]
  const admit = (node: Node): void => {
    const isReady = node.isAuthorActive && node.listedFor === root && node.listingFor === root
    if (!isReady || node.confirmedFor === root) return
    node.confirmedFor = root
    members.push(node)
  }
  // Grows while it is walked.
  for (const member of members) {
    for (const named of member.lists) {
      named.listedFor = root
      admit(named)
    }
    for (const lister of member.listers) {
      lister.listingFor = root
      admit(lister)
    }
  }
  return members
}
