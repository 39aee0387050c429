/*
 * Which of many events a relay serves, without reading them back: it compares its ids with ours (NIP-77). That is a
 * claim, so some of the events are asked for as well. What the comparison does not find is asked for by id, and so is
 * everything once a comparison has failed or was not true.
 */
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { UnixSeconds } from '../time.ts'
import { findServed } from './holdings.ts'
import { createLocalSet, createRelaySet } from './negentropy/compared-set.ts'
import { IdCollector } from './negentropy/id-set.ts'
import { reconcileFilter } from './negentropy/reconcile-filter.ts'
import type { Peer } from './peer.ts'
import { limitsOf } from './read-through.ts'

type Dated = Pick<NostrEvent, 'id' | 'created_at'>

const IDS_PER_COMPARISON = 250
/** Fewer are asked for at once. */
const MIN_COMPARED = 100
/** One in so many is asked for although it was listed. */
const SAMPLED = 16
/** Enough for sets of this size; a relay that compares more than these ids is not asked again. */
const MAX_ROUND_TRIPS = 8

/** Asks one relay which events it serves. */
export class ServedIds {
  readonly #peer: Peer
  readonly #now: UnixSeconds
  #hasFailed = false

  constructor(peer: Peer, now: UnixSeconds) {
    this.#peer = peer
    this.#now = now
  }

  /** Returns the ids of those that the relay serves. Throws LostRelayError when it does not answer. */
  async among(events: readonly Dated[]): Promise<Set<string>> {
    const listed = new Set(events.length < MIN_COMPARED ? [] : await this.#findListed(events))
    const unlisted = events.map(({ id }) => id).filter((id) => !listed.has(id))
    for (const id of await findServed(this.#peer, unlisted)) listed.add(id)
    return listed
  }

  async #findListed(events: readonly Dated[]): Promise<readonly string[]> {
    const dates = new Map(events.map(({ id, created_at }) => [id, created_at]))
    const groups = [...chunkByCountAndBytes([...dates.keys()], limitsOf(this.#peer, IDS_PER_COMPARISON))]
    const listed = await Promise.all(groups.map((ids) => this.#compare(ids, dates)))
    return listed.flat()
  }

  async #compare(ids: readonly string[], dates: ReadonlyMap<string, UnixSeconds>): Promise<readonly string[]> {
    const atRelay = this.#isComparable() ? createRelaySet(this.#peer, { ids }) : undefined
    if (atRelay === undefined) return []
    const ours = new IdCollector()
    for (const id of ids) ours.add(dates.get(id) ?? 0, id)
    const missing = new Set<string>()
    const compared = await reconcileFilter({
      ...{ source: createLocalSet(ours.seal()), target: atRelay, filter: { ids }, now: this.#now },
      maxRoundTrips: MAX_ROUND_TRIPS,
      onMissing: async (found) => found.forEach((id) => missing.add(id)),
    })
    const listed = ids.filter((id) => !missing.has(id))
    if (compared.type === 'done' && (await this.#bearsOut(listed))) return listed
    this.#hasFailed = true
    return []
  }

  #isComparable(): boolean {
    const { profile, support } = this.#peer
    return !this.#hasFailed && (support.isProven || profile.supportedNips.includes(77))
  }

  async #bearsOut(listed: readonly string[]): Promise<boolean> {
    const sample = listed.filter((_, index) => index % SAMPLED === 0)
    const served = await findServed(this.#peer, sample)
    return sample.every((id) => served.has(id))
  }
}
