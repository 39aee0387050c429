import { addressOf } from '../nostr/address.ts'
import { expirationOf, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Witness, WitnessStore } from '../store/witnesses.ts'
import type { UnixSeconds } from '../time.ts'

const KEPT = 250
const MAX_REPOSITORIES = 10
const MAX_REFERENCES = 50
const REFERRING = /^[aAeEq]$/

/** Facts about an event when it is saved as a witness: who may take it out of sight, and whether somebody has. */
export type WitnessFacts = {
  readonly repositoriesOf: (event: NostrEvent) => readonly string[]
  /** Deleted, or its author has vanished. */
  readonly isWithdrawn: (event: NostrEvent) => boolean
}

type Shown = { published: NostrEvent[]; others: NostrEvent[] }

/**
 * The newest events that each endpoint was seen to hold in this run: 250 that the run published and 250 others.
 * Deletions and requests to vanish are no witnesses: relays rightly stop serving them (ngit-grasp after 30 days).
 */
export class WitnessLog {
  readonly #byUrl = new Map<string, Shown>()

  /** Notes that the endpoint behind `url` served these. */
  add(url: string, events: readonly NostrEvent[], { isPublished = false } = {}): void {
    const shown = this.#byUrl.get(url) ?? { published: [], others: [] }
    this.#byUrl.set(url, shown)
    const sort = isPublished ? 'published' : 'others'
    const kept = shown[sort].concat(events.filter(canWitness).map(outlineOf))
    shown[sort] = kept.length > 2 * KEPT ? newest(kept) : kept
  }

  /** Whether more events of that endpoint would only replace others. */
  isFull(url: string): boolean {
    return (this.#byUrl.get(url)?.others.length ?? 0) >= KEPT
  }

  /** The newest events that the endpoint was seen to hold, at most `count`, without what authors took back. */
  newestOf(url: string, count: number, { repositoriesOf, isWithdrawn }: WitnessFacts): Witness[] {
    const { published = [], others = [] } = this.#byUrl.get(url) ?? {}
    const standing = newest([...published, ...others].filter((event) => !isWithdrawn(event)))
    return standing.slice(0, count).map((event) => createWitness(event, repositoriesOf(event)))
  }

  /** Saves the witnesses; the next run asks first for those that were shown last. */
  save(store: WitnessStore, provedAt: UnixSeconds, { repositoriesOf, isWithdrawn }: WitnessFacts): void {
    const toWitness = (event: NostrEvent): Witness => createWitness(event, repositoriesOf(event))
    for (const [url, { published, others }] of this.#byUrl) {
      for (const [events, isPublished] of [[others, false] as const, [published, true] as const]) {
        const standing = newest(events.filter((event) => !isWithdrawn(event)))
        store.add(url, standing.map(toWitness), { provedAt, isPublished })
      }
    }
  }
}

/** Keeps the parts that say who may take the event out of sight: whole ones, some of 60 kB, would fill the memory. */
function outlineOf(event: NostrEvent): NostrEvent {
  const named = (name: string): readonly (readonly string[])[] =>
    event.tags.filter((tag) => tag[0] === name && tag[1] !== undefined).slice(0, 1)
  const references = event.tags.filter(([name = '']) => REFERRING.test(name)).slice(0, MAX_REFERENCES)
  const tags = [...named('d'), ...named('expiration'), ...references.map((tag) => tag.slice(0, 4))]
  return { ...event, tags, content: '', sig: '' }
}

/** Returns the witness for an event that a relay has shown, with at most 10 of its repositories. */
export function createWitness(event: NostrEvent, repositories: readonly string[]): Witness {
  return {
    id: event.id,
    pubkey: event.pubkey,
    address: addressOf(event),
    createdAt: event.created_at,
    expiresAt: expirationOf(event),
    repositories: repositories.slice(0, MAX_REPOSITORIES),
  }
}

/** Those of some rows whose events a log keeps, at most 250. */
export function newestOf<T extends { readonly event: Stub }>(rows: readonly T[]): T[] {
  const able = rows.filter(({ event }) => canWitness(event))
  return able.sort((a, b) => b.event.created_at - a.event.created_at).slice(0, KEPT)
}

type Stub = Pick<NostrEvent, 'kind' | 'created_at'>

function canWitness({ kind }: Stub): boolean {
  return kind !== KIND.deletion && kind !== KIND.vanishRequest
}

function newest(events: readonly NostrEvent[]): NostrEvent[] {
  return [...events].sort((a, b) => b.created_at - a.created_at).slice(0, KEPT)
}
