import type { NostrEvent } from '../../src/nostr/event.ts'

/** Announcements of one identifier that a relay knows, stored or pending: the newest of each author. */
export type KnownAnnouncements = ReadonlyMap<string, NostrEvent>

const NUMBER = /^\d{1,20}$/
const PUBKEY = /^[0-9a-f]{64}$/i

/**
 * Whom an announcement lists, as ngit-grasp 3 reads it: role tags win over `maintainers`. The author does not count.
 */
export function listedBy(announcement: NostrEvent): ReadonlySet<string> {
  const roles = rolesOf(announcement)
  const listed =
    roles.length > 0
      ? roles.filter(([name]) => name !== 'o').flatMap((tag) => activePubkey(tag) ?? [])
      : (announcement.tags.find(([name]) => name === 'maintainers')?.slice(1) ?? [])
  return new Set(listed.filter((pubkey) => pubkey !== announcement.pubkey))
}

/** Whether somebody may sign the state of a repository of this identifier. */
export function mayPushState(author: string, known: KnownAnnouncements): boolean {
  return [...known.keys()].some((owner) => authorityOf(owner, known).has(author))
}

/** Who may sign the state of the repository of this owner: nobody when its chain of leads does not end. */
export function authorityOf(owner: string, known: KnownAnnouncements): ReadonlySet<string> {
  const root = rootOf(owner, known)
  const set = new Set(root === undefined ? [] : [root])
  for (let size = 0; size < set.size;) {
    size = set.size
    for (const [author, announcement] of known) {
      const isListed = [...set].some((member) => listedIn(member, known).has(author))
      const isMutual = [...listedBy(announcement)].some((other) => set.has(other))
      if (isListed && isMutual && isActiveAuthor(announcement)) set.add(author)
    }
  }
  return set
}

function rootOf(owner: string, known: KnownAnnouncements): string | undefined {
  const seen = new Set<string>()
  for (let root = owner; !seen.has(root);) {
    seen.add(root)
    const announcement = known.get(root)
    if (announcement === undefined) return undefined
    const leads = new Set(rolesOf(announcement, 'M').flatMap((tag) => activePubkey(tag) ?? []))
    if (leads.size === 0) return root === owner && isActiveAuthor(announcement) ? root : undefined
    if (leads.size > 1) return undefined
    const [lead = root] = leads
    if (lead === root) return root
    root = lead
  }
  return undefined
}

function listedIn(member: string, known: KnownAnnouncements): ReadonlySet<string> {
  const announcement = known.get(member)
  return announcement === undefined ? new Set() : listedBy(announcement)
}

function isActiveAuthor(announcement: NostrEvent): boolean {
  const own = rolesOf(announcement).filter(([, pubkey = '']) => pubkey.toLowerCase() === announcement.pubkey)
  return own.length === 0 || own.some((tag) => tag[0] !== 'o' && activePubkey(tag) !== undefined)
}

function rolesOf({ tags }: NostrEvent, name?: string): (readonly string[])[] {
  return tags.filter(([role = '']) => (name === undefined ? ['M', 'm', 'o'].includes(role) : role === name))
}

/** The public key of a role tag whose last interval is open. */
function activePubkey([, pubkey = '', ...times]: readonly string[]): string | undefined {
  const last = times.length - 1
  const isEnd = (index: number): boolean => index % 2 === 1
  const isWellFormed = times.every(
    (time, index) => NUMBER.test(time) || (time === 'defer' && index === last && isEnd(index)),
  )
  const isOpen = times.length === 0 || times.length % 2 === 1
  return PUBKEY.test(pubkey) && isWellFormed && isOpen ? pubkey.toLowerCase() : undefined
}
