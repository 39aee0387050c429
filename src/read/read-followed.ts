import type { Layer } from '../checkpoint/layers.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { keepValid } from '../nostr/verifier.ts'
import type { Aftermath } from '../relay/aftermath.ts'
import type { Page } from '../relay/endpoint.ts'
import { createLocalSet, createRelaySet } from '../relay/negentropy/compared-set.ts'
import { IdCollector } from '../relay/negentropy/id-set.ts'
import { reconcileFilter } from '../relay/negentropy/reconcile-filter.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import { hearPeer } from '../relay/peer.ts'
import { readThrough } from '../relay/read-through.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { layerFilters } from './target-filters.ts'

/** A run that reads the target; `aftermath` is told what follows the ends. */
type Reading = ScopedRun & { readonly aftermath: Aftermath }

/** Reads the target's events that refer to these anchors, to make anchors of them. NIP-77 skips known ones. */
export async function readFollowed(layer: Layer, names: readonly string[], reading: Reading): Promise<void> {
  for (const filter of layerFilters(layer.variants, names, reading.target)) {
    if (await listFollowed(layer, filter, reading)) continue
    const gap = await readThrough(hearPeer(reading.target, reading.aftermath), filter, (events) =>
      learnFollowed(layer, events, reading),
    )
    if (gap !== null) reading.targetGaps.note(`its ${layer.name}: ${gap}`)
  }
}

/** Does the same by NIP-77, which lists ids; false when they must be paged. */
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
  { world: { state, verifier }, catalog }: Reading,
): Promise<void> {
  const verified = await keepValid(events, verifier)
  state.transaction(() => {
    for (const event of verified) catalog.learn(name, event, true)
  })
}
