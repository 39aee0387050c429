/*
 * Reads all layers from all sources: unread anchors, layer by layer, until no new anchor appears. The target is always
 * asked for its announcements and roots without `since`, so no anchor is forgotten.
 */
import type { Layer } from '../checkpoint/layers.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { LayerName } from '../layer-name.ts'
import { settleEnds } from '../relay/endpoint.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { reviseAnnouncements } from '../select/revise-announcements.ts'
import type { FoundAnchor } from '../store/anchors.ts'
import { BareTarget } from './bare-target.ts'
import { Wholes } from './compare-wholes.ts'
import { findNarrow } from './narrowness.ts'
import { OpenReads } from './open-reads.ts'
import { readAtSource, readAgain, type Asked, type SourceReading } from './read-source.ts'
import { TargetReader } from './target-anchors.ts'

const MAX_ROUNDS = 100
const ANCHORS_AT_ONCE = 5_000

/** How far a relay has been read: the number of the last anchor, by layer. */
type Position = Map<LayerName, number>

/** A run that reads all layers. */
type Reading = SourceReading & { readonly atTarget: TargetReader; readonly discovery: Discovery | undefined }

/**
 * Reads every layer to the end. Anchors that a layer adds to itself wait for the next round, so the bound on rounds
 * holds for a chain of threads too (rule 9). Throws LostRelayError when the target stops answering; sources that fail
 * are logged.
 */
export async function readLayers(run: ScopedRun, discovery: Discovery | undefined): Promise<void> {
  const bareTarget = new BareTarget(run)
  const reading = {
    ...run,
    discovery,
    bareTarget,
    atTarget: new TargetReader(run),
    openReads: new OpenReads<Asked>(),
    wholes: new Wholes({ ...run, bareTarget }),
  }
  const progress: Progress = { target: new Map(), positions: new Map(), rounds: 0 }
  // Beside the first question to the target. It never fails.
  if (run.options.reconcile) void bareTarget.showsNothing()
  do await readRounds(progress, reading)
  while ((await settleReads(reading)) || (await rereadNarrow(progress, reading)))
}

/** How far target and sources have been read, and in how many rounds. */
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
      if (isBehind(layer, last)) world.tell?.({ type: 'reading', layer: layer.name })
      while (isBehind(layer, last)) {
        const atTarget = advance(layer, target, run, (found) => run.atTarget.read(layer, found))
        // An announcement that the target has lost voids the checkpoints by which sources are read, and with `--since`
        // it is decisive what the target holds.
        if (layer.name === 'announcements' || run.policy.since !== undefined) await atTarget
        const atSources = sources.map((source) =>
          advance(layer, positionOf(source), run, (found) => readAtSource(source, layer, found, run)),
        )
        await Promise.all([atTarget, ...atSources])
        if (layer.name === 'announcements') await deriveAnchors(run)
      }
    }
    await deriveAnchors(run)
    for (const source of await readDiscovered(run)) positions.delete(source)
  }
}

/** Restarts the sources that turn out to leave out events. Returns whether there are any. */
async function rereadNarrow({ positions }: Progress, run: Reading): Promise<boolean> {
  const narrow = await findNarrow(run)
  for (const source of narrow) {
    positions.delete(source)
    run.wholes.distrust(source)
  }
  return narrow.length > 0
}

/**
 * Waits for all relays at once until no reading can be taken back, and repeats those that were. Returns whether any
 * was: a repeat may bring new anchors.
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

/** Derives the anchors anew: deletions that were read since may have changed which announcements count. */
async function deriveAnchors(run: ScopedRun): Promise<void> {
  const { catalog, world } = run
  await reviseAnnouncements(run)
  world.state.transaction(() => catalog.deriveAnchors())
}

/**
 * Reads the announcements of sources that were just discovered, or that more announcements name now. Returns these
 * sources: their other layers start over.
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

/** Reads the next unread anchors of a layer, if there are any. */
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
