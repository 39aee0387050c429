import { isNewerVersion } from '../nostr/address.ts'
import { readAnnouncement, type Announcement } from '../nostr/announcement.ts'
import { expirationOf, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { RoleRule } from '../nostr/roles.ts'
import { isDeletedById } from '../run/withdrawn.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'

const SHORT_URL = 100
const FEW_URLS = 3

/** An announcement with all its URLs, and how it compares with what was known at its address. */
export type Met = { readonly announcement: Announcement; readonly place: 'newest' | 'known' | 'older' }

/**
 * The announcement that counts at each address: the newest that was not deleted and has not expired, without most of
 * its URLs. Deletions may be learnt later: then `takeGone` returns the announcements that no longer count.
 */
export class Announcements {
  readonly #state: TargetState
  readonly #rule: RoleRule
  readonly #now: UnixSeconds
  readonly #newest = new Map<string, Announcement>()
  /** By id. */
  readonly #expirations = new Map<string, UnixSeconds>()
  /** Addresses with several known versions: if the newest was deleted, another decides. */
  readonly #contested = new Set<string>()
  /** Ids of versions that were found to be gone, and replaced if anything was left. */
  readonly #revised = new Set<string>()

  /** `rule`: how the target reads maintainers. What has expired by `now` does not count. */
  constructor(state: TargetState, { rule, now }: { readonly rule: RoleRule; readonly now: UnixSeconds }) {
    this.#state = state
    this.#rule = rule
    this.#now = now
  }

  /** Keeps the announcement if it is the newest of its address that counts. */
  meet(event: NostrEvent): Met {
    const announcement = readAnnouncement(event, this.#rule)
    const known = this.#newest.get(announcement.address)
    const expiration = expirationOf(event)
    if (expiration !== undefined) this.#expirations.set(event.id, expiration)
    if (known?.id === event.id) return { announcement, place: 'known' }
    if (known !== undefined && !this.#replaces(announcement, known)) return { announcement, place: 'older' }
    // A newer version on disk would hide it there.
    if (known !== undefined && !this.isAlive(known)) this.#state.anchors.forgetAnnouncement(known.address)
    this.#newest.set(announcement.address, withoutUrls(announcement))
    return { announcement, place: 'newest' }
  }

  /** All announcements, alive or not. */
  values(): Iterable<Announcement> {
    return this.#newest.values()
  }

  get(address: string): Announcement | undefined {
    return this.#newest.get(address)
  }

  /** The announcements that count: not deleted, not expired, and their author has not vanished. */
  alive(): Announcement[] {
    return [...this.#newest.values()].filter((announcement) => this.isAlive(announcement))
  }

  isAlive(announcement: Announcement): boolean {
    const { address, pubkey, createdAt } = announcement
    const { run } = this.#state
    if (isDeletedById(announcement, run) || this.#isExpired(announcement)) return false
    return Math.max(run.deletedUntil(pubkey, address) ?? -1, run.vanishedUntil(pubkey) ?? -1) < createdAt
  }

  /**
   * Returns, once each, the announcements that were not the only version of their address, of identifiers for which
   * `isDeciding`. Outlines: enough to ask whether they were deleted.
   */
  takeContested(isDeciding: (identifier: string) => boolean): NostrEvent[] {
    const contested = [...this.#contested].flatMap((address) => this.#newest.get(address) ?? [])
    const deciding = contested.filter(({ identifier }) => isDeciding(identifier))
    for (const { address } of deciding) this.#contested.delete(address)
    return deciding.map(outlineOf)
  }

  /** Returns, once each, outlines of dead announcements that an older one may replace. Forgets the dead on disk. */
  takeGone(): NostrEvent[] {
    const gone = [...this.#newest.values()].filter((announcement) => {
      return !this.isAlive(announcement) && !this.#revised.has(announcement.id)
    })
    for (const { id, address } of gone) {
      this.#revised.add(id)
      this.#state.anchors.forgetAnnouncement(address)
    }
    return gone.filter((each) => isDeletedById(each, this.#state.run) || this.#isExpired(each)).map(outlineOf)
  }

  /** Returns the announcement with all its URLs, which lie on disk. */
  withUrls(announcement: Announcement): Announcement {
    const event = this.#state.anchors.announcement(announcement.address)
    return event?.id === announcement.id ? readAnnouncement(event, this.#rule) : announcement
  }

  #isExpired({ id }: Announcement): boolean {
    return (this.#expirations.get(id) ?? Infinity) <= this.#now
  }

  /** An announcement that counts replaces one that no longer does, whichever is newer. */
  #replaces(announcement: Announcement, known: Announcement): boolean {
    const isAlive = this.isAlive(announcement)
    if (isAlive !== this.isAlive(known)) return isAlive
    this.#contested.add(known.address)
    return isNewerVersion(versionOf(announcement), versionOf(known))
  }
}

function versionOf({ id, createdAt }: Announcement): Pick<NostrEvent, 'id' | 'created_at'> {
  return { id, created_at: createdAt }
}

/** Enough of an event to ask for it, and for what deletes it. */
function outlineOf({ id, pubkey, identifier, createdAt }: Announcement): NostrEvent {
  return { id, pubkey, created_at: createdAt, kind: KIND.announcement, tags: [['d', identifier]], content: '', sig: '' }
}

/** Drops most URLs to save memory; keeps a few, enough to tell where most repositories are. */
function withoutUrls(announcement: Announcement): Announcement {
  const relays = announcement.relays.filter(({ length }) => length <= SHORT_URL).slice(0, FEW_URLS)
  return { ...announcement, clone: [], relays }
}
