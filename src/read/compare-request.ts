/*
 * Reads a request by comparison (NIP-77) where that costs less than paging. If both relays speak it, only the
 * difference is fetched. If only the source does, the ids of the target are paged for the comparison. If only the
 * target does, it lists its ids and the source is paged. If neither does, or something fails, the source is paged.
 * Where the target shows nothing, the source is paged and compared with what its pages bring.
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import {
  createLaterSet,
  createLocalSet,
  createRelaySet,
  inShortSessions,
  type ComparedSet,
} from '../relay/negentropy/compared-set.ts'
import { fetchMissing, type MissingContext } from '../relay/negentropy/fetch-missing.ts'
import { IdCollector } from '../relay/negentropy/id-set.ts'
import { reconcileFilter } from '../relay/negentropy/reconcile-filter.ts'
import { addDrains, drain, type DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'
import { overBudget, type Budget } from '../run/budget.ts'
import type { Fetched } from '../run/source-log.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { UnixSeconds } from '../time.ts'
import type { BareTarget } from './bare-target.ts'
import { isBorneOut, MANY, sampleIds, servesListed } from './claims.ts'

/** A run whose relays may be compared. */
type ComparingRun = Pick<
  ScopedRun,
  'target' | 'world' | 'options' | 'policy' | 'choice' | 'startedAt' | 'ledger' | 'sources'
> & { readonly bareTarget: BareTarget }

/** A source and its budget, which comparisons use up too. */
type Reading = { readonly peer: Peer; readonly budget: Budget }

const NO_IDS = createLocalSet(new IdCollector().seal())

/** Reads the events of a request that the target lacks; `undefined` when the request must be read in pages. */
export async function compareRequest(
  source: Reading,
  request: PlannedRequest,
  reading: DrainContext,
  run: ComparingRun,
): Promise<Fetched | undefined> {
  const { match, accepts, scan } = request
  // A filter by authors brings few unwanted events; one by kinds would bring them in every run.
  const isNarrow = accepts === undefined && scan === undefined && (match === undefined || match['#d'] !== undefined)
  const isWhole = request.mode === 'full' && isNarrow
  if (!isWhole || !mayCompare(request.layer, run)) return undefined
  const { filter } = request
  const { target, world, startedAt: now } = run
  const isBare = await run.bareTarget.showsNothing()
  const atSource = createRelaySet(source.peer, filter, reading.aftermath)
  const atTarget = isBare ? NO_IDS : createRelaySet(target, filter, reading.aftermath)
  if (atSource === undefined) {
    if (atTarget !== undefined && !isBare) await listTarget(atTarget, request, run)
    return undefined
  }
  const isKnown = (id: string): boolean => world.state.run.isSeen(id)
  // What another source has brought need not be fetched again; a single one brings everything.
  if (isBare && run.sources.length === 1)
    return pageAndCompare(source, filter, { ...reading, source: atSource, isKnown, now })
  const sets = { source: atSource, target: atTarget ?? (await pageTarget(request, run)) }
  const compared = await fetch(source, filter, { ...reading, ...sets, isKnown, now })
  const isRefusedByTarget = !isBare && target.support.refusal !== undefined && source.peer.support.refusal === undefined
  if (compared.comparison !== undefined) {
    if (await isBorneOut(filter, { source, reading }, run)) return compared
    noteContradiction(source.peer.endpoint.url, run)
    return { drain: addDrains(compared.drain, await drain(filter, reading)), comparison: undefined }
  }
  // The target turned out not to speak NIP-77: compare again, with its ids paged. After any other failure, page.
  if (atTarget !== undefined && isRefusedByTarget) return compareRequest(source, request, reading, run)
  return { drain: addDrains(compared.drain, await drain(filter, reading)), comparison: undefined }
}

/**
 * Reads a filter in pages, which is quick where nothing is held, and compares what they bring with what the source lists
 * by NIP-77. Its list is asked for meanwhile. What it lists and the pages lack is fetched; what it never serves leaves
 * the filter not drained.
 */
async function pageAndCompare(
  source: Reading,
  filter: Filter,
  context: Omit<MissingContext, 'target'>,
): Promise<Fetched> {
  const ids = new IdCollector()
  const sink = (events: readonly NostrEvent[]): Promise<void> => {
    for (const { id, created_at } of events) ids.add(created_at, id)
    return context.sink(events)
  }
  const paging = drain(filter, { ...context, sink })
  const target = createLaterSet(paging.then(() => ids.seal()))
  const comparing = fetch(source, filter, {
    ...context,
    target,
    source: inShortSessions(context.source),
    isPaged: true,
  })
  const [paged, { drain: fetched, comparison }] = await Promise.all([paging, comparing])
  if (comparison === undefined || paged.reason !== null) return { drain: addDrains(fetched, paged), comparison }
  return { drain: addDrains(paged, fetched), comparison }
}

/**
 * Reads all of one second at a source by NIP-77; false when the source does not speak it, or something was not sent. A
 * list no longer than the `count` events of a page of this second may be cut off like the page: false as well.
 */
export async function readSecond(
  source: Peer,
  { filter, count }: { readonly filter: Filter; readonly count: number },
  reading: DrainContext,
  now: UnixSeconds,
): Promise<boolean> {
  const atSource = createRelaySet(source, filter, reading.aftermath)
  if (atSource === undefined) return false
  const read = await fetchMissing(filter, { ...reading, source: atSource, target: NO_IDS, now })
  return read.type === 'read' && read.drain.reason === null && read.listed > count
}

async function fetch({ budget }: Reading, filter: Filter, context: MissingContext): Promise<Fetched> {
  const shouldStop = (bytes: number): string | undefined => (bytes > budget.bytesLeft ? overBudget(budget) : undefined)
  const read = await fetchMissing(filter, { ...context, shouldStop })
  budget.bytesLeft -= read.traffic.source.received
  return { drain: read.drain, comparison: read.type === 'read' ? read : undefined }
}

/** Pages the ids that a target without NIP-77 holds, and notes them as served. */
async function pageTarget({ filter }: PlannedRequest, { target, world }: ComparingRun): Promise<ComparedSet> {
  const ids = new IdCollector()
  const { endpoint, capacity, pageLimit } = target
  // An id that the pages leave out counts as missing: the event is fetched, and the target asked for it by id. So
  // nothing is lost or sent twice.
  await drain(filter, {
    request: (asked) => endpoint.request(asked),
    sink: async (events) => {
      world.state.run.addServed(events.map(({ id }) => id))
      for (const { id, created_at } of events) ids.add(created_at, id)
    },
    capacity,
    limit: pageLimit,
  })
  return createLocalSet(ids.seal())
}

/** For a source without NIP-77: the target lists its ids, so that it need not be asked for events that both hold. */
async function listTarget(target: ComparedSet, { filter }: PlannedRequest, run: ComparingRun): Promise<void> {
  const { target: peer, world, startedAt: now } = run
  await reconcileFilter({
    source: target,
    target: NO_IDS,
    filter,
    now,
    onMissing: async (ids) => {
      const sample = sampleIds({ size: ids.length, id: (place) => ids[place] ?? '' }, now, MANY)
      if (await servesListed(peer, sample)) return world.state.run.addServed(ids)
      noteContradiction(peer.endpoint.url, run)
      world.state.run.distrustServed()
    },
  })
}

/** With `--follow-ups` every event of layers 2 to 4 must be seen, so they are paged. */
function mayCompare(layer: LayerName, { options }: ComparingRun): boolean {
  if (!options.reconcile) return false
  return layer === 'announcements' || !options.followUps
}

/** Notes that what a relay listed is not what it serves. */
export function noteContradiction(url: string, { ledger }: Pick<ComparingRun, 'ledger'>): void {
  ledger.note(`What ${url} listed by NIP-77 is not borne out by what is served, so that was read in pages.`)
}
