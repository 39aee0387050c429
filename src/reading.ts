/*
 * Reading all layers from all sources: the anchors that are not read yet, layer by layer, until no new anchor appears.
 * The target is asked for its announcements and roots as well, always without `since`: no anchor is forgotten.
 */
import { fetchRequests, type Budget, type Fetched } from './fetch.ts'
import { takeIn, type IntakeContext } from './intake.ts'
import type { Knowledge } from './knowledge.ts'
import type { Layer } from './layers.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { Filter } from './nostr/filter.ts'
import { planRequests, type FilterLimits, type PlannedAnchor, type PlannedRequest, type SincePolicy } from './plan.ts'
import type { DrainContext } from './relay/paging.ts'
import type { Peer } from './relay/peer.ts'
import type { LayerName } from './report.ts'
import type { SourceLog } from './source-log.ts'
import type { FoundAnchor } from './store/anchors.ts'

/** A source that could be opened, what may still be read from it, and the log of how it went. */
export type OpenSource = {
  readonly peer: Peer
  readonly budget: Budget
  readonly log: SourceLog
  /** What a discovered source is asked about; absent: everything. */
  readonly narrowing?: Narrowing
}

/** A discovered source is asked only about repositories that name it. The set of these may grow during the run. */
export type Narrowing = {
  /** Whether the source is to be asked for this anchor, and was not yet. */
  readonly isAskedFor: (layer: LayerName, anchor: string) => boolean
  readonly isAskedAbout: (event: NostrEvent) => boolean
}

/** A source that was discovered, or that more is known of, and the announcements that it is asked for. */
export type Discovered = { readonly source: OpenSource; readonly announcements: readonly string[] }

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
   * Adds to `sources` what the announcements in scope name. Returns these, and the sources that are asked about more
   * repositories than before, with their anchors of layer 1.
   */
  readonly discover: () => Promise<readonly Discovered[]>
  /** The sources that have just turned out to leave out what they hold: they are read again. */
  readonly findNarrow: () => Promise<readonly OpenSource[]>
  readonly onProgress: (layer: LayerName, source: string, events: number) => void
}

const MAX_ROUNDS = 100
const ANCHORS_AT_ONCE = 5_000
const VALUES_PER_FILTER = 100

/** How far somebody has read, as numbers of anchors by layer. */
type Position = Map<LayerName, number>

/**
 * Reads every layer to the end. Anchors that a layer finds of its own wait for the next round, so the bound on rounds holds
 * for a chain of threads as well (rule 9). Throws LostRelayError when the target stops answering; sources that fail are
 * logged.
 */
export async function readLayers(context: ReadingContext): Promise<void> {
  const { layers, sources } = context
  const target: Position = new Map()
  const positions = new Map<OpenSource, Position>()
  const positionOf = (source: OpenSource): Position => ensure(positions, source, (): Position => new Map())
  const isBehind = ({ name }: Layer, last = context.state.anchors.last(name)): boolean =>
    [target, ...sources.map(positionOf)].some((position) => last > (position.get(name) ?? 0))
  for (let round = 1; layers.some((layer) => isBehind(layer)); round += 1) {
    if (round > MAX_ROUNDS) return logTooManyRounds(context)
    for (const layer of layers) {
      const last = context.state.anchors.last(layer.name)
      while (isBehind(layer, last)) {
        await advance(layer, target, context, (anchors) => context.readTarget(layer, anchors))
        await Promise.all(
          sources.map((source) =>
            advance(layer, positionOf(source), context, (anchors) => readAtSource(source, layer, anchors, context)),
          ),
        )
        if (layer.name === 'announcements') context.state.transaction(() => context.knowledge.deriveAnchors())
      }
    }
    for (const source of await readDiscovered(context)) positions.delete(source)
    for (const source of await context.findNarrow()) positions.delete(source)
  }
}

/** Reads the announcements of sources that were just discovered. Returns these sources: they start over with the other layers. */
async function readDiscovered(context: ReadingContext): Promise<readonly OpenSource[]> {
  const { layers, state, knowledge } = context
  const [layer] = layers
  const found = await context.discover()
  if (layer === undefined || found.length === 0) return []
  const read = found.map(({ source, announcements }) => {
    const anchors = announcements.map((anchor) => ({ anchor, number: 0, held: false }))
    return readAtSource(source, layer, anchors, context)
  })
  await Promise.all(read)
  state.transaction(() => knowledge.deriveAnchors())
  return found.map(({ source }) => source)
}

/** Reads the next anchors of a layer, if there are any that were not read yet. */
async function advance(
  layer: Layer,
  position: Position,
  context: ReadingContext,
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
  context: ReadingContext,
): Promise<void> {
  const { endpoint } = source.peer
  const asked = anchors.filter(({ anchor }) => isAsked(source, layer, anchor))
  const planned = asked.map((anchor) => planAnchor(source, layer.name, anchor, context))
  const limits = limitsOf(source.peer)
  source.log.anchors(layer.name, planned, context.policy)
  await fetchRequests(source.peer, recorded(source, planRequests(layer, planned, context.policy, limits), context), {
    budget: source.budget,
    sink: async (request, events) => {
      context.onProgress(layer.name, endpoint.url, events.length)
      await takeIn(endpoint.url, request, events, context)
    },
    done: (request, fetched) => conclude(source, request, fetched, context),
    compare: (request, reading) => context.compare(source, request, reading),
    readSecond: (page, reading) => context.readSecond(source.peer, page, reading),
  })
}

/** An anchor of an earlier run may have no filter any more: the target may have stopped to host pull requests. */
function isAsked({ narrowing }: OpenSource, { name, variants }: Layer, anchor: string): boolean {
  return variants.some(({ serves }) => serves(anchor)) && (narrowing?.isAskedFor(name, anchor) ?? true)
}

function limitsOf({ maxFilterBytes, maxTagValueLength, findsIdentifiers, breadth }: Peer): FilterLimits {
  const { needsKinds } = breadth
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
  const coverage = isRelay ? state.coverage.load(peer.endpoint.url, layer, anchor) : undefined
  return { anchor, coverage, held: knowledge.isHeld(layer, anchor, held) }
}

/** Notes each request in the state before it goes out, so that an anchor counts as drained only when all of its filters are. */
function* recorded(
  { peer }: OpenSource,
  requests: Iterable<PlannedRequest>,
  { state }: ReadingContext,
): Generator<PlannedRequest> {
  for (const request of requests) {
    state.transaction(() => state.coverage.plan(peer.endpoint.url, request.layer, request.anchors, request))
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
  log.request(request, fetched)
  const { match } = request
  if (match !== undefined && (peer.findsIdentifiers || match['#d'] === undefined)) {
    log.note(`tag values longer than ${peer.maxTagValueLength} bytes were read by a scan: it does not index them`)
  }
  const found = { drained: drain.reason === null, events: drain.rows > 0 }
  state.transaction(() => state.coverage.note(peer.endpoint.url, request.layer, request.anchors, found))
}

function logTooManyRounds({ sources, state }: ReadingContext): void {
  for (const { peer, log } of sources) {
    log.fail(`new anchors kept appearing for ${MAX_ROUNDS} rounds`)
    state.coverage.noteAllOpen(peer.endpoint.url)
  }
}

function ensure<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}
