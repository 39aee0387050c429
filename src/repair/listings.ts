import type { GitAccess, GitPlace, Listing, ObjectId, Probed } from '../git/git-access.ts'
import { hostAndPort } from '../nostr/host.ts'

/** A place and what its server lists. */
export type Listed = { readonly place: GitPlace; readonly listing: Listing }

const MAX_SILENT = 4
const MAX_KEPT = 5_000

/**
 * Asks git servers for refs, and for objects that no ref shows. A URL that several repositories name is asked once, and a host that did not answer four
 * times in a row is not asked again: each of these costs a timeout.
 */
export class Listings {
  readonly #git: Pick<GitAccess, 'listRefs' | 'probe'>
  readonly #kept = new Map<string, Promise<Listing>>()
  /** By `host:port`, how often it did not answer, since it last did. */
  readonly #silent = new Map<string, number>()

  /** By `host:port`, how often it did not say what it has, since it last did. */
  readonly #unclear = new Map<string, number>()

  constructor(git: Pick<GitAccess, 'listRefs' | 'probe'>) {
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

  /** What the server at a place says of these objects; nothing if its host did not say four times in a row. */
  async probe(place: GitPlace, ids: readonly ObjectId[]): Promise<ReadonlyMap<ObjectId, Probed>> {
    const host = hostAndPort(place.url) ?? place.url
    const unclear = this.#unclear.get(host) ?? 0
    if (unclear >= MAX_SILENT) return new Map()
    const answers = await this.#git.probe(place, ids)
    if (ids.some((id) => answers.get(id) !== 'not known')) this.#unclear.delete(host)
    else this.#unclear.set(host, unclear + 1)
    return answers
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
