import { advanceCheckpoint } from '../checkpoint/advance.ts'
import type { LayerName } from '../layer-name.ts'
import { copiesToDate } from '../report/run-options.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { factsOf } from './check-witnesses.ts'

/** Moves the checkpoints, last and only on proof (rule 2): by now everything fetched is settled or parked on disk. */
export function moveCheckpoints(run: ScopedRun): void {
  const { options, world, sources, startedAt, catalog } = run
  const { state } = world
  if (options.dryRun) return
  state.transaction(() => saveWitnesses(run))
  const copiesEverything = copiesToDate(options) && options.until === undefined && options.deletions === 'apply'
  if (!copiesEverything) return
  const { overlapSeconds } = options
  const moved: Moved[] = []
  // Synced, with everything written before it: a power cut leaves no checkpoint without the events behind it.
  state.durableTransaction(() => {
    for (const { peer } of sources.filter((source) => source.peer.endpoint.kind === 'relay')) {
      const layers = new Map<LayerName, number>()
      moved.push({ source: peer.endpoint.url, layers })
      for (const read of state.checkpoints.reads(peer.endpoint.url)) {
        if (!catalog.isOfMembers(read.layer, read.anchor)) {
          state.checkpoints.forget(peer.endpoint.url, read.layer, read.anchor)
          continue
        }
        const after = advanceCheckpoint(read, read.before, { startedAt, overlapSeconds })
        const hadEvents = read.hadEvents || read.before?.hadEvents === true
        if (after === undefined) continue
        state.checkpoints.save(peer.endpoint.url, read.layer, read.anchor, { ...after, hadEvents })
        layers.set(read.layer, (layers.get(read.layer) ?? 0) + 1)
      }
    }
  })
  tellMoved(moved, world)
}

/** How many anchors of each layer moved at one source. */
type Moved = { readonly source: string; readonly layers: ReadonlyMap<LayerName, number> }

/** Tells it once it is on disk. */
function tellMoved(moved: readonly Moved[], { tell }: ScopedRun['world']): void {
  for (const { source, layers } of moved)
    for (const [layer, anchors] of layers) tell?.({ type: 'checkpoint', source, layer, anchors })
}

/** Saves the witnesses, without what authors took back. */
function saveWitnesses(run: ScopedRun): void {
  run.witnesses.save(run.world.state.witnesses, run.startedAt, factsOf(run))
}
