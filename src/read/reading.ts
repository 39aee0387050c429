/*
 * Reading all layers from all sources: the anchors that are not read yet, layer by layer, until no new anchor appears.
 * The target is asked for its announcements and roots as well, always without `since`: no anchor is forgotten.
 */
import { fetchRequests, type FetchContext } from './fetch.ts'
import type { Discovered, OpenSource } from '../run/source.ts'
import { takeIn, type IntakeContext } from '../receive/take-in.ts'
import type { Knowledge } from '../scope/knowledge.ts'
import type { Layer } from '../checkpoint/layers.ts'
import type { Filter } from '../nostr/filter.ts'
import { openAnchors } from './open-anchors.ts'
import { OpenReads, type OpenRead, type TakenBack } from './open-reads.ts'
import {
  planRequests,
  type FilterLimits,
  type PlannedAnchor,
  type PlannedRequest,
  type SincePolicy,
} from '../checkpoint/plan.ts'
import { settleEnds } from '../relay/endpoint.ts'
import type { DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'
import type { LayerName } from '../layer-name.ts'
import type { Fetched } from '../run/source-log.ts'
import type { FoundAnchor } from '../store/anchors.ts'

export type ReadingContext = IntakeContext & {
  readonly layers: readonly Layer[]
  /** Grows while the run goes on, when `discover` finds more. */
  readonly sources: readonly OpenSource[]
  readonly knowledge: Knowledge
  readonly policy: SincePolicy
  /** Reads a request by comparison with the target, where that is possible and costs less. */
  readonly compare: (source: OpenSource, request: PlannedRequest, reading: DrainContext) => Promise<Fetched | undefined>
  /** Reads a single second of a source by NIP-77: true when all of it came. */
  readonly readSecond: (
    source: Peer,
    page: { filter: Filter; count: number },
    reading: DrainContext,
  ) => Promise<boolean>
  /** Asks the target for its announcements and roots behind these anchors. */
  readonly readTarget: (layer: Layer, anchors: readonly FoundAnchor[]) => Promise<void>
  /**
   * Reads again what the target took back after it had answered, once all its ends stand. Returns whether it had to.
   */
  readonly settleTarget: () => Promise<boolean>
  /**
   * Adds to `sources` what the announcements in scope name. Returns these, and the sources that are asked about more
   * repositories than before, with their anchors of layer 1.
   */
  readonly discover: () => Promise<readonly Discovered[]>
  /** Looks whether announcements that decide were deleted, and puts older ones in their place. */
  readonly revise: () => Promise<void>
  /** The sources that have just turned out to leave out what they hold: they are read again. */
  readonly findNarrow: () => Promise<readonly OpenSource[]>
  readonly onProgress: (layer: LayerName, source: string, events: number) => void
}

const MAX_ROUNDS = 100
const ANCHORS_AT_ONCE = 5_000
const VALUES_PER_FILTER = 100

/** How far somebody has read, as numbers of anchors by layer. */
type Position = Map<LayerName, number>

/** One reading of all layers, with what relays may still take back. */
type Reading = ReadingContext & { readonly openReads: OpenReads<Asked> }

/** A request, and whom it was put to. */
type Asked = { readonly source: OpenSource; readonly request: PlannedRequest }

/**
 * Reads every layer to the end. Anchors that a layer finds itself wait for the next round, so the bound on rounds
 * holds for a chain of threads as well (rule 9). Throws LostRelayError when the target stops answering; sources that
 * fail are logged.
 */
export async function readLayers(given: ReadingContext): Promise<void> {
  const context = { ...given, openReads: new OpenReads<Asked>() }
  const progress: Progress = { target: new Map(), positions: new Map(), rounds: 0 }
  do await readRounds(progress, context)
  while ((await settleReads(context)) || (await findNarrow(progress, context)))
}

/** How far everybody has read, and in how many rounds. */
type Progress = { readonly target: Position; readonly positions: Map<OpenSource, Position>; rounds: number }

async function readRounds(progress: Progress, context: Reading): Promise<void> {
  const { layers, sources } = context
  const { target, positions } = progress
  const positionOf = (source: OpenSource): Position => ensure(positions, source, (): Position => new Map())
  const isBehind = ({ name }: Layer, last = context.state.anchors.last(name)): boolean =>
    [target, ...sources.map(positionOf)].some((position) => last > (position.get(name) ?? 0))
  for (; layers.some((layer) => isBehind(layer)); progress.rounds += 1) {
    if (progress.rounds >= MAX_ROUNDS) return logTooManyRounds(context)
    for (const layer of layers) {
      const last = context.state.anchors.last(layer.name)
      while (isBehind(layer, last)) {
        await advance(layer, target, context, (anchors) => context.readTarget(layer, anchors))
        await Promise.all(
          sources.map((source) =>
            advance(layer, positionOf(source), context, (anchors) => readAtSource(source, layer, anchors, context)),
          ),
        )
        if (layer.name === 'announcements') await deriveAnchors(context)
      }
    }
    await deriveAnchors(context)
    for (const source of await readDiscovered(context)) positions.delete(source)
  }
}

/** Whether any source has turned out to leave out what it holds: it is read again. Looked for once its ends stand. */
async function findNarrow({ positions }: Progress, context: Reading): Promise<boolean> {
  const narrow = await context.findNarrow()
  for (const source of narrow) positions.delete(source)
  return narrow.length > 0
}

/**
 * Waits, at all relays at once, until nothing more can take back what was read, and reads again what was taken back.
 * Returns whether that was needed: new anchors may have come of it.
 */
async function settleReads(context: Reading): Promise<boolean> {
  const { sources, openReads } = context
  const [hasRereadTarget] = await Promise.all([
    context.settleTarget(),
    ...sources.map(({ peer }) => settleEnds(peer.endpoint)),
  ])
  const taken = openReads.take()
  await Promise.all(
    sources.map((source) =>
      readAgain(
        source,
        taken.filter(({ asked }) => asked.source === source),
        context,
      ),
    ),
  )
  if (taken.length > 0) await deriveAnchors(context)
  return hasRereadTarget || taken.length > 0
}

/** What an announcement was found to be in the meantime, the deletions that were read since may have changed. */
async function deriveAnchors({ state, knowledge, revise }: ReadingContext): Promise<void> {
  await revise()
  state.transaction(() => knowledge.deriveAnchors())
}

/**
 * Reads the announcements of sources that were just discovered. Returns these sources: they start over with the other
 * layers.
 */
async function readDiscovered(context: Reading): Promise<readonly OpenSource[]> {
  const [layer] = context.layers
  const found = await context.discover()
  if (layer === undefined || found.length === 0) return []
  const read = found.map(({ source, announcements }) => {
    const anchors = announcements.map((anchor) => ({ anchor, number: 0, held: false }))
    return readAtSource(source, layer, anchors, context)
  })
  await Promise.all(read)
  await deriveAnchors(context)
  return found.map(({ source }) => source)
}

/** Reads the next anchors of a layer, if there are any that were not read yet. */
async function advance(
  layer: Layer,
  position: Position,
  context: Reading,
  read: (anchors: readonly FoundAnchor[]) => Promise<void>,
): Promise<void> {
  const anchors = context.state.anchors.after(layer.name, position.get(layer.name) ?? 0, ANCHORS_AT_ONCE)
  const last = anchors.at(-1)
  if (last === undefined) return
  await read(anchors)
  position.set(layer.name, last.number)
}

async function readAtSource(
  source: OpenSource,
  layer: Layer,
  anchors: readonly FoundAnchor[],
  context: Reading,
): Promise<void> {
  const asked = anchors.filter(({ anchor }) => isAsked(source, layer, anchor))
  const planned = asked.map((anchor) => planAnchor(source, layer.name, anchor, context))
  const limits = limitsOf(source.peer)
  source.log.anchors(layer.name, planned, context.policy)
  await fetchRequests(source.peer, recorded(source, planRequests(layer, planned, context.policy, limits), context), {
    ...fetchingFrom(source, context),
    done: (request, fetched, aftermath) => {
      source.log.request(request, fetched)
      conclude(source, request, fetched, context)
      stayOpen({ asked: { source, request }, aftermath, repeats: 0 }, fetched, context)
    },
  })
  await readAgain(
    source,
    context.openReads.take((asked) => asked.source === source),
    context,
  )
}

function fetchingFrom(source: OpenSource, context: Reading): Omit<FetchContext, 'done'> {
  const { endpoint } = source.peer
  return {
    budget: source.budget,
    sink: async (request, events) => {
      context.onProgress(request.layer, endpoint.url, events.length)
      await takeIn(endpoint.url, request, events, context)
    },
    compare: (request, reading) => context.compare(source, request, reading),
    readSecond: (page, reading) => context.readSecond(source.peer, page, reading),
  }
}

/** What was not drained has nothing that could be taken back. */
function stayOpen(read: OpenRead<Asked>, { drain }: Fetched, { openReads }: Reading): void {
  if (drain.reason === null) openReads.add(read)
}

/** Reads again what a source took back; what it keeps taking back is not drained. */
async function readAgain(source: OpenSource, taken: readonly TakenBack<Asked>[], context: Reading): Promise<void> {
  const repeats = new Map<PlannedRequest, number>()
  for (const { asked, reason, isWorthRepeating, repeats: before } of taken) {
    source.peer.breadth.takeBack(asked.request.filter)
    if (isWorthRepeating) repeats.set(asked.request, before + 1)
    else noteUndrained(source, asked.request, reason, context)
  }
  await fetchRequests(source.peer, repeats.keys(), {
    ...fetchingFrom(source, context),
    done: (request, fetched, aftermath) => {
      source.log.repetition(request, fetched)
      conclude(source, request, fetched, context)
      stayOpen({ asked: { source, request }, aftermath, repeats: repeats.get(request) ?? 1 }, fetched, context)
    },
  })
}

function noteUndrained({ peer, log }: OpenSource, request: PlannedRequest, reason: string, { state }: Reading): void {
  log.undrained(request.layer, reason)
  const found = { drained: false, events: false }
  state.transaction(() => state.checkpoints.note(peer.endpoint.url, request.layer, request.anchors, found))
}

/** An anchor of an earlier run may have no filter any more: the target may have stopped to host pull requests. */
function isAsked({ narrowing }: OpenSource, { name, variants }: Layer, anchor: string): boolean {
  return variants.some(({ serves }) => serves(anchor)) && (narrowing?.isAskedFor(name, anchor) ?? true)
}

/** A file finds any value. */
function limitsOf({ endpoint, maxFilterBytes, findsIdentifiers, breadth, ...peer }: Peer): FilterLimits {
  const { needsKinds } = breadth
  const maxTagValueLength = endpoint.kind === 'file' ? Infinity : peer.maxTagValueLength
  return { maxCount: VALUES_PER_FILTER, maxBytes: maxFilterBytes, maxTagValueLength, findsIdentifiers, needsKinds }
}

/** A file may be another file under the same name next time: it has no checkpoints. */
function planAnchor(
  { peer }: OpenSource,
  layer: LayerName,
  { anchor, held }: FoundAnchor,
  { state, knowledge }: ReadingContext,
): PlannedAnchor {
  const isRelay = peer.endpoint.kind === 'relay'
  const checkpoint = isRelay ? state.checkpoints.load(peer.endpoint.url, layer, anchor) : undefined
  return { anchor, checkpoint, held: knowledge.isHeld(layer, anchor, held) }
}

/**
 * Notes each request in the state before it goes out, so that an anchor counts as drained only when all of its filters
 * are.
 */
function* recorded(
  { peer }: OpenSource,
  requests: Iterable<PlannedRequest>,
  { state }: ReadingContext,
): Generator<PlannedRequest> {
  for (const request of requests) {
    state.transaction(() => state.checkpoints.plan(peer.endpoint.url, request.layer, request.anchors, request))
    yield request
  }
}

function conclude(
  { peer, log }: OpenSource,
  request: PlannedRequest,
  fetched: Fetched,
  { state }: ReadingContext,
): void {
  const { drain } = fetched
  const { match, scan } = request
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

function logTooManyRounds({ sources, state }: ReadingContext): void {
  for (const { peer, log } of sources) {
    log.fail(`new anchors kept appearing for ${MAX_ROUNDS} rounds`)
    state.checkpoints.noteAllOpen(peer.endpoint.url)
  }
}

function ensure<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}
