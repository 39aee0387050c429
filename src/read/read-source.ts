/*
 * Reads the anchors of one layer at one source: plans requests, records and sends them, and notes how each ended.
 */
import type { Layer } from '../checkpoint/layers.ts'
import {
  decideRead,
  planRequests,
  type FilterLimits,
  type PlannedAnchor,
  type PlannedRequest,
} from '../checkpoint/plan.ts'
import type { LayerName } from '../layer-name.ts'
import { takeIn } from '../receive/take-in.ts'
import type { Peer } from '../relay/peer.ts'
import type { Fetched } from '../run/source-log.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { FoundAnchor } from '../store/anchors.ts'
import type { BareTarget } from './bare-target.ts'
import { compareRequest, readSecond } from './compare-request.ts'
import type { Wholes } from './compare-wholes.ts'
import { fetchRequests, type FetchContext } from './fetch.ts'
import { openAnchors } from './open-anchors.ts'
import type { OpenRead, OpenReads, TakenBack } from './open-reads.ts'

const VALUES_PER_FILTER = 100

/** A request and the source that was asked. */
export type Asked = { readonly source: OpenSource; readonly request: PlannedRequest }

/** A run that reads sources, with the readings that they may still take back. */
export type SourceReading = ScopedRun & {
  readonly openReads: OpenReads<Asked>
  readonly wholes: Wholes
  readonly bareTarget: BareTarget
}

/** Reads the events of some anchors of a layer at one source. Failures go to the log of the source. */
export async function readAtSource(
  source: OpenSource,
  layer: Layer,
  anchors: readonly FoundAnchor[],
  run: SourceReading,
): Promise<void> {
  const asked = anchors.filter(({ anchor }) => isAsked(source, layer, anchor))
  const planned = asked.map((anchor) => planAnchor(source, layer.name, anchor, run))
  run.wholes.expect(source, {
    fullAnchors: countFull(layer, planned, run),
    wasDrained: planned.some(({ checkpoint }) => checkpoint !== undefined),
  })
  const limits = limitsOf(source.peer)
  source.log.anchors(layer.name, planned, run.policy)
  await fetchRequests(source.peer, recorded(source, planRequests(layer, planned, run.policy, limits), run), {
    ...fetchingFrom(source, run),
    done: (request, fetched, aftermath) => {
      source.log.request(request, fetched)
      conclude(source, request, fetched, run)
      stayOpen({ asked: { source, request }, aftermath, repeats: 0 }, fetched, run)
    },
  })
  await readAgain(
    source,
    run.openReads.take((asked) => asked.source === source),
    run,
  )
}

/** How many anchors are read in full now; in the first layer, those that earlier runs knew of the others as well. */
function countFull({ name }: Layer, planned: readonly PlannedAnchor[], { policy, world }: ScopedRun): number {
  const full = planned.filter((anchor) => decideRead(anchor, policy).mode === 'full').length
  if (name !== 'announcements' || full === 0) return full
  const { anchors } = world.state
  return full + anchors.recalled('repositories') + anchors.recalled('threads')
}

function fetchingFrom(source: OpenSource, run: SourceReading): Omit<FetchContext, 'done'> {
  const { endpoint } = source.peer
  return {
    budget: source.budget,
    sink: async (request, events) => {
      run.world.tell?.({ type: 'page', source: endpoint.url, layer: request.layer, events: events.length })
      await takeIn(endpoint.url, request, events, run)
    },
    answer: (request, matches) => run.wholes.answer(source, request, matches),
    compare: (request, reading) => compareRequest(source, request, reading, run),
    readSecond: async (page, reading) => run.options.reconcile && readSecond(source.peer, page, reading, run.startedAt),
  }
}

/** Keeps a drained reading open to being taken back; one that was not drained proves nothing anyway. */
function stayOpen(read: OpenRead<Asked>, { drain }: Fetched, { openReads }: SourceReading): void {
  if (drain.reason === null) openReads.add(read)
}

/** Repeats the readings that a source took back. One that it keeps taking back is not drained. */
export async function readAgain(
  source: OpenSource,
  taken: readonly TakenBack<Asked>[],
  run: SourceReading,
): Promise<void> {
  if (taken.length > 0) run.wholes.distrust(source)
  const repeats = new Map<PlannedRequest, number>()
  for (const { asked, reason, isWorthRepeating, repeats: before } of taken) {
    source.peer.breadth.takeBack(asked.request.filter)
    if (isWorthRepeating) repeats.set(asked.request, before + 1)
    else noteUndrained(source, asked.request, reason, run)
  }
  await fetchRequests(source.peer, repeats.keys(), {
    ...fetchingFrom(source, run),
    done: (request, fetched, aftermath) => {
      source.log.repetition(request, fetched)
      conclude(source, request, fetched, run)
      stayOpen({ asked: { source, request }, aftermath, repeats: repeats.get(request) ?? 1 }, fetched, run)
    },
  })
}

function noteUndrained(
  { peer, log }: OpenSource,
  request: PlannedRequest,
  reason: string,
  { world: { state } }: ScopedRun,
): void {
  log.undrained(request.layer, reason)
  const found = { drained: false, events: false }
  state.transaction(() => state.checkpoints.note(peer.endpoint.url, request.layer, request.anchors, found))
}

/** An anchor of an earlier run may have no filter any more: the target may no longer host pull requests. */
function isAsked({ narrowing }: OpenSource, { name, variants }: Layer, anchor: string): boolean {
  return variants.some(({ serves }) => serves(anchor)) && (narrowing?.isAskedFor(name, anchor) ?? true)
}

/** The filters that an end understands. A file finds values of any length. */
export function limitsOf({ endpoint, maxFilterBytes, findsIdentifiers, breadth, ...peer }: Peer): FilterLimits {
  const { needsKinds } = breadth
  const maxTagValueLength = endpoint.kind === 'file' ? Infinity : peer.maxTagValueLength
  return { maxCount: VALUES_PER_FILTER, maxBytes: maxFilterBytes, maxTagValueLength, findsIdentifiers, needsKinds }
}

/** A file has no checkpoints: next time it may be another file under the same name. */
function planAnchor(
  { peer }: OpenSource,
  layer: LayerName,
  { anchor, held }: FoundAnchor,
  { world: { state }, catalog }: ScopedRun,
): PlannedAnchor {
  const isRelay = peer.endpoint.kind === 'relay'
  const checkpoint = isRelay ? state.checkpoints.load(peer.endpoint.url, layer, anchor) : undefined
  return { anchor, checkpoint, held: catalog.isHeld(layer, anchor, held) }
}

/** Records each request before it goes out: an anchor counts as drained only when all of its filters are. */
function* recorded(
  { peer }: OpenSource,
  requests: Iterable<PlannedRequest>,
  { world: { state } }: ScopedRun,
): Generator<PlannedRequest> {
  for (const request of requests) {
    state.transaction(() => state.checkpoints.plan(peer.endpoint.url, request.layer, request.anchors, request))
    yield request
  }
}

function conclude({ peer, log }: OpenSource, request: PlannedRequest, fetched: Fetched, { world }: ScopedRun): void {
  const { drain } = fetched
  const { state } = world
  const { match, scan } = request
  world.tell?.({
    ...{ type: 'end', source: peer.endpoint.url, layer: request.layer },
    ...{ pages: drain.pages, events: drain.rows, reason: drain.reason },
  })
  if (scan !== undefined || (match !== undefined && peer.findsIdentifiers)) {
    log.note(`tag values longer than ${peer.maxTagValueLength} bytes were read by a scan: it may not index them`)
  }
  const open = openAnchors(request, drain)
  state.transaction(() => {
    const { url } = peer.endpoint
    state.checkpoints.note(url, request.layer, request.anchors, { drained: true, events: drain.rows > 0 })
    state.checkpoints.note(url, request.layer, open, { drained: false, events: false })
  })
}
