/*
 * Reading a request by comparison (NIP-77) where it costs less than pages. Both ends speak it: only the difference comes.
 * One end does: what the other holds is paged once, as ids, and never asked for again. None does, or something fails: pages.
 */
import type { Fetched } from './fetch.ts'
import type { PlannedRequest } from './plan.ts'
import { createLocalSet, createRelaySet, type ComparedSet } from './relay/compared-set.ts'
import { fetchMissing, type MissingContext } from './relay/fetch-missing.ts'
import { IdCollector } from './relay/id-set.ts'
import { drain, type DrainContext } from './relay/paging.ts'
import type { Peer } from './relay/peer.ts'
import { reconcileFilter } from './relay/reconcile-filter.ts'
import type { LayerName } from './report.ts'
import type { RunTables } from './store/run-tables.ts'
import type { UnixSeconds } from './time.ts'

/** What comparing needs. `layers`: those that may be compared; of the others every event must be seen. */
export type CompareSettings = {
  readonly target: Peer
  readonly run: RunTables
  readonly now: UnixSeconds
  readonly layers: ReadonlySet<LayerName>
}

/** Reads what the target lacks of a request; `undefined` when it must be read in pages. */
export async function compareRequest(
  source: Peer,
  request: PlannedRequest,
  reading: DrainContext,
  settings: CompareSettings,
): Promise<Fetched | undefined> {
  const isWhole = request.mode === 'full' && request.match === undefined
  if (!isWhole || !settings.layers.has(request.layer)) return undefined
  const { filter } = request
  const atSource = createRelaySet(source, filter)
  const atTarget = createRelaySet(settings.target, filter)
  if (atSource === undefined) {
    if (atTarget !== undefined) await listTarget(atTarget, request, settings)
    return undefined
  }
  const compared =
    atTarget && (await fetch(request, { ...reading, source: atSource, target: atTarget, now: settings.now }))
  if (compared !== undefined) return compared
  return compareWithPages(source, request, reading, settings)
}

async function fetch({ filter }: PlannedRequest, context: MissingContext): Promise<Fetched | undefined> {
  const read = await fetchMissing(filter, context)
  return read.type === 'read' ? { drain: read.drain, comparison: read } : undefined
}

/** The target has no NIP-77: its ids are paged, and the source is compared with them. */
async function compareWithPages(
  source: Peer,
  request: PlannedRequest,
  reading: DrainContext,
  settings: CompareSettings,
): Promise<Fetched | undefined> {
  const atSource = createRelaySet(source, request.filter)
  if (atSource === undefined || settings.target.support.refusal === undefined) return undefined
  const ids = new IdCollector()
  const { endpoint, capacity, pageLimit } = settings.target
  await drain(request.filter, {
    request: (filter) => endpoint.request(filter),
    sink: async (events) => {
      settings.run.addServed(events.map(({ id }) => id))
      for (const { id, created_at } of events) ids.add(created_at, id)
    },
    capacity,
    limit: pageLimit,
  })
  // What the pages did not bring is found missing, fetched, and asked of the target by id: nothing is lost or sent twice.
  return fetch(request, { ...reading, source: atSource, target: createLocalSet(ids.seal()), now: settings.now })
}

/** The source has no NIP-77: the target lists its ids, so that the events that both hold are read only once. */
async function listTarget(
  target: ComparedSet,
  { filter }: PlannedRequest,
  { run, now }: CompareSettings,
): Promise<void> {
  await reconcileFilter({
    source: target,
    target: createLocalSet(new IdCollector().seal()),
    filter,
    now,
    onMissing: async (ids) => run.addServed(ids),
  })
}
