/*
 * Reads what signed events want of repositories, from the target, the sources, and what the target is known to hold
 * back. Nothing is believed before its signature was verified.
 */
import { keptUntil } from '../checkpoint/next-try.ts'
import type { ObjectId, Refs } from '../git/git-access.ts'
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { isExpired, tagValues, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { keepValid } from '../nostr/verifier.ts'
import { isInPurgatory } from '../relay/answers.ts'
import { readVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { limitsOf, readThrough, splitByLength, VALUES_PER_REQ, type OnGap } from '../relay/read-through.ts'
import { askedTarget, askSources } from '../run/ask-sources.ts'
import { hasVanished, isDeleted } from '../run/withdrawn.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { UnixSeconds } from '../time.ts'
import type { Repository } from './find-repositories.ts'
import { MAX_REFS, readState, readTip, type WantedRefs } from './wanted-refs.ts'

/** The state that counts for a repository, and what is known of it at the target. */
export type FoundState = {
  readonly event: NostrEvent
  /** The target serves it. */
  readonly isServed: boolean
  /** The target took it, and serves it once git data arrives. */
  readonly isHeldBack: boolean
  /** Until when it does so, as far as is known. */
  readonly keptUntil: UnixSeconds | null
}

/** What is wanted of one repository. */
export type Wanted = WantedRefs & {
  readonly state: FoundState | null
  /** Names and ids that no repository can have. */
  readonly dropped: number
}

const VERIFIED_AT_ONCE = 500
const TIP_KINDS: readonly number[] = [KIND.pullRequest, KIND.pullRequestUpdate]

/**
 * Reads what is wanted of at most 100 repositories: of each its newest state by an author who may sign it (of two of one
 * second the lower id counts), and the tips of its pull requests. Throws LostRelayError when the target does not answer;
 * a source that does not was not read to its end.
 */
export async function readWanted(
  repositories: readonly Repository[],
  run: ScopedRun,
): Promise<Map<Repository, Wanted>> {
  const reading = new WantedReading(repositories, run)
  const atTarget = (reason: string): void => run.targetGaps.note(reason)
  await Promise.all([
    reading.read(askedTarget(run), repositories, atTarget, true),
    askSources(run, repositories.flatMap(outlineOf), (source, about, onGap) => {
      const asked = new Set(about.flatMap((event) => addressOf(event) ?? []))
      return reading.read(
        source,
        repositories.filter(({ address }) => asked.has(address)),
        onGap,
      )
    }),
  ])
  reading.addHeldBack()
  return new Map(repositories.map((repository) => [repository, reading.wantedOf(repository)]))
}

/** Enough of an announcement to tell whether a source is asked about it. */
function outlineOf({ announcements: [owner] }: Repository): NostrEvent[] {
  if (owner === undefined) return []
  const { id, pubkey, identifier, createdAt } = owner
  const tags = [['d', identifier]]
  return [{ id, pubkey, created_at: createdAt, kind: KIND.announcement, tags, content: '', sig: '' }]
}

/** The reading of one batch. */
class WantedReading {
  readonly #run: ScopedRun
  /** The newest verified state at each address `30618:…` that counts for a repository. */
  readonly #states = new Map<string, NostrEvent | null>()
  /** The id of the newest version that the target serves at each. */
  readonly #served = new Map<string, Pick<NostrEvent, 'id' | 'created_at'>>()
  readonly #heldBack = new Map<string, UnixSeconds | null>()
  /** By the address of the repository. */
  readonly #tips = new Map<string, Map<string, ObjectId>>()
  readonly #seen = new Set<string>()

  constructor(repositories: readonly Repository[], run: ScopedRun) {
    this.#run = run
    for (const { address, states } of repositories) {
      this.#tips.set(address, new Map())
      for (const state of states) this.#states.set(state, null)
    }
  }

  /** Reads the states and pull requests of some repositories at one relay or file to their bottom. */
  async read(peer: Peer, repositories: readonly Repository[], onGap: OnGap, isTarget = false): Promise<void> {
    const states = [...new Set(repositories.flatMap((repository) => repository.states))]
    const takeStates = (events: readonly NostrEvent[]): Promise<void> => {
      if (isTarget) this.#noteServed(events)
      return this.#takeStates(events)
    }
    await readVersions(peer, states, takeStates, onGap)
    const addresses = repositories.map(({ address }) => address)
    const [indexed, unindexed] = splitByLength(addresses, (address) => address, peer)
    const filters = [...chunkByCountAndBytes(indexed, limitsOf(peer, VALUES_PER_REQ))].map((chunk) => ({ '#a': chunk }))
    for (const tags of unindexed.length > 0 ? [...filters, {}] : filters) {
      const gap = await readThrough(peer, { kinds: TIP_KINDS, ...tags }, (events) => this.#takeTips(events))
      if (gap !== null) onGap(gap)
    }
  }

  /** Adds what the target holds back: it was verified when it was kept. */
  addHeldBack(): void {
    const { waits } = this.#run.world.state
    for (const { event, reason, lastOkAt } of waits.pending()) {
      if (!isInPurgatory(reason ?? '')) continue
      if (event.kind === KIND.state && this.#states.has(addressOf(event) ?? '')) {
        this.#heldBack.set(event.id, lastOkAt === undefined ? null : keptUntil(lastOkAt))
        this.#keepState(event)
      }
      if (TIP_KINDS.includes(event.kind)) this.#keepTip(event)
    }
  }

  wantedOf({ address, states }: Repository): Wanted {
    const found = states.flatMap((each) => this.#states.get(each) ?? [])
    const newest = found.reduce<NostrEvent | null>((best, event) => {
      return best === null || isNewerVersion(event, best) ? event : best
    }, null)
    const tips: Refs = this.#tips.get(address) ?? new Map()
    if (newest === null) return { refs: null, head: null, tips, state: null, dropped: 0 }
    const state = {
      event: newest,
      isServed: this.#served.get(addressOf(newest) ?? '')?.id === newest.id,
      isHeldBack: this.#heldBack.has(newest.id),
      keptUntil: this.#heldBack.get(newest.id) ?? null,
    }
    return { ...readState(newest), tips, state }
  }

  #noteServed(events: readonly NostrEvent[]): void {
    for (const event of events) {
      const address = addressOf(event) ?? ''
      const known = this.#served.get(address)
      if (this.#states.has(address) && (known === undefined || isNewerVersion(event, known)))
        this.#served.set(address, { id: event.id, created_at: event.created_at })
    }
  }

  /** Verifies only versions that would count. */
  async #takeStates(events: readonly NostrEvent[]): Promise<void> {
    for (const event of await this.#verify(events.filter((each) => this.#wouldCount(each)))) this.#keepState(event)
  }

  #keepState(event: NostrEvent): void {
    if (this.#wouldCount(event) && !this.#isGone(event)) this.#states.set(addressOf(event) ?? '', event)
  }

  #wouldCount(event: NostrEvent): boolean {
    const known = this.#states.get(addressOf(event) ?? '')
    return known !== undefined && (known === null || isNewerVersion(event, known))
  }

  async #takeTips(events: readonly NostrEvent[]): Promise<void> {
    const fresh = events.filter((event) => !this.#seen.has(event.id) && this.#repositoriesOf(event).length > 0)
    for (const event of await this.#verify(fresh)) this.#keepTip(event)
  }

  #keepTip(event: NostrEvent): void {
    const tip = readTip(event)
    const repositories = this.#repositoriesOf(event)
    if (repositories.length === 0 || this.#seen.has(event.id)) return
    this.#seen.add(event.id)
    if (tip === undefined || this.#isGone(event)) return
    for (const repository of repositories) {
      const tips = this.#tips.get(repository)
      if (tips !== undefined && tips.size < MAX_REFS) tips.set(...tip)
    }
  }

  #repositoriesOf(event: NostrEvent): string[] {
    return tagValues(event, 'a').filter((address) => this.#tips.has(address))
  }

  async #verify(events: readonly NostrEvent[]): Promise<NostrEvent[]> {
    const valid: NostrEvent[] = []
    for (let from = 0; from < events.length; from += VERIFIED_AT_ONCE)
      valid.push(...(await keepValid(events.slice(from, from + VERIFIED_AT_ONCE), this.#run.world.verifier)))
    return valid
  }

  /** Whether an event does not count: its author took it back, or the target refused it for good. */
  #isGone(event: NostrEvent): boolean {
    const { world, startedAt } = this.#run
    const { run, spool } = world.state
    if (isExpired(event, startedAt) || hasVanished(event, run) || isDeleted(event, run)) return true
    return spool.find(event.id)?.state === 'refused'
  }
}
