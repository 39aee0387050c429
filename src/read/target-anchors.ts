/*
 * The target's own announcements and roots: anchors of every run, always asked for without `since`. What is known of
 * them from earlier runs is compared by NIP-77 where the target speaks it, so that a run that finds nothing new reads
 * nothing. With `--follow-ups`, what else it holds of repositories and threads is an anchor too.
 */
import { LostRelayError } from '../errors.ts'
import { sampleIds, servesListed } from './claims.ts'
import { readSecond } from './compare-request.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { distrustLosses } from '../trust/void-checkpoints.ts'
import { isWholeScope, type Layer } from '../checkpoint/layers.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND, ROOT_KINDS } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { OpenReads } from './open-reads.ts'
import { Aftermath } from '../relay/aftermath.ts'
import { createLocalSet, createRelaySet } from '../relay/negentropy/compared-set.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import { settleEnds, type Page } from '../relay/endpoint.ts'
import { findVersions, readThrough } from '../relay/holdings.ts'
import { IdCollector } from '../relay/negentropy/id-set.ts'
import { hearPeer, type Peer } from '../relay/peer.ts'
import { reconcileFilter } from '../relay/negentropy/reconcile-filter.ts'
import type { LayerName } from '../layer-name.ts'
import { ServedBefore } from '../trust/served-before.ts'
import type { FoundAnchor } from '../store/anchors.ts'
import type { TargetState } from '../store/target-state.ts'

/** One reading of the target; `before`: what has to be seen again. `aftermath` is told what follows the ends. */
type Reading = ScopedRun & { readonly before: () => ServedBefore; readonly aftermath: Aftermath }

/** Reads the target; both throw LostRelayError. */
export type TargetReader = {
  /** Reads what the target holds behind these anchors of a layer. */
  readonly read: (layer: Layer, anchors: readonly FoundAnchor[]) => Promise<void>
  /** Waits until all its ends stand, and reads again what it took back. Returns whether it had to. */
  readonly settle: () => Promise<boolean>
}

/** Some anchors of a layer, as they were read together. */
type Part = { readonly layer: Layer; readonly anchors: readonly FoundAnchor[] }

const VALUES_PER_FILTER = 100

/** A reader for one run: what can be compared is compared once. */
export function createTargetReader(run: ScopedRun): TargetReader {
  const { target } = run
  const openReads = new OpenReads<Part>()
  let before: ServedBefore | undefined
  const compared = new Map<LayerName, Promise<boolean>>()
  const compareOnce = (layer: Layer, kinds: readonly number[], reading: Reading): Promise<boolean> => {
    const result = compared.get(layer.name) ?? compareKnown(layer, kinds, reading)
    compared.set(layer.name, result)
    return result
  }
  const readPart = async ({ layer, anchors }: Part, reading: Reading): Promise<void> => {
    const { name, variants } = layer
    const names = anchors.map(({ anchor }) => anchor)
    if (name === 'announcements') {
      if (!names.some(isWholeScope))
        return void (await readPages(layer, announcementFilters(variants, names, reading.target), reading))
      reading.before()
      const filters = [...announcementFilters(variants, names.filter(isWholeScope), reading.target)]
      const isCompared = await compareOnce(layer, [KIND.announcement], reading)
      if (isCompared) reading.before().seeKnown()
      else await readPages(layer, filters, reading)
      if ((await askForHidden(layer, reading)) && isCompared) await readPages(layer, filters, reading)
      return distrustLosses(reading.before().takeLost(), reading)
    }
    if (reading.options.followUps) await readFollowed(layer, names, reading)
    if (name !== 'repositories') return
    const isCompared = await compareOnce(layer, ROOT_KINDS, reading)
    const unread = isCompared
      ? anchors.filter(({ number }) => number > reading.world.state.anchors.recalled(name))
      : anchors
    const unreadNames = unread.map(({ anchor }) => anchor)
    const addresses = unreadNames.filter((anchor) => anchor.startsWith(`${KIND.announcement}:`))
    await readPages(layer, rootFilters(addresses, reading.target), reading)
    await readPages(layer, hostedFilters(variants, unreadNames), reading)
  }
  const read = async (asked: Part, repeats = 0): Promise<void> => {
    const aftermath = new Aftermath()
    await readPart(asked, { ...run, aftermath, before: () => (before ??= new ServedBefore(run.world.state)) })
    openReads.add({ asked, aftermath, repeats })
  }
  return {
    read: (layer, anchors) => read({ layer, anchors }),
    settle: async () => {
      await settleEnds(target.endpoint)
      const taken = openReads.take()
      for (const { asked, reason, repeats, isWorthRepeating } of taken) {
        if (!isWorthRepeating) throw new LostRelayError(`read ${target.endpoint.url}: ${reason}`)
        compared.delete(asked.layer.name)
        await read(asked, repeats + 1)
      }
      return taken.length > 0
    },
  }
}

/** Whether what is known already may be compared instead of read again: not where it is asked for by name or by time. */
function maySkipKnown({ options, policy, choice }: ScopedRun): boolean {
  return options.reconcile && policy.since === undefined && choice.scope.type !== 'named'
}

/**
 * Compares what is known of some kinds with what the target holds, and reads the difference; false when it must be
 * paged.
 */
async function compareKnown(layer: Layer, kinds: readonly number[], reading: Reading): Promise<boolean> {
  const { target, startedAt: now } = reading
  const { state } = reading.world
  const atTarget = maySkipKnown(reading) ? createRelaySet(target, { kinds }, reading.aftermath) : undefined
  if (atTarget === undefined) return false
  const collector = new IdCollector()
  for (const { id, createdAt } of state.known.ofKinds(kinds)) collector.add(createdAt, id)
  const known = collector.seal()
  if (known.size === 0) return false
  const claimed = new Set(sampleIds(known))
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

/** A second that stays open and may hide events is noted as a gap. */
async function readPages(layer: Layer, filters: Iterable<TargetFilter>, reading: Reading): Promise<void> {
  const { options, startedAt: now, targetGaps, aftermath } = reading
  const target = hearPeer(reading.target, aftermath)
  const { endpoint, capacity, pageLimit: limit } = target
  for (const { filter, isWanted } of filters) {
    const sink = (events: readonly NostrEvent[]): Promise<void> => learnHeld(layer, events.filter(isWanted), reading)
    const plain = { request: (asked: Filter) => endpoint.request(asked), sink, aftermath, capacity, limit }
    const gap = await readThrough(target, filter, sink, {
      readSecond: async (within, count) =>
        options.reconcile && readSecond(reading.target, { filter: within, count }, plain, now),
    })
    if (gap !== null) targetGaps.note(`its ${layer.name}: ${gap}`)
  }
}

/**
 * What it was known to serve and did not show may only be hidden, in a full second or from broad questions: it is asked
 * for by address. Returns whether any of it is served.
 */
async function askForHidden(layer: Layer, reading: Reading): Promise<boolean> {
  const unseen = reading.before().unseen()
  // What is hidden even so counts as lost.
  const versions = await findVersions(reading.target, unseen, () => undefined)
  await learnHeld(layer, [...versions.values()], reading)
  return versions.size > 0
}

/** A root counts when it names a repository that is an anchor, or is hosted without one; all are known from now on. */
async function learnHeld(
  layer: Layer,
  events: readonly NostrEvent[],
  { world: { state, verifier }, knowledge, target, witnesses, before }: Reading,
): Promise<void> {
  const verified = await keepValid(events, verifier)
  const { name, variants } = layer
  const isHosted = (event: NostrEvent): boolean => variants.some(({ accepts }) => accepts?.(event) === true)
  const ours = verified.filter((event) => name === 'announcements' || isAnchored(event, state) || isHosted(event))
  state.transaction(() => {
    state.known.add(verified)
    for (const event of ours) knowledge.learn(name, event, true)
  })
  if (name === 'announcements') before().see(ours)
  witnesses.add(target.endpoint.url, ours)
}

/** What may be followed: everything of these anchors, of which only what is not known yet need be read. */
async function readFollowed(layer: Layer, names: readonly string[], reading: Reading): Promise<void> {
  if (layer.name !== 'repositories' && layer.name !== 'threads') return
  for (const filter of layerFilters(layer.variants, names, reading.target)) {
    if (await listFollowed(layer, filter, reading)) continue
    const gap = await readThrough(hearPeer(reading.target, reading.aftermath), filter, (events) =>
      learnFollowed(layer, events, reading),
    )
    if (gap !== null) reading.targetGaps.note(`its ${layer.name}: ${gap}`)
  }
}

/** The same by NIP-77, which lists ids; false when it must be paged. */
async function listFollowed(layer: Layer, filter: Filter, reading: Reading): Promise<boolean> {
  const { target, options, startedAt: now, aftermath } = reading
  const { anchors } = reading.world.state
  const atTarget = options.reconcile ? createRelaySet(target, filter, aftermath) : undefined
  if (atTarget === undefined) return false
  let isWhole = true
  const { type } = await reconcileFilter({
    source: atTarget,
    target: createLocalSet(new IdCollector().seal()),
    filter,
    now,
    onMissing: async (ids) => {
      const unknown = ids.filter((id) => !anchors.has(id, ['threads', 'follow-ups']))
      const request = (asked: Filter): Promise<Page> => target.endpoint.request(asked, aftermath)
      const { reason } = await fetchByIds(unknown, { request, sink: (events) => learnFollowed(layer, events, reading) })
      isWhole &&= reason === null
    },
  })
  return type === 'done' && isWhole
}

async function learnFollowed(
  { name }: Layer,
  events: readonly NostrEvent[],
  { world: { state, verifier }, knowledge }: Reading,
): Promise<void> {
  const verified = await keepValid(events, verifier)
  state.transaction(() => {
    for (const event of verified) knowledge.learn(name, event, true)
  })
}

function isAnchored(event: NostrEvent, { anchors }: TargetState): boolean {
  return referencesOf(event).addresses.some((address) => anchors.has(address))
}

type TargetFilter = { readonly filter: Filter; readonly isWanted: (event: NostrEvent) => boolean }

function* announcementFilters(
  variants: Layer['variants'],
  names: readonly string[],
  target: Peer,
): Generator<TargetFilter> {
  for (const filter of layerFilters(variants, names, target))
    if (filter.kinds?.includes(KIND.announcement)) yield { filter, isWanted: () => true }
}

function* layerFilters(
  variants: Layer['variants'],
  names: readonly string[],
  { maxFilterBytes: maxBytes }: Peer,
): Generator<Filter> {
  for (const variant of variants.filter(({ accepts }) => accepts === undefined)) {
    const served = names.filter((name) => variant.serves(name))
    for (const group of chunkByCountAndBytes(served, { maxCount: VALUES_PER_FILTER, maxBytes }))
      yield variant.filter(group)
  }
}

/** What it hosts without an announcement, where that is an anchor. */
function* hostedFilters(variants: Layer['variants'], names: readonly string[]): Generator<TargetFilter> {
  for (const { serves, filter, accepts } of variants) {
    const served = names.filter((name) => serves(name))
    if (accepts !== undefined && served.length > 0) yield { filter: filter(served), isWanted: accepts }
  }
}

/** Where the target does not index long values, an empty answer to them proves nothing: all its roots are read. */
function* rootFilters(addresses: readonly string[], target: Peer): Generator<TargetFilter> {
  const limits = { maxCount: VALUES_PER_FILTER, maxBytes: target.maxFilterBytes }
  const isIndexed = (address: string): boolean => Buffer.byteLength(address) <= target.maxTagValueLength
  for (const group of chunkByCountAndBytes(addresses.filter(isIndexed), limits)) {
    yield { filter: { kinds: ROOT_KINDS, '#a': group }, isWanted: () => true }
  }
  const unindexed = new Set(addresses.filter((address) => !isIndexed(address)))
  if (unindexed.size === 0) return
  const isWanted = (event: NostrEvent): boolean =>
    referencesOf(event).addresses.some((address) => unindexed.has(address))
  yield { filter: { kinds: ROOT_KINDS }, isWanted }
}
