import type { GitAccess, GitPlace, Listing } from '../git/git-access.ts'
import { hostAndPort } from '../nostr/host.ts'

/** A place and what its server lists. */
export type Listed = { readonly place: GitPlace; readonly listing: Listing }

const MAX_SILENT = 4
const MAX_KEPT = 5_000

/**
 * Asks git servers for refs. A URL that several repositories name is asked once, and a host that did not answer four
 * times in a row is not asked again: each of these costs a timeout.
 */
export class Listings {
  readonly #git: Pick<GitAccess, 'listRefs'>
  readonly #kept = new Map<string, Promise<Listing>>()
  /** By `host:port`, how often it did not answer, since it last did. */
  readonly #silent = new Map<string, number>()

  constructor(git: Pick<GitAccess, 'listRefs'>) {
    this.#git = git
  }

  /** What the server at a place lists. */
  list(place: GitPlace): Promise<Listing> {
    const known = this.#kept.get(place.url)
    if (known !== undefined) return known
    const asked = this.#ask(place)
    // Repositories of one identifier follow each other, so what they share is still there.
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(place.url, asked)
    return asked
  }

  async #ask(place: GitPlace): Promise<Listing> {
    const host = hostAndPort(place.url) ?? place.url
    if ((this.#silent.get(host) ?? 0) >= MAX_SILENT)
      return { type: 'not asked', reason: `${host} did not answer ${MAX_SILENT} times` }
    const listing = await this.#git.listRefs(place)
    if (listing.type === 'unreachable') this.#silent.set(host, (this.#silent.get(host) ?? 0) + 1)
    else if (listing.type !== 'not asked') this.#silent.delete(host)
    return listing
  }
}
