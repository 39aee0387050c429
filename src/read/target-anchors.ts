/*
 * Reads the target's own announcements and roots, which are anchors of every run, always without `since`. Where the
 * target speaks NIP-77, those known from earlier runs are compared, so a run that finds nothing new reads nothing. With
 * `--follow-ups`, its other events of repositories and threads are anchors too.
 */
import { isWholeScope, type Layer } from '../checkpoint/layers.ts'
import { LostRelayError } from '../errors.ts'
import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND, ROOT_KINDS } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { Aftermath } from '../relay/aftermath.ts'
import { settleEnds } from '../relay/endpoint.ts'
import { findVersions } from '../relay/holdings.ts'
import { createLocalSet, createRelaySet } from '../relay/negentropy/compared-set.ts'
import { IdCollector } from '../relay/negentropy/id-set.ts'
import { reconcileFilter } from '../relay/negentropy/reconcile-filter.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import { hearPeer } from '../relay/peer.ts'
import { readThrough } from '../relay/read-through.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { FoundAnchor } from '../store/anchors.ts'
import type { TargetState } from '../store/target-state.ts'
import { ServedBefore } from '../trust/served-before.ts'
import { distrustLosses } from '../trust/void-checkpoints.ts'
import { sampleIds, servesListed } from './claims.ts'
import { readSecond } from './compare-request.ts'
import { OpenReads } from './open-reads.ts'
import { readFollowed } from './read-followed.ts'
import { type TargetFilter, announcementFilters, hostedFilters, rootFilters } from './target-filters.ts'

/** One reading of the target. `before`: announcements to be seen again. `aftermath` is told what follows the ends. */
type Reading = ScopedRun & { readonly before: () => ServedBefore; readonly aftermath: Aftermath }

/** Anchors of a layer that were read together. */
type Part = { readonly layer: Layer; readonly anchors: readonly FoundAnchor[] }

/** Reads the target in one run; compares each layer only once. */
export class TargetReader {
  readonly #run: ScopedRun
  readonly #openReads = new OpenReads<Part>()
  readonly #compared = new Map<LayerName, Promise<boolean>>()
  #before: ServedBefore | undefined

  constructor(run: ScopedRun) {
    this.#run = run
  }

  /** Reads the target's events for these anchors of a layer. Throws LostRelayError. */
  async read(layer: Layer, anchors: readonly FoundAnchor[]): Promise<void> {
    await this.#read({ layer, anchors }, 0)
  }

  /**
   * Waits until the target can take nothing back, and reads again what it took back. Returns whether it did. Throws
   * LostRelayError.
   */
  async settle(): Promise<boolean> {
    const { endpoint } = this.#run.target
    await settleEnds(endpoint)
    const taken = this.#openReads.take()
    for (const { asked, reason, repeats, isWorthRepeating } of taken) {
      if (!isWorthRepeating) throw new LostRelayError(`read ${endpoint.url}: ${reason}`)
      this.#compared.delete(asked.layer.name)
      await this.#read(asked, repeats + 1)
    }
    return taken.length > 0
  }

  async #read(asked: Part, repeats: number): Promise<void> {
    const aftermath = new Aftermath()
    const before = (): ServedBefore => (this.#before ??= new ServedBefore(this.#run.world.state))
    const reading = { ...this.#run, aftermath, before }
    if (asked.layer.name === 'announcements') await this.#readAnnouncements(asked, reading)
    else await this.#readRoots(asked, reading)
    this.#openReads.add({ asked, aftermath, repeats })
  }

  async #readAnnouncements({ layer, anchors }: Part, reading: Reading): Promise<void> {
    const names = anchors.map(({ anchor }) => anchor)
    if (!names.some(isWholeScope))
      return readPages(layer, announcementFilters(layer.variants, names, reading.target), reading)
    const before = reading.before()
    const filters = [...announcementFilters(layer.variants, names.filter(isWholeScope), reading.target)]
    const isCompared = await this.#compareOnce(layer, [KIND.announcement], reading)
    if (isCompared) before.seeKnown()
    else await readPages(layer, filters, reading)
    if ((await askForHidden(layer, reading)) && isCompared) await readPages(layer, filters, reading)
    return distrustLosses(before.takeLost(), reading)
  }

  async #readRoots({ layer, anchors }: Part, reading: Reading): Promise<void> {
    const { name, variants } = layer
    const names = anchors.map(({ anchor }) => anchor)
    if (reading.options.followUps) await readFollowed(layer, names, reading)
    if (name !== 'repositories') return
    const isCompared = await this.#compareOnce(layer, ROOT_KINDS, reading)
    const recalled = reading.world.state.anchors.recalled(name)
    const unread = isCompared ? anchors.filter(({ number }) => number > recalled) : anchors
    const unreadNames = unread.map(({ anchor }) => anchor)
    const addresses = unreadNames.filter((anchor) => anchor.startsWith(`${KIND.announcement}:`))
    await readPages(layer, rootFilters(addresses, reading.target), reading)
    await readPages(layer, hostedFilters(variants, unreadNames), reading)
  }

  #compareOnce(layer: Layer, kinds: readonly number[], reading: Reading): Promise<boolean> {
    const result = this.#compared.get(layer.name) ?? compareKnown(layer, kinds, reading)
    this.#compared.set(layer.name, result)
    return result
  }
}

/**
 * Whether known events may be compared instead of read again: not when the run asks by name or by time. A shard knows
 * the roots of its own repositories only, but all announcements.
 */
function maySkipKnown({ name }: Layer, { options, policy, choice }: ScopedRun): boolean {
  const knowsAll = options.shard === undefined || name === 'announcements'
  return options.reconcile && policy.since === undefined && choice.scope.type !== 'named' && knowsAll
}

/**
 * Compares the known events of some kinds with those of the target, and reads the difference; false when they must be
 * paged.
 */
async function compareKnown(layer: Layer, kinds: readonly number[], reading: Reading): Promise<boolean> {
  const { target, startedAt: now } = reading
  const { state } = reading.world
  const atTarget = maySkipKnown(layer, reading) ? createRelaySet(target, { kinds }, reading.aftermath) : undefined
  if (atTarget === undefined) return false
  const collector = new IdCollector()
  for (const { id, createdAt } of state.known.ofKinds(kinds)) collector.add(createdAt, id)
  const known = collector.seal()
  if (known.size === 0) return false
  const claimed = new Set(sampleIds(known, now))
  let isWhole = true
  const { type } = await reconcileFilter({
    source: atTarget,
    target: createLocalSet(known),
    filter: { kinds },
    now,
    onMissing: async (ids) => {
      const request = (filter: Filter) => target.endpoint.request(filter, reading.aftermath)
      const { reason } = await fetchByIds(ids, { request, sink: (events) => learnHeld(layer, events, reading) })
      isWhole &&= reason === null
    },
    onExtra: async (ids) => {
      for (const id of ids) claimed.delete(id)
      state.transaction(() => state.known.remove(ids))
    },
  })
  return type === 'done' && isWhole && (await servesListed(target, [...claimed]))
}

/** Reads filters in pages. A second that stays open may hide events, so it is noted as a gap. */
async function readPages(layer: Layer, filters: Iterable<TargetFilter>, reading: Reading): Promise<void> {
  const { options, startedAt: now, targetGaps, aftermath } = reading
  const target = hearPeer(reading.target, aftermath)
  const { endpoint, capacity, pageLimit: limit } = target
  const atOnce = (): number => (reading.target.endpoint.kind === 'file' ? 1 : reading.target.endpoint.requestsAtOnce())
  await sideBySide(filters, atOnce, async ({ filter, isWanted }) => {
    const sink = (events: readonly NostrEvent[]): Promise<void> => learnHeld(layer, events.filter(isWanted), reading)
    const plain = { request: (asked: Filter) => endpoint.request(asked), sink, aftermath, capacity, limit }
    const gap = await readThrough(target, filter, sink, {
      readSecond: async (within, count) =>
        options.reconcile && readSecond(reading.target, { filter: within, count }, plain, now),
    })
    if (gap !== null) targetGaps.note(`its ${layer.name}: ${gap}`)
  })
}

/**
 * Asks by address for announcements that the target served before and did not show now: a full second or a broad
 * question may hide them. Returns whether it serves any.
 */
async function askForHidden(layer: Layer, reading: Reading): Promise<boolean> {
  const unseen = reading.before().unseen()
  // Announcements that stay hidden count as lost.
  const versions = await findVersions(reading.target, unseen, () => undefined)
  await learnHeld(layer, [...versions.values()], reading)
  return versions.size > 0
}

/** Makes events of the target known. A root is learnt only if it names an anchored repository, or is hosted. */
async function learnHeld(
  layer: Layer,
  events: readonly NostrEvent[],
  { world: { state, verifier }, catalog, target, witnesses, before }: Reading,
): Promise<void> {
  const verified = await keepValid(events, verifier)
  const { name, variants } = layer
  const isHosted = (event: NostrEvent): boolean => variants.some(({ accepts }) => accepts?.(event) === true)
  const ours = verified.filter((event) => name === 'announcements' || isAnchored(event, state) || isHosted(event))
  state.transaction(() => {
    state.known.add(verified)
    for (const event of ours) catalog.learn(name, event, true)
  })
  if (name === 'announcements') before().see(ours)
  witnesses.add(target.endpoint.url, ours)
}

function isAnchored(event: NostrEvent, { anchors }: TargetState): boolean {
  return referencesOf(event).addresses.some((address) => anchors.has(address))
}
