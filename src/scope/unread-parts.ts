import { MAX_URLS, type Announcement } from '../nostr/announcement.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { MAX_MAINTAINERS } from '../nostr/roles.ts'
import type { Scope } from './scope.ts'

const MAX_UNDECIDED = 1_000

/** What of announcements is not read, where that decides over scope or members. */
export class UnreadParts {
  readonly #scope: Scope
  /** Addresses of announcements that are out of scope by the URLs that were read, and have more URLs. */
  readonly #undecided = new Set<string>()

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Notes one out of scope that may name the service among its unread URLs: else it would be left out silently. */
  note({ address, unreadUrls }: Announcement, event: NostrEvent): void {
    if (this.#scope.type !== 'listed' || unreadUrls === 0 || this.#undecided.size >= MAX_UNDECIDED) return
    const { host } = this.#scope.service
    const isNamed = event.tags.some(([name, ...urls]) => isUrlTag(name) && urls.some((url) => url.includes(host)))
    if (isNamed) this.#undecided.add(address)
  }

  /** Sentences about what is not read, by what is in scope now. */
  sentences(inScope: ReadonlyMap<string, Announcement>): string[] {
    const announcements = [...inScope.values()]
    const undecided = [...this.#undecided].filter((address) => !inScope.has(address))
    return [
      ...sentence(
        announcements.filter(({ unreadMaintainers }) => unreadMaintainers > 0),
        `names maintainers that are not understood: by no public key, or beyond the first ${MAX_MAINTAINERS}`,
      ),
      ...sentence(
        announcements.filter(({ unreadUrls }) => unreadUrls > 0),
        `names URLs that are not read: too long, or beyond the first ${MAX_URLS}`,
      ),
      ...sentence(
        undecided.map((address) => ({ address })),
        `is out of scope: it may name the service among its URLs that are not read, too long or beyond the first ${MAX_URLS}`,
      ),
    ]
  }
}

function isUrlTag(name: string | undefined): boolean {
  return name === 'clone' || name === 'relays'
}

function sentence([first, ...others]: readonly Pick<Announcement, 'address'>[], what: string): string[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return [`The announcement ${first.address}${more} ${what}.`]
}
