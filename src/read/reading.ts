/*
 * Reading all layers from all sources: the anchors that are not read yet, layer by layer, until no new anchor appears.
 * The target is asked for its announcements and roots as well, always without `since`: no anchor is forgotten.
 */
import { fetchRequests, type FetchContext } from './fetch.ts'
import type { OpenSource } from '../run/source.ts'
import { takeIn } from '../receive/take-in.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { reviseAnnouncements } from '../select/revise-announcements.ts'
import { compareRequest, readSecond } from './compare-request.ts'
import { findNarrow } from './narrowness.ts'
import { createTargetReader, type TargetReader } from './target-anchors.ts'
import type { Layer } from '../checkpoint/layers.ts'
import { openAnchors } from './open-anchors.ts'
import { OpenReads, type OpenRead, type TakenBack } from './open-reads.ts'
import { planRequests, type FilterLimits, type PlannedAnchor, type PlannedRequest } from '../checkpoint/plan.ts'
import { settleEnds } from '../relay/endpoint.ts'
import type { Peer } from '../relay/peer.ts'
import type { LayerName } from '../layer-name.ts'
import type { Fetched } from '../run/source-log.ts'
import type { FoundAnchor } from '../store/anchors.ts'

const MAX_ROUNDS = 100
const ANCHORS_AT_ONCE = 5_000
const VALUES_PER_FILTER = 100

/** How far somebody has read, as numbers of anchors by layer. */
type Position = Map<LayerName, number>

/** A run that reads all layers, with what relays may still take back. */
type Reading = ScopedRun & {
  readonly atTarget: TargetReader
  readonly discovery: Discovery | undefined
  readonly openReads: OpenReads<Asked>
}

/** A request, and whom it was put to. */
type Asked = { readonly source: OpenSource; readonly request: PlannedRequest }

/**
 * Reads every layer to the end. Anchors that a layer finds itself wait for the next round, so the bound on rounds
 * holds for a chain of threads as well (rule 9). Throws LostRelayError when the target stops answering; sources that
 * fail are logged.
 */
export async function readLayers(run: ScopedRun, discovery: Discovery | undefined): Promise<void> {
  const reading = { ...run, discovery, atTarget: createTargetReader(run), openReads: new OpenReads<Asked>() }
  const progress: Progress = { target: new Map(), positions: new Map(), rounds: 0 }
  do await readRounds(progress, reading)
  while ((await settleReads(reading)) || (await rereadNarrow(progress, reading)))
}

/** How far everybody has read, and in how many rounds. */
type Progress = { readonly target: Position; readonly positions: Map<OpenSource, Position>; rounds: number }

async function readRounds(progress: Progress, run: Reading): Promise<void> {
  const { layers, sources, world } = run
  const { anchors } = world.state
  const { target, positions } = progress
  const positionOf = (source: OpenSource): Position => ensure(positions, source, (): Position => new Map())
  const isBehind = ({ name }: Layer, last = anchors.last(name)): boolean =>
    [target, ...sources.map(positionOf)].some((position) => last > (position.get(name) ?? 0))
  for (; layers.some((layer) => isBehind(layer)); progress.rounds += 1) {
    if (progress.rounds >= MAX_ROUNDS) return logTooManyRounds(run)
    for (const layer of layers) {
      const last = anchors.last(layer.name)
      while (isBehind(layer, last)) {
        await advance(layer, target, run, (found) => run.atTarget.read(layer, found))
        await Promise.all(
          sources.map((source) =>
            advance(layer, positionOf(source), run, (found) => readAtSource(source, layer, found, run)),
          ),
        )
        if (layer.name === 'announcements') await deriveAnchors(run)
      }
    }
    await deriveAnchors(run)
    for (const source of await readDiscovered(run)) positions.delete(source)
  }
}

/** Whether any source has turned out to leave out what it holds: it is read again. Looked for once its ends stand. */
async function rereadNarrow({ positions }: Progress, run: Reading): Promise<boolean> {
  const narrow = await findNarrow(run)
  for (const source of narrow) positions.delete(source)
  return narrow.length > 0
}

/**
 * Waits, at all relays at once, until nothing more can take back what was read, and reads again what was taken back.
 * Returns whether that was needed: new anchors may have come of it.
 */
async function settleReads(run: Reading): Promise<boolean> {
  const { sources, openReads } = run
  const [hasRereadTarget] = await Promise.all([
    run.atTarget.settle(),
    ...sources.map(({ peer }) => settleEnds(peer.endpoint)),
  ])
  const taken = openReads.take()
  await Promise.all(
    sources.map((source) =>
      readAgain(
        source,
        taken.filter(({ asked }) => asked.source === source),
        run,
      ),
    ),
  )
  if (taken.length > 0) await deriveAnchors(run)
  return hasRereadTarget || taken.length > 0
}

/** What an announcement was found to be in the meantime, the deletions that were read since may have changed. */
async function deriveAnchors(run: ScopedRun): Promise<void> {
  const { knowledge, world } = run
  await reviseAnnouncements(run)
  world.state.transaction(() => knowledge.deriveAnchors())
}

/**
 * Reads the announcements of sources that were just discovered. Returns these sources: they start over with the other
 * layers.
 */
async function readDiscovered(run: Reading): Promise<readonly OpenSource[]> {
  const [layer] = run.layers
  const found = (await run.discovery?.follow()) ?? []
  if (layer === undefined || found.length === 0) return []
  const read = found.map(({ source, announcements }) => {
    const anchors = announcements.map((anchor) => ({ anchor, number: 0, held: false }))
    return readAtSource(source, layer, anchors, run)
  })
  await Promise.all(read)
  await deriveAnchors(run)
  return found.map(({ source }) => source)
}

/** Reads the next anchors of a layer, if there are any that were not read yet. */
async function advance(
  layer: Layer,
  position: Position,
  run: Reading,
  read: (anchors: readonly FoundAnchor[]) => Promise<void>,
): Promise<void> {
  const anchors = run.world.state.anchors.after(layer.name, position.get(layer.name) ?? 0, ANCHORS_AT_ONCE)
  const last = anchors.at(-1)
  if (last === undefined) return
  await read(anchors)
  position.set(layer.name, last.number)
}

async function readAtSource(
  source: OpenSource,
  layer: Layer,
  anchors: readonly FoundAnchor[],
  run: Reading,
): Promise<void> {
  const asked = anchors.filter(({ anchor }) => isAsked(source, layer, anchor))
  const planned = asked.map((anchor) => planAnchor(source, layer.name, anchor, run))
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

function fetchingFrom(source: OpenSource, run: ScopedRun): Omit<FetchContext, 'done'> {
  const { endpoint } = source.peer
  return {
    budget: source.budget,
    sink: async (request, events) => {
      run.world.progress.fetched(request.layer, endpoint.url, events.length)
      await takeIn(endpoint.url, request, events, run)
    },
    compare: (request, reading) => compareRequest(source, request, reading, run),
    readSecond: async (page, reading) => run.options.reconcile && readSecond(source.peer, page, reading, run.startedAt),
  }
}

/** What was not drained has nothing that could be taken back. */
function stayOpen(read: OpenRead<Asked>, { drain }: Fetched, { openReads }: Reading): void {
  if (drain.reason === null) openReads.add(read)
}

/** Reads again what a source took back; what it keeps taking back is not drained. */
async function readAgain(source: OpenSource, taken: readonly TakenBack<Asked>[], run: Reading): Promise<void> {
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
  { world: { state }, knowledge }: ScopedRun,
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
  { world: { state } }: ScopedRun,
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
  { world: { state } }: ScopedRun,
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

function logTooManyRounds({ sources, world: { state } }: ScopedRun): void {
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
